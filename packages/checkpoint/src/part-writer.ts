import { encodeValueInPlace, packBatch, packMessages } from '@tidemark/actors/internal/worker';
import type { Batch, CaptureSink, Envelope, PackedFrame } from '@tidemark/actors/internal/worker';
import type { BlockPool } from './block-pool.ts';
import { DefinitionCounts } from './definition-counts.ts';
import { ENTRY_HEAD_BYTES, KIND } from './entry.ts';
import { BLOCK_BYTES_FIRST, BLOCK_BYTES_MAX, BLOCK_CAPACITY, BLOCK_COPIED_BELOW, BLOCK_HEAD_BYTES } from './limits.ts';

/** Whole entries, and what the index of the part says of them. */
export interface PartBlock {
  /** Room for the head that it gets in its file, then the payload; all of its memory is its own. */
  readonly bytes: Uint8Array;
  readonly entries: number;
  /** Whose units are here: kinds of actors and tasks, each with the table; '' for their own state. */
  readonly holds: readonly Held[];
}

export function payloadOf({ bytes }: PartBlock): Uint8Array {
  return bytes.subarray(BLOCK_HEAD_BYTES);
}

export type Held = readonly [type: string, table: string];

/** Counts of what a part holds, for its history. */
export interface PartCounts {
  units: number;
  messages: number;
  frames: number;
  bytes: number;
}

interface OpenRows {
  readonly type: string;
  /** Key of the actor that the table is in; null for states of actors, whose own keys are `keys`. */
  readonly of: string | null;
  readonly table: string;
  readonly keys: (string | number)[];
  readonly values: unknown[];
}

/** Units in one entry at most, and the bytes aimed at: their shape is written once, and no turn waits long for it. */
const ROWS_MAX = 64;
const ROWS_BYTES = 32 * 1024;

/** Writes one part as payloads of blocks; each leaves by `emit` as soon as it is full. */
export class PartWriter implements CaptureSink {
  readonly counts: PartCounts = { units: 0, messages: 0, frames: 0, bytes: 0 };
  /** Units and their bytes by what they belong to. */
  readonly definitions = new DefinitionCounts();
  readonly #emit: (block: PartBlock) => void;
  readonly #pool: BlockPool<ArrayBuffer>;
  /** Units of one table, or states of one kind of actor, that are not yet encoded. */
  #rows: OpenRows | null = null;
  /** Units encoded together: few until it is known how large they are. */
  #rowsMax = 1;
  #block: Uint8Array<ArrayBuffer>;
  #view: DataView;
  /** Where the entry begins that is being written. */
  #entry = BLOCK_HEAD_BYTES;
  #length = BLOCK_HEAD_BYTES;
  /** Entries that are whole in this block, and what they belong to. */
  #entries = 0;
  #holds = new Map<string, Held>();
  /** What the entry belongs to that is being written; null for motion. */
  #held: Held | null = null;
  /** Units in that entry. */
  #heldUnits = 0;

  constructor(pool: BlockPool<ArrayBuffer>, emit: (block: PartBlock) => void) {
    this.#pool = pool;
    this.#emit = emit;
    this.#block = pool.isEmpty ? new Uint8Array(BLOCK_BYTES_FIRST) : pool.take();
    this.#view = new DataView(this.#block.buffer);
  }

  unit(type: string, key: string, table: string, tableKey: string | number | null, value: unknown): void {
    this.counts.units++;
    const of = table === '' ? null : key;
    let rows = this.#rows;
    if (rows?.type !== type || rows.of !== of || rows.table !== table || rows.keys.length >= this.#rowsMax) {
      this.settle();
      this.#rows = rows = { type, of, table, keys: [], values: [] };
    }
    rows.keys.push(tableKey ?? key);
    rows.values.push(value);
  }

  settle(): void {
    const rows = this.#rows;
    if (rows === null) return;
    this.#rows = null;
    const { type, of, table, keys, values } = rows;
    const [key] = keys;
    if (keys.length > 1) {
      const bytes = this.#unitEntry(KIND.rows, [type, table], [type, of, table], [keys, values], keys.length);
      const fitting = Math.floor(ROWS_BYTES / (bytes / keys.length));
      this.#rowsMax = Math.max(1, Math.min(fitting, ROWS_MAX, this.#rowsMax * 2));
      return;
    }
    const head = of === null ? [type, key, '', null] : [type, of, table, key];
    const bytes = this.#unitEntry(KIND.unit, [type, table], head, values[0]);
    if (this.#rowsMax === 1 && bytes * 2 <= ROWS_BYTES) this.#rowsMax = 2;
  }

  gone(type: string, key: string, table: string, tableKey: string | number | null): void {
    this.settle();
    this.counts.units++;
    this.#unitEntry(KIND.gone, [type, table], [type, key, table, tableKey], undefined);
  }

  passing(type: string, key: string, table: string, tableKey: string | number | null, value: unknown): void {
    this.settle();
    this.counts.units++;
    this.#unitEntry(KIND.passing, [type, table], [type, key, table, tableKey], value);
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
    this.settle();
    this.#close();
    this.#pool.add([this.#block.buffer]);
  }

  /** Answers the bytes of the body. */
  #unitEntry(kind: number, held: Held, head: readonly unknown[], value: unknown, units = 1): number {
    this.#held = held;
    this.#heldUnits = units;
    this.#begin(encodeValueInPlace(head));
    const body = kind === KIND.gone ? EMPTY : encodeValueInPlace(value);
    this.#end(kind, body);
    this.#held = null;
    return body.length;
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
    const bytes = this.#length - this.#entry;
    if (this.#length > BLOCK_HEAD_BYTES + BLOCK_BYTES_MAX && this.#entry > BLOCK_HEAD_BYTES) this.#moveOn();
    this.#entries++;
    if (this.#held === null) return;
    const [type, table] = this.#held;
    this.#holds.set(`${type}\0${table}`, this.#held);
    this.definitions.add(type, this.#heldUnits, bytes);
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
    const larger = length > BLOCK_CAPACITY ? new Uint8Array(length) : this.#pool.take();
    larger.set(this.#block.subarray(0, this.#length));
    this.#pool.add([this.#block.buffer]);
    this.#use(larger);
  }

  #use(block: Uint8Array<ArrayBuffer>): void {
    this.#block = block;
    this.#view = new DataView(block.buffer);
  }

  #close(): void {
    if (this.#length === BLOCK_HEAD_BYTES) return;
    this.counts.bytes += this.#length - BLOCK_HEAD_BYTES;
    const block = { bytes: this.#leaving(), entries: this.#entries, holds: [...this.#holds.values()] };
    this.#length = BLOCK_HEAD_BYTES;
    this.#entries = 0;
    this.#holds.clear();
    this.#emit(block);
  }

  /** The block, in memory that is its own from now on. */
  #leaving(): Uint8Array {
    const block = this.#block;
    const isSmall = this.#length < BLOCK_COPIED_BELOW || this.#length * 8 < block.length;
    const bytes = isSmall ? block.slice(0, this.#length) : block.subarray(0, this.#length);
    // What has grown for one large entry is not kept for the others.
    if (!isSmall || block.length > BLOCK_CAPACITY) this.#use(this.#pool.take());
    return bytes;
  }
}

const EMPTY = new Uint8Array(0);
