import { createHash } from 'node:crypto';
import {
  type PartBlock,
  type PartCounts,
  PartFraming,
  type PartRef,
  PartWriter,
  BlockPool,
} from '@tidemark/checkpoint/internal';

export interface WrittenPart {
  readonly bytes: Uint8Array;
  /** The same, piece by piece as its framing has made it. */
  readonly frames: readonly Uint8Array[];
  /** As they left the writer. */
  readonly blocks: readonly PartBlock[];
  readonly counts: PartCounts;
}

/** A part with what `write` puts into it. */
export function writePart(write: (writer: PartWriter) => void, cut = CUT, base = 0): WrittenPart {
  const blocks: PartBlock[] = [];
  const writer = new PartWriter(new BlockPool((bytes) => new ArrayBuffer(bytes)), (block) => blocks.push(block));
  write(writer);
  writer.end();
  return { bytes: framed(blocks, cut, base), frames: framesOf(blocks, cut, base), blocks, counts: writer.counts };
}

/** The file of these blocks. */
export function framed(blocks: readonly PartBlock[], cut = CUT, base = 0): Uint8Array {
  return new Uint8Array(Buffer.concat(framesOf(blocks, cut, base)));
}

function framesOf(blocks: readonly PartBlock[], cut: number, base: number): readonly Uint8Array[] {
  const framing = new PartFraming();
  const pieces = [framing.begin(), ...blocks.map((block) => framing.block(block))];
  return [...pieces, framing.end(cut, base)];
}

/** Cut of files that are not asked for another. */
const CUT = 1;

/** Names a part that is a file. */
export function fileRef(path: string, bytes: Uint8Array, thread = 0): PartRef {
  return { thread, files: [{ cut: CUT, length: bytes.length, sha256: sha256(bytes), path }] };
}

/** Names a part whose bytes lie in the record. */
export function inlineRef(bytes: Uint8Array, thread = 0): PartRef {
  const inline = Buffer.from(bytes).toString('base64');
  return { thread, files: [{ cut: CUT, length: bytes.length, sha256: sha256(bytes), inline }] };
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
