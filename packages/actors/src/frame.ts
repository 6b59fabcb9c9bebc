import { decodeRows, decodeValue, encodeRows, encodeValue } from './codec.ts';
import { type Column, fromColumns, toColumns } from './columns.ts';
import { ActorError } from './errors.ts';
import { FRAME_BYTES_TARGET, MESSAGE_BYTES_MAX } from './limits.ts';
import type { Batch, Envelope, PackedFrame } from './messages.ts';

/**
 * Type, key, handler and arguments; then whose answer is awaited: an ask and its term, or a call and the actor that made it. The id
 * of a request comes last.
 */
type WireEnvelope =
  | readonly [string, string, string, readonly unknown[]]
  | readonly [string, string, string, readonly unknown[], number, number, string?]
  | readonly [string, string, string, readonly unknown[], string, string, string];

/** Packs messages into as few frames as the byte limit allows, in order. */
export function packMessages(envelopes: readonly Envelope[]): PackedFrame[] {
  const body = encodeValue(envelopes.map(toWire));
  if (body.length <= FRAME_BYTES_TARGET * 4 || envelopes.length === 1) {
    if (body.length > MESSAGE_BYTES_MAX * 2) throw tooLarge(envelopes[0], body.length);
    return [{ codec: 'messages', count: envelopes.length, body }];
  }
  const half = envelopes.length >> 1;
  return [...packMessages(envelopes.slice(0, half)), ...packMessages(envelopes.slice(half))];
}

export function packBatch(batch: Batch): PackedFrame {
  const { task, keys, values, columns } = batch;
  const count = values.length;
  if (columns === null || count > COLUMN_ROWS_MAX)
    return { codec: 'rows', count, body: encodeRows([task, keys, values]) };
  const body = encodeRows([task, keys, columns, toColumns(columns, values as Record<string, unknown>[])]);
  return { codec: 'columns', count, body };
}

/** Rows whose dictionary indexes surely fit into 16 bits. */
const COLUMN_ROWS_MAX = 65_536;

export function unpackMessages(body: Uint8Array): Envelope[] {
  return (decodeValue(body) as WireEnvelope[]).map(fromWire);
}

function fromWire(wire: WireEnvelope): Envelope {
  const [type, key, handler, args] = wire;
  if (wire.length === 4) return { type, key, handler, args, reply: null };
  if (typeof wire[4] === 'string') {
    return { type, key, handler, args, reply: { call: wire[4], type: wire[5] as string, key: wire[6]! } };
  }
  const reply = { ask: wire[4], term: wire[5] as number };
  return wire.length === 6
    ? { type, key, handler, args, reply }
    : { type, key, handler, args, reply, requestId: wire[6] };
}

/** The batch of a frame of codec `rows` or `columns`. */
export function unpackBatch({ codec, count, body }: PackedFrame): Batch {
  if (codec === 'rows') {
    const [task, keys, values] = decodeRows(body) as [string, Key[] | null, unknown[]];
    return { task, keys, values, columns: null };
  }
  const [task, keys, names, columns] = decodeRows(body) as [string, Key[] | null, string[], Column[]];
  return { task, keys, values: fromColumns(names, columns, count), columns: names };
}

type Key = string | number;

function toWire(envelope: Envelope): WireEnvelope {
  const { type, key, handler, args, reply, requestId } = envelope;
  if (reply === null) return [type, key, handler, args];
  if ('call' in reply) return [type, key, handler, args, reply.call, reply.type, reply.key];
  if (requestId === undefined) return [type, key, handler, args, reply.ask, reply.term];
  return [type, key, handler, args, reply.ask, reply.term, requestId];
}

export function tooLarge(to: Envelope, bytes: number): ActorError {
  return new ActorError(
    'MESSAGE_TOO_LARGE',
    `a message to ${to.type}/${to.key} ${to.handler} has about ${bytes} bytes, more than the ${MESSAGE_BYTES_MAX} allowed; send it in pieces, or send where it lies`,
  );
}
