import { decodeRows, decodeValue, encodeRows, unreadable } from './codec.ts';
import { assertColumns, type Column, fromColumns, toColumns } from './columns.ts';
import { ActorError } from './errors.ts';
import { assertEnvelope, assertReply, packGrouped, unpackGrouped } from './grouped.ts';
import { FRAME_BYTES_TARGET, FRAME_MESSAGES_MAX, MESSAGE_BYTES_MAX } from './limits.ts';
import { type Batch, type Envelope, Message, type PackedFrame } from './messages.ts';
import { bytesFor, isLikelyLight, isSurelyLight, weightMax, weightOf } from './weight.ts';

/**
 * Type, key, handler and arguments; then whose answer is awaited: an ask and its term, or a call and the actor that made it. The id
 * of a request comes last.
 */
type WireEnvelope =
  | readonly [string, string, string, readonly unknown[]]
  | readonly [string, string, string, readonly unknown[], number, number, string?]
  | readonly [string, string, string, readonly unknown[], string, string, string];

/** Bytes of a frame of messages: more is one message, which is refused, or was not written here. */
const FRAME_BYTES_MAX = MESSAGE_BYTES_MAX * 2;

/** Bytes of a frame of rows. It has all that one turn of a source sends to a worker, so it is more than anybody needs; never split. */
const BATCH_BYTES_MAX = 512 * 1024 * 1024;

/** Fewer messages are written one by one, without a trace: what they have in common is not worth a list of its own. */
const GROUPED_MIN = 32;

/** Packs messages into as few frames as the byte limit allows, in order. */
export function packMessages(envelopes: readonly Envelope[]): PackedFrame[] {
  const count = envelopes.length;
  if (count <= FRAME_MESSAGES_MAX) {
    const codec = count < GROUPED_MIN && envelopes.every(isUntraced) ? 'messages' : 'grouped';
    const body = codec === 'messages' ? encodeRows(envelopes.map(toWire)) : packGrouped(envelopes, 0);
    const padding = paddingOf(body);
    if (count === 1) return [packOne(envelopes[0], codec, body, padding)];
    if (body.length <= FRAME_BYTES_TARGET * 4 && padding === 0) return [{ codec, count, body }];
  }
  const half = count >> 1;
  return [...packMessages(envelopes.slice(0, half)), ...packMessages(envelopes.slice(half))];
}

/** A message that weighs more than its bytes is a group, which may have more of them. */
function packOne(envelope: Envelope, codec: PackedFrame['codec'], body: Uint8Array, padding: number): PackedFrame {
  const own = padding === 0 ? body : packGrouped([envelope], padding);
  if (own.length > FRAME_BYTES_MAX) throw tooLarge(envelope, own.length);
  return { codec: padding === 0 ? codec : 'grouped', count: 1, body: own };
}

export function packBatch(batch: Batch): PackedFrame {
  const { task, keys, values, columns } = batch;
  const count = values.length;
  if (columns === null || count > COLUMN_ROWS_MAX) {
    return { codec: 'rows', count, body: encodePadded([task, keys, values]) };
  }
  const body = encodePadded([task, keys, columns, toColumns(columns, values as Record<string, unknown>[])]);
  return { codec: 'columns', count, body };
}

function encodePadded(batch: readonly [task: string, ...unknown[]]): Uint8Array {
  const body = encodeRows(batch);
  const padding = paddingOf(body);
  const own = padding === 0 ? body : encodeRows([...batch, new Uint8Array(padding)]);
  if (own.length > BATCH_BYTES_MAX) throw batchTooLarge(batch[0], own.length);
  return own;
}

/** Bytes that a body lacks to weigh no more than it may; 0 where it does not. */
function paddingOf(body: Uint8Array): number {
  if (isSurelyLight(body)) return 0;
  const weight = weightOf(body, Number.POSITIVE_INFINITY);
  return weight <= weightMax(body) ? 0 : bytesFor(weight + PADDING_WEIGHT) - body.length;
}

/** What the padding itself, and the form that may have it, weigh. */
const PADDING_WEIGHT = 256;

/** Rows whose dictionary indexes surely fit into 16 bits. */
const COLUMN_ROWS_MAX = 65_536;

/** Whether a frame holds messages to actors; otherwise it holds a batch for a task. */
export function holdsMessages({ codec }: PackedFrame): boolean {
  return codec === 'messages' || codec === 'grouped';
}

/**
 * The messages of a frame of codec `messages` or `grouped`.
 *
 * @throws ActorError `BYTES_UNREADABLE`
 */
export function unpackMessages(frame: PackedFrame): Envelope[] {
  return reading(frame, FRAME_BYTES_MAX, FRAME_MESSAGES_MAX, ({ codec, count, body }) => {
    if (codec === 'grouped') return unpackGrouped(body, count);
    const all = decodeValue(body);
    if (codec !== 'messages' || !Array.isArray(all) || all.length !== count) throw new RangeError('no such messages');
    return all.map(fromWire);
  });
}

/**
 * The batch of a frame of codec `rows` or `columns`.
 *
 * @throws ActorError `BYTES_UNREADABLE`
 */
export function unpackBatch(frame: PackedFrame): Batch {
  // Each row has a byte at least, but of columns there may be none.
  const rowsMax = frame.codec === 'rows' ? frame.body.length : COLUMN_ROWS_MAX;
  return reading(frame, BATCH_BYTES_MAX, rowsMax, ({ codec, count, body }) => {
    const batch = decodeRows(body);
    if (!Array.isArray(batch) || !isBatch(batch[0], batch[1], count)) throw new RangeError('no such rows');
    if (codec === 'rows') {
      const [task, keys, values] = batch as [string, Key[] | null, unknown[]];
      if (!Array.isArray(values) || values.length !== count) throw new RangeError('no such rows');
      return { task, keys, values, columns: null };
    }
    const [task, keys, names, columns] = batch as [string, Key[] | null, string[], Column[]];
    assertColumns(names, columns, count);
    return { task, keys, values: fromColumns(names, columns, count), columns: names };
  });
}

function isBatch(task: unknown, keys: unknown, count: number): boolean {
  return typeof task === 'string' && (keys === null || (Array.isArray(keys) && keys.length === count));
}

/** Reads what is no more than it may be: that is looked at first. */
function reading<T>(frame: PackedFrame, bytesMax: number, countMax: number, read: (frame: PackedFrame) => T): T {
  try {
    if (frame.body.length > bytesMax) throw new RangeError(`more than ${bytesMax} bytes`);
    if (!(frame.count <= countMax)) throw new RangeError(`more than ${countMax} messages, or rows`);
    assertLight(frame.body);
    return read(frame);
  } catch (error) {
    throw unreadable(`a frame of ${frame.count} in codec '${frame.codec}', ${frame.body.length} bytes`, error);
  }
}

/** @throws RangeError */
function assertLight(body: Uint8Array): void {
  if (isLikelyLight(body)) return;
  const max = weightMax(body);
  if (weightOf(body, max) > max) throw new RangeError('more objects than so many bytes may have');
}

type Key = string | number;

function fromWire(wire: WireEnvelope): Envelope {
  const [type, key, handler, args] = wire;
  assertEnvelope(type, key, handler, args);
  if (wire.length === 4) return new Message(type, key, handler, args, null, undefined);
  const reply =
    typeof wire[4] === 'string'
      ? { call: wire[4], type: wire[5] as string, key: wire[6]! }
      : { ask: wire[4], term: wire[5] as number };
  assertReply(reply);
  if (wire.length === 6 || 'call' in reply) return new Message(type, key, handler, args, reply, undefined);
  return { type, key, handler, args, reply, requestId: wire[6] };
}

function isUntraced({ trace }: Envelope): boolean {
  return trace === undefined;
}

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

function batchTooLarge(task: string, bytes: number): ActorError {
  return new ActorError(
    'MESSAGE_TOO_LARGE',
    `rows for task '${task}' of one turn have ${bytes} bytes, more than the ${BATCH_BYTES_MAX} allowed; make fewer of a row of the input, or smaller ones`,
  );
}
