import { type Column, columnReader, Room, toColumn } from './grouped-columns.ts';
import { decodeRows, encodeRows } from './codec.ts';
import { type Envelope, Message, type ReplyTo } from './messages.ts';

/**
 * The body of a frame of many messages: one group for each handler, in it the keys and the arguments as columns. What most
 * messages do not have (who waits for an answer) stands in a list beside them.
 *
 * What is written: `[groups, order, extras]`, a group being `[type, handler, keys, args]`. `order` names the group of each
 * message, null where there is one group; `extras` is `[at, column]`, null where there are none. Bytes of padding may follow.
 */
type Body = readonly [readonly GroupData[], Uint16Array | null, readonly [Uint16Array, Column] | null];
type GroupData = readonly [string, string, Column, Column];

/** What only some messages have: the other fields of their envelope. */
type Extra = Pick<Envelope, 'reply' | 'requestId' | 'trace'>;

interface Group {
  readonly index: number;
  readonly type: string;
  readonly handler: string;
  readonly keys: string[];
  readonly args: (readonly unknown[])[];
}

/**
 * @param envelopes at most `FRAME_MESSAGES_MAX`
 * @param padding bytes that are added, of no meaning
 */
export function packGrouped(envelopes: readonly Envelope[], padding: number): Uint8Array {
  const groups: Group[] = [];
  const order = new Uint16Array(envelopes.length);
  const at: number[] = [];
  const extras: Extra[] = [];
  const known = new Map<string, Map<string, Group>>();
  let group: Group | null = null;
  for (let i = 0; i < envelopes.length; i++) {
    const { type, key, handler, args, reply, requestId, trace } = envelopes[i];
    // Messages to one handler often follow each other.
    if (group === null || group.handler !== handler || group.type !== type) {
      let handlers = known.get(type);
      if (handlers === undefined) known.set(type, (handlers = new Map<string, Group>()));
      group = handlers.get(handler) ?? null;
      if (group === null) {
        groups.push((group = { index: groups.length, type, handler, keys: [], args: [] }));
        handlers.set(handler, group);
      }
    }
    order[i] = group.index;
    group.keys.push(key);
    group.args.push(args);
    if (reply === null && requestId === undefined && trace === undefined) continue;
    at.push(i);
    extras.push(extraOf(reply, requestId, trace));
  }
  const room = new Room();
  const columns = groups.map(({ type, handler, keys, args }): GroupData => {
    return [type, handler, toColumn(keys, room), toColumn(args, room)];
  });
  const body: Body = [
    columns,
    groups.length === 1 ? null : order,
    at.length === 0 ? null : [Uint16Array.from(at), toColumn(extras, room)],
  ];
  return encodeRows(padding === 0 ? body : [...body, new Uint8Array(padding)]);
}

/** What is not there is not written. */
function extraOf(reply: ReplyTo | null, requestId: string | undefined, trace: string | undefined): Extra {
  if (trace !== undefined) return requestId === undefined ? { reply, trace } : { reply, requestId, trace };
  return requestId === undefined ? { reply } : { reply, requestId };
}

/** @throws an error of any kind when these are not the bytes of so many messages */
export function unpackGrouped(body: Uint8Array, count: number): Envelope[] {
  const [groups, order, extras] = decodeRows(body) as Body;
  if (!Array.isArray(groups)) throw new RangeError('no groups');
  if (order !== null && (!(order instanceof Uint16Array) || order.length !== count)) throw new RangeError('no order');
  const sizes = new Array<number>(groups.length).fill(0);
  if (order === null) sizes[0] = count;
  else for (const index of order) sizes[index]++;
  if (sizes.length === 0 || sizes.includes(0) || sizes.some(Number.isNaN))
    throw new RangeError('groups and order differ');
  const room = new Room();
  const readers = groups.map((group, index) => groupReader(group, sizes[index], room));
  const envelopes: Mutable[] = [];
  for (let i = 0; i < count; i++) envelopes.push(readers[order === null ? 0 : order[i]]());
  if (extras !== null) addExtras(envelopes, extras, room);
  return envelopes;
}

type Mutable = { -readonly [F in keyof Envelope]: Envelope[F] };

/** Answers one message of the group after the other. */
function groupReader([type, handler, keys, args]: GroupData, count: number, room: Room): () => Mutable {
  const key = columnReader(keys, count, room);
  const list = columnReader(args, count, room);
  let next = 0;
  return () => {
    const i = next++;
    const envelope = new Message(type, key(i) as string, handler, list(i) as readonly unknown[], null, undefined);
    assertEnvelope(type, envelope.key, handler, envelope.args);
    return envelope;
  };
}

/** @throws RangeError where bytes that were read are no message */
export function assertEnvelope(type: unknown, key: unknown, handler: unknown, args: unknown): void {
  const texts = typeof type === 'string' && typeof key === 'string' && typeof handler === 'string';
  if (!texts || !Array.isArray(args)) throw new RangeError('no message');
}

function addExtras(envelopes: readonly Mutable[], [at, column]: readonly [Uint16Array, Column], room: Room): void {
  if (!(at instanceof Uint16Array) || at.length > envelopes.length) throw new RangeError('extras have no places');
  const extra = columnReader(column, at.length, room);
  for (let i = 0; i < at.length; i++) {
    const { reply, requestId, trace } = extra(i) as Extra;
    assertReply(reply);
    envelopes[at[i]].reply = reply;
    if (requestId !== undefined) envelopes[at[i]].requestId = requestId;
    if (typeof trace === 'string') envelopes[at[i]].trace = trace;
  }
}

/** @throws RangeError where bytes that were read name nobody who waits for an answer */
export function assertReply(reply: ReplyTo | null): void {
  if (reply === null) return;
  const good =
    'call' in reply
      ? [reply.call, reply.type, reply.key].every((text) => typeof text === 'string')
      : typeof reply.ask === 'number' && typeof reply.term === 'number';
  if (!good) throw new RangeError('nobody waits');
}
