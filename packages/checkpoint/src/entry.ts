import { decodeValue, type PackedFrame } from '@tidemark/actors/internal/worker';

/*
 * A block's payload is whole entries: u8 kind, u32 head length, u32 body length (little endian), head, body.
 *   1 unit    head = [type, key, table, tableKey]   body = value
 *   2 mail    head = [codec, count]                 body = frame body (one message of an actor, or a batch of a task)
 *   3 channel head = [codec, count, from thread]    body = frame body, as it arrived
 *   4 outbox  head = [codec, count, to thread]      body = frame body, sealed at the flip
 *   5 gone    head = [type, key, table, tableKey]   no body: the unit is no more; tableKey null takes the actor's tables with it
 *   6 passing head = [type, key, table, tableKey]   body = value; counts only in the newest file
 *   7 rows    head = [type, key, table]             body = [table keys, values]: units of one table;
 *             head = [type, null, '']               body = [keys, values]: states of actors
 * Heads and unit values are msgpack; frame bodies are what travels on a channel.
 */
export const KIND = { unit: 1, mail: 2, channel: 3, outbox: 4, gone: 5, passing: 6, rows: 7 } as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

/** Kinds whose heads begin with what they belong to. */
export const UNIT_KINDS: ReadonlySet<Kind> = new Set([KIND.unit, KIND.rows, KIND.gone, KIND.passing]);

const KINDS: ReadonlySet<number> = new Set(Object.values(KIND));

export const ENTRY_HEAD_BYTES = 9;

/** Address of a unit. */
export type UnitHead = readonly [type: string, key: string, table: string, tableKey: string | number | null];

export type RowsHead = readonly [type: string, of: string | null, table: string];
export type RowsBody = readonly [keys: readonly (string | number)[], values: readonly unknown[]];

/** Head of a frame; who it came from or goes to is for readers of the file. */
export type FrameHead = readonly [codec: PackedFrame['codec'], count: number, thread?: number];

/** An entry as it lies in its payload. */
export interface Entry {
  readonly kind: Kind;
  /** Decoded. */
  readonly head: unknown;
  readonly body: Uint8Array;
}

/**
 * The entries of these kinds in a payload; the others are passed over.
 *
 * @throws Error or RangeError when the bytes are no entries, of whatever kind
 */
export function* entriesOf(payload: Uint8Array, kinds: ReadonlySet<Kind>): Generator<Entry, number, void> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let entries = 0;
  for (let offset = 0; offset < payload.length; entries++) {
    const kind = view.getUint8(offset);
    const headAt = offset + ENTRY_HEAD_BYTES;
    const bodyAt = headAt + view.getUint32(offset + 1, true);
    offset = bodyAt + view.getUint32(offset + 5, true);
    if (offset > payload.length) throw new RangeError('an entry is longer than its block');
    if (!isKind(kind)) throw new Error(`unknown kind of entry: ${kind}`);
    if (!kinds.has(kind)) continue;
    yield { kind, head: decodeValue(payload.subarray(headAt, bodyAt)), body: payload.subarray(bodyAt, offset) };
  }
  return entries;
}

function isKind(kind: number): kind is Kind {
  return KINDS.has(kind);
}
