import { crc32 } from 'node:zlib';
import { decodeValue, encodeValue, type FileBytes } from '@tidemark/actors/internal/worker';
import { decompress } from './compression.ts';
import { BLOCK_HEAD_BYTES as HEAD_BYTES } from './limits.ts';
import { type Held, type PartBlock, payloadOf } from './part-writer.ts';

/*
 * A part file, numbers little endian:
 *   magic   8 bytes "TMPART02"
 *   block*  u32 stored length, u32 crc32 of what is stored, u32 payload length, u32 codec, the payload as the codec stores it
 *   index   a block whose payload is one value: [cut, base, [[offset, stored length, payload length, codec, entries, holds], …]]
 *   end     u64 offset of the index, 8 bytes "TMPARTIX"
 * Format 1, "TMPART01": blocks of u32 length, u32 crc32 and the payload, and nothing after the last one.
 */
const MAGIC = 'TMPART02';
const MAGIC_1 = 'TMPART01';
const END_MAGIC = 'TMPARTIX';
const MAGIC_BYTES = 8;
const HEAD_BYTES_1 = 8;
const END_BYTES = 16;

type IndexLine = readonly [
  offset: number,
  stored: number,
  length: number,
  codec: number,
  entries: number,
  holds: readonly Held[],
];

type IndexBody = readonly [cut: number, base: number, lines: readonly IndexLine[]];

/** Frames the blocks of one part, and writes the index at its end. */
export class PartFraming {
  readonly #lines: IndexLine[] = [];
  #length = 0;

  begin(): Uint8Array {
    return this.#own(new TextEncoder().encode(MAGIC));
  }

  /** One block, stored as it is: its head is written into its own room. */
  block(block: PartBlock): Uint8Array {
    const { length } = payloadOf(block);
    this.#lines.push([this.#length, length, length, 0, block.entries, block.holds]);
    writeHead(block.bytes, length, 0);
    return this.#own(block.bytes);
  }

  /** One block, whose payload `codec` has stored as `stored`. */
  compressed(block: PartBlock, codec: number, stored: Uint8Array): Uint8Array {
    const { length } = payloadOf(block);
    this.#lines.push([this.#length, stored.length, length, codec, block.entries, block.holds]);
    return this.#own(framed(stored, length, codec));
  }

  /** The index and the end of the file of cut `cut`, which builds on that of `base`; 0 for a full file. */
  end(cut: number, base: number): Uint8Array {
    const index = encodeValue([cut, base, this.#lines]);
    const bytes = new Uint8Array(HEAD_BYTES + index.length + END_BYTES);
    bytes.set(framed(index, index.length, 0));
    const view = new DataView(bytes.buffer, bytes.length - END_BYTES);
    view.setBigUint64(0, BigInt(this.#length), true);
    bytes.set(new TextEncoder().encode(END_MAGIC), bytes.length - MAGIC_BYTES);
    return this.#own(bytes);
  }

  #own(bytes: Uint8Array): Uint8Array {
    this.#length += bytes.length;
    return bytes;
  }
}

/** A part file taken apart: its payloads, each checked. */
export interface PartPayloads {
  /** 0 in format 1, which has one file a part. */
  readonly base: number;
  /** What its units belong to, each once; null in format 1. */
  readonly holds: readonly Held[] | null;
  readonly payloads: readonly { readonly payload: Uint8Array; readonly entries: number | null }[];
}

/**
 * Reads a part file.
 *
 * @param isVerified its sha256 is that of its record: then the crc32 of each block can tell nothing new
 * @throws RangeError or Error with the offset when the bytes are not a part
 * @throws CheckpointError `COMPRESSION_UNAVAILABLE`
 */
export function readPartFile(file: FileBytes, isVerified = false): PartPayloads {
  if (!(file instanceof Uint8Array)) return readFrames(file);
  const magic = latin1(file.subarray(0, MAGIC_BYTES));
  if (magic === MAGIC_1) return { base: 0, holds: null, payloads: readBlocks1(file) };
  if (magic !== MAGIC) throw new Error('no part: wrong magic');
  const { base, at, lines } = readIndex(file);
  let offset = MAGIC_BYTES;
  const payloads = lines.map(([lineOffset, stored, length, codec, entries]) => {
    if (lineOffset !== offset) throw new Error(`block at byte ${offset} is not the one of the index`);
    const payload = readBlock(file, offset, { stored, length, codec }, isVerified);
    offset += HEAD_BYTES + stored;
    return { payload, entries };
  });
  if (offset !== at) throw new Error(`blocks end at byte ${offset}, the index begins at byte ${at}`);
  return { base, holds: [...eachOnce(lines)], payloads };
}

/** A file that never left this process: what `begin`, `block` and `end` of its framing have made. */
function readFrames(frames: readonly Uint8Array[]): PartPayloads {
  const last = frames[frames.length - 1];
  const [, base, lines] = decodeValue(last.slice(HEAD_BYTES, -END_BYTES)) as IndexBody;
  const payloads = lines.map(([, stored, length, codec, entries], i) => {
    return { payload: readBlock(frames[i + 1], 0, { stored, length, codec }, true), entries };
  });
  return { base, holds: [...eachOnce(lines)], payloads };
}

function eachOnce(lines: readonly IndexLine[]): Iterable<Held> {
  return new Map(lines.flatMap(([, , , , , holds]) => holds).map((held) => [held.join('\0'), held])).values();
}

function readIndex(bytes: Uint8Array): {
  readonly base: number;
  readonly at: number;
  readonly lines: readonly IndexLine[];
} {
  const endAt = bytes.length - END_BYTES;
  if (endAt < MAGIC_BYTES + HEAD_BYTES || latin1(bytes.subarray(-MAGIC_BYTES)) !== END_MAGIC) {
    throw new Error('no whole part: its end is missing');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = Number(view.getBigUint64(endAt, true));
  const length = endAt - at - HEAD_BYTES;
  const payload = readBlock(bytes, at, { stored: length, length, codec: 0 });
  const [, base, lines] = decodeValue(payload) as IndexBody;
  return { base, at, lines };
}

interface BlockShape {
  readonly stored: number;
  readonly length: number;
  readonly codec: number;
}

function readBlock(
  bytes: Uint8Array,
  offset: number,
  { stored, length, codec }: BlockShape,
  isVerified = false,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEAD_BYTES);
  const head = [view.getUint32(0, true), view.getUint32(8, true), view.getUint32(12, true)];
  if (head[0] !== stored || head[1] !== length || head[2] !== codec) {
    throw new Error(`block at byte ${offset} is not the one of the index`);
  }
  const body = bytes.subarray(offset + HEAD_BYTES, offset + HEAD_BYTES + stored);
  if (body.length !== stored) throw new Error(`block at byte ${offset} is cut short`);
  if (!isVerified && crc32(body) !== view.getUint32(4, true)) throw new Error(`block at byte ${offset}: wrong crc32`);
  const payload = decompress(codec, body, length);
  if (payload.length !== length) throw new Error(`block at byte ${offset} has ${payload.length} bytes, not ${length}`);
  return payload;
}

function readBlocks1(bytes: Uint8Array): { readonly payload: Uint8Array; readonly entries: null }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const payloads: { readonly payload: Uint8Array; readonly entries: null }[] = [];
  for (let offset = MAGIC_BYTES; offset < bytes.length; ) {
    const length = view.getUint32(offset, true);
    const payload = bytes.subarray(offset + HEAD_BYTES_1, offset + HEAD_BYTES_1 + length);
    if (payload.length !== length) throw new Error(`block at byte ${offset} is cut short`);
    if (crc32(payload) !== view.getUint32(offset + 4, true)) throw new Error(`block at byte ${offset}: wrong crc32`);
    payloads.push({ payload, entries: null });
    offset += HEAD_BYTES_1 + length;
  }
  return payloads;
}

function framed(stored: Uint8Array, length: number, codec: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + stored.length);
  bytes.set(stored, HEAD_BYTES);
  writeHead(bytes, length, codec);
  return bytes;
}

/** In front of a payload of `length` bytes, as `codec` has stored it: that is what follows in `bytes`. */
function writeHead(bytes: Uint8Array, length: number, codec: number): void {
  const stored = bytes.subarray(HEAD_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  view.setUint32(0, stored.length, true);
  view.setUint32(4, crc32(stored), true);
  view.setUint32(8, length, true);
  view.setUint32(12, codec, true);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
