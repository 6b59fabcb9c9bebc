import { crc32 } from 'node:zlib';
import { decodeValue, encodeValueInPlace, packBatch, packMessages } from '@tidemark/actors/internal';
import type { Batch, CaptureSink, Envelope, PackedFrame, UnitData } from '@tidemark/actors/internal';
import { BLOCK_BYTES_FIRST, BLOCK_BYTES_MAX } from './limits.ts';

/*
 * A part file:
 *   magic   8 bytes "TMPART01"
 *   block*  u32 length, u32 crc32 of the payload, payload      (little endian)
 *   payload = entry*: u8 kind, u32 head length, u32 body length, head, body
 * Kinds: 1 unit    head = [type, key, table, tableKey]   body = value
 *        2 mail    head = [codec, count]                 body = frame body (one message of an actor, or a batch of a task)
 *        3 channel head = [codec, count, from thread]    body = frame body, as it arrived
 *        4 outbox  head = [codec, count, to thread]      body = frame body, sealed at the flip
 * Heads and unit values are msgpack; frame bodies are what travels on a channel.
 */
export const PART_MAGIC: Uint8Array = new TextEncoder().encode('TMPART01');

const KIND = { unit: 1, mail: 2, channel: 3, outbox: 4 } as const;
const ENTRY_HEAD_BYTES = 9;
const BLOCK_HEAD_BYTES = 8;

/** Counts of what a part holds, for its history. */
export interface PartCounts {
  units: number;
  messages: number;
  frames: number;
  bytes: number;
}

/** Writes one part as blocks; each leaves by `emit` as soon as it is full. */
export class PartWriter implements CaptureSink {
  readonly counts: PartCounts = { units: 0, messages: 0, frames: 0, bytes: 0 };
  readonly #emit: (block: Uint8Array) => void;
  #block = new Uint8Array(BLOCK_BYTES_FIRST);
  #view = new DataView(this.#block.buffer);
  /** Where the entry begins that is being written. */
  #entry = BLOCK_HEAD_BYTES;
  #length = BLOCK_HEAD_BYTES;

  constructor(emit: (block: Uint8Array) => void) {
    this.#emit = emit;
    this.counts.bytes += PART_MAGIC.length;
    emit(PART_MAGIC.slice());
  }

  unit(type: string, key: string, table: string, tableKey: string | number | null, value: unknown): void {
    this.counts.units++;
    this.#begin(encodeValueInPlace([type, key, table, tableKey]));
    this.#end(KIND.unit, encodeValueInPlace(value));
  }

  mail(envelope: Envelope): void {
    for (const frame of packMessages([envelope])) this.#mail(frame);
  }

  batch(batch: Batch): void {
    this.#mail(packBatch(batch));
  }

  channel(frame: PackedFrame, from: number): void {
    this.counts.frames++;
    this.counts.messages += frame.count;
    this.#begin(encodeValueInPlace([frame.codec, frame.count, from]));
    this.#end(KIND.channel, frame.body);
  }

  outbox(frame: PackedFrame, to: number): void {
    this.counts.frames++;
    this.counts.messages += frame.count;
    this.#begin(encodeValueInPlace([frame.codec, frame.count, to]));
    this.#end(KIND.outbox, frame.body);
  }

  end(): void {
    this.#close();
  }

  #mail(frame: PackedFrame): void {
    this.counts.messages += frame.count;
    this.#begin(encodeValueInPlace([frame.codec, frame.count]));
    this.#end(KIND.mail, frame.body);
  }

  /** Writes an entry's head. The codec's bytes are good only until its next call, so they are copied at once. */
  #begin(head: Uint8Array): void {
    this.#entry = this.#length;
    this.#reserve(ENTRY_HEAD_BYTES + head.length);
    this.#view.setUint32(this.#entry + 1, head.length, true);
    this.#block.set(head, this.#entry + ENTRY_HEAD_BYTES);
    this.#length += ENTRY_HEAD_BYTES + head.length;
  }

  #end(kind: number, body: Uint8Array): void {
    this.#reserve(body.length);
    this.#view.setUint8(this.#entry, kind);
    this.#view.setUint32(this.#entry + 5, body.length, true);
    this.#block.set(body, this.#length);
    this.#length += body.length;
    if (this.#length > BLOCK_BYTES_MAX && this.#entry > BLOCK_HEAD_BYTES) this.#moveOn();
  }

  /** The block is full without its last entry: that one begins the next. */
  #moveOn(): void {
    const entry = this.#block.slice(this.#entry, this.#length);
    this.#length = this.#entry;
    this.#close();
    this.#reserve(entry.length);
    this.#block.set(entry, this.#length);
    this.#length += entry.length;
  }

  #reserve(needed: number): void {
    const length = this.#length + needed;
    if (length <= this.#block.length) return;
    const larger = new Uint8Array(Math.max(length, Math.min(this.#block.length * 4, BLOCK_BYTES_MAX * 1.25)));
    larger.set(this.#block.subarray(0, this.#length));
    this.#block = larger;
    this.#view = new DataView(larger.buffer);
  }

  #close(): void {
    if (this.#length === BLOCK_HEAD_BYTES) return;
    const block = this.#block.slice(0, this.#length);
    const payload = block.subarray(BLOCK_HEAD_BYTES);
    const view = new DataView(block.buffer);
    view.setUint32(0, payload.length, true);
    view.setUint32(4, crc32(payload), true);
    this.counts.bytes += block.length;
    this.#length = BLOCK_HEAD_BYTES;
    this.#emit(block);
  }
}

/** What a part holds, its values still packed. */
export interface PartContent {
  readonly units: UnitData[];
  readonly mail: PackedFrame[];
  readonly channels: PackedFrame[];
  readonly outboxes: PackedFrame[];
}

/**
 * Reads a part whose sha256 was verified.
 *
 * @throws RangeError or Error with the offset when the bytes are not a part
 */
export function readPart(bytes: Uint8Array): PartContent {
  const content: PartContent = { units: [], mail: [], channels: [], outboxes: [] };
  for (let i = 0; i < PART_MAGIC.length; i++) if (bytes[i] !== PART_MAGIC[i]) throw new Error('no part: wrong magic');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = PART_MAGIC.length; offset < bytes.length; ) {
    const length = view.getUint32(offset, true);
    const payload = bytes.subarray(offset + BLOCK_HEAD_BYTES, offset + BLOCK_HEAD_BYTES + length);
    if (payload.length !== length) throw new Error(`block at byte ${offset} is cut short`);
    if (crc32(payload) !== view.getUint32(offset + 4, true)) throw new Error(`block at byte ${offset}: wrong crc32`);
    readBlock(payload, content);
    offset += BLOCK_HEAD_BYTES + length;
  }
  return content;
}

function readBlock(payload: Uint8Array, content: PartContent): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let offset = 0; offset < payload.length; ) {
    const kind = view.getUint8(offset);
    const headLength = view.getUint32(offset + 1, true);
    const bodyLength = view.getUint32(offset + 5, true);
    const headAt = offset + ENTRY_HEAD_BYTES;
    const head = decodeValue(payload.subarray(headAt, headAt + headLength));
    const body = payload.subarray(headAt + headLength, headAt + headLength + bodyLength);
    readEntry(kind, head, body, content);
    offset = headAt + headLength + bodyLength;
  }
}

function readEntry(kind: number, head: unknown, body: Uint8Array, content: PartContent): void {
  if (kind === KIND.unit) {
    const [type, key, table, tableKey] = head as [string, string, string, string | number | null];
    content.units.push({ type, key, table, tableKey, value: body });
    return;
  }
  const [codec, count] = head as [PackedFrame['codec'], number];
  const frame: PackedFrame = { codec, count, body };
  if (kind === KIND.mail) content.mail.push(frame);
  else if (kind === KIND.channel) content.channels.push(frame);
  else if (kind === KIND.outbox) content.outboxes.push(frame);
  else throw new Error(`unknown kind of entry: ${kind}`);
}
