import { ActorError } from './errors.ts';

/** What can be moved; a view takes the whole buffer under it along. */
export type Movable = ArrayBuffer | ArrayBufferView;

/** A Buffer arrives as what it is beneath. No view has this method but a Buffer. */
export type Moved<T> = T extends { readonly swap16: unknown } ? Uint8Array : T;

/** One for each thread, even if this package is loaded twice. */
const KEY = Symbol.for('tidemark.moved');
const root = globalThis as { [KEY]?: WeakSet<object> };
/** Marked, and not yet sent. */
const marked = (root[KEY] ??= new WeakSet());

/** What the copy that is made now has found marked; null where it copies that too. */
let taken: Set<ArrayBuffer> | null = null;

/**
 * Gives a buffer away instead of copying it: in an argument of an ask of the app to a service, and in what a service returns to
 * the app. After the call the sender's buffer is detached: its `byteLength` is 0. A view takes its whole buffer along. The mark holds for
 * the next call that the value is an argument of, or the answer that it is a part of; one that is refused leaves the buffer whole, without
 * its mark. Anywhere else, in a message or a question of an actor
 * above all, it is copied as if it were not marked: checkpoints hold such data, and a turn that throws must leave it whole.
 *
 * @returns the value itself; of a Buffer the Uint8Array over its memory
 * @throws ActorError `BUFFER_NOT_MOVABLE` for memory that is shared: a SharedArrayBuffer, a Buffer out of Node's pool; and for what
 *   was moved before
 * @example
 * const small = await system.ask(Images).shrink(move(await readFile('large.png')));
 */
export function move<T extends Movable>(value: T): Moved<T> {
  const found = whyNot(value);
  if (found !== null) throw notMovable(found);
  const bytes = Buffer.isBuffer(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value;
  marked.add(bytes);
  return bytes as Moved<T>;
}

/** Whether a copy leaves it as it is, because it is moved. The mark is spent either way. */
export function isMoved(value: Movable): boolean {
  if (!marked.delete(value) || taken === null) return false;
  taken.add(bufferOf(value) as ArrayBuffer);
  return true;
}

/** What it was marked for was refused: nothing in it is marked any more, and a later call without `move` copies it. */
export function unmark(value: unknown): void {
  const seen = new Set<unknown>();
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof ArrayBuffer || ArrayBuffer.isView(next)) marked.delete(next);
    else for (const part of partsOf(next)) left.push(part);
  }
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set || value instanceof Map) return value as Iterable<unknown>;
  return Object.getPrototypeOf(value) === Object.prototype ? Object.values(value) : [];
}

/** Whether the copy that is made now has left something as it is. */
export function movesSome(): boolean {
  return taken !== null && taken.size > 0;
}

/**
 * Makes a copy in which what is marked is moved.
 *
 * @returns the copy, and the buffers in it that are to be transferred when it is posted
 * @throws ActorError `BUFFER_NOT_MOVABLE` for memory that cannot be detached, and what `copy` throws; nothing is sent then. Node 20 finds
 *   such memory only after it has detached the others
 */
export function withMoves<T>(copy: () => T): { readonly value: T; readonly moved: readonly ArrayBuffer[] } {
  const found = new Set<ArrayBuffer>();
  taken = found;
  let value: T;
  try {
    value = copy();
  } finally {
    taken = null;
  }
  if (found.size === 0) return { value, moved: NONE };
  const transfer = [...found];
  let result;
  try {
    result = structuredClone({ value, moved: transfer }, { transfer });
  } catch (cause) {
    throw notMovable(KEPT, cause);
  }
  // Node 20 copies what it cannot detach, and says nothing.
  if (transfer.some((buffer) => buffer.byteLength > 0)) throw notMovable(KEPT);
  return result;
}

const KEPT = 'memory that its owner keeps, as that of WebAssembly';
const NONE: readonly ArrayBuffer[] = [];

function bufferOf(value: Movable): ArrayBufferLike {
  return ArrayBuffer.isView(value) ? value.buffer : value;
}

/** In words; null where it can be moved. */
function whyNot(value: unknown): string | null {
  if (value instanceof SharedArrayBuffer) return 'a SharedArrayBuffer, which all threads see as it is';
  if (!(value instanceof ArrayBuffer || ArrayBuffer.isView(value))) return `${typeof value}, which is no buffer`;
  const buffer = bufferOf(value);
  if (buffer instanceof SharedArrayBuffer) return 'a view of a SharedArrayBuffer, which all threads see as it is';
  if (Buffer.isBuffer(value) && value.byteLength < buffer.byteLength) {
    return `a Buffer of ${value.byteLength} bytes in memory of ${buffer.byteLength} that others may use, as Node's pool is`;
  }
  return isDetached(buffer) ? 'a buffer that was moved before and is empty now' : null;
}

/** Node 20 has no other way to tell it from one of no bytes. */
function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    buffer.slice(0);
    return false;
  } catch {
    return true;
  }
}

function notMovable(found: string, cause?: unknown): ActorError {
  return new ActorError(
    'BUFFER_NOT_MOVABLE',
    `move() was given ${found}; expected an ArrayBuffer, or a view of one that nobody else uses. Make a copy of its own and move that: move(new Uint8Array(bytes)); or send it without move()`,
    { cause },
  );
}
