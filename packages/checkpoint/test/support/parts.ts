import { createHash } from 'node:crypto';
import { type PartCounts, type PartRef, PartWriter } from '@tidemark/checkpoint/internal';

export interface WrittenPart {
  readonly bytes: Uint8Array;
  /** As they left the writer: the magic, then blocks. */
  readonly pieces: readonly Uint8Array[];
  readonly counts: PartCounts;
}

/** A part with what `write` puts into it. */
export function writePart(write: (writer: PartWriter) => void): WrittenPart {
  const pieces: Uint8Array[] = [];
  const writer = new PartWriter((piece) => pieces.push(piece));
  write(writer);
  writer.end();
  return { bytes: new Uint8Array(Buffer.concat(pieces)), pieces, counts: writer.counts };
}

/** Names a part that is a file. */
export function fileRef(path: string, bytes: Uint8Array, thread = 0): PartRef {
  return { thread, length: bytes.length, sha256: sha256(bytes), path };
}

/** Names a part whose bytes lie in the record. */
export function inlineRef(bytes: Uint8Array, thread = 0): PartRef {
  return { thread, length: bytes.length, sha256: sha256(bytes), inline: Buffer.from(bytes).toString('base64') };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Each copy of `bytes` with one bit flipped. */
export function* bitFlips(bytes: Uint8Array): Generator<{ readonly bit: number; readonly flipped: Uint8Array }> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    yield { bit, flipped };
  }
}

/** Each beginning of `bytes` that is shorter. */
export function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length);
}
