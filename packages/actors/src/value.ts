import { ActorError } from './errors.ts';
import { isMoved } from './move.ts';
import { TYPED_ARRAYS } from './typed-arrays.ts';

/** A field of this name would be another thing in a decoded object. */
const PROTO = '__proto__';

/** Nesting that a value may have: what the codec can surely write without running out of stack. */
const DEPTH_MAX = 200;

/** Where in a value something stands. Rendered only when it is refused: a text for every field would cost more than the copy. */
type Place =
  | { readonly kind: 'root'; readonly path: string | (() => string) }
  | { readonly kind: 'field' | 'index' | 'value of key' | 'key' | 'item'; readonly of: Place; readonly name: unknown };

/**
 * Copies a value that crosses an actor's border, so that nothing in a mailbox shares memory with a state.
 * Plain data is copied; what the codec could not give back as it was is refused with the path to it. A copy has the own
 * enumerable fields of objects and the elements of arrays, and −0 is 0, as in JSON.
 *
 * @throws ActorError `DATA_NOT_SERIALISABLE`, naming the field: `order.items[3].price: function`
 */
export function copyValue<T>(value: T, path: string | (() => string)): T {
  if (typeof value === 'number') return (value + 0) as T;
  try {
    return copy(value, 0) as T;
  } catch (error) {
    return refuseCopy(error, value, path);
  }
}

/**
 * The same for the arguments of a message, in place: the list is the caller's own, what is in it is not.
 *
 * @param type whom the message is to; with `handler` for the path to what is refused
 */
export function copyArguments(args: unknown[], type: string, handler: string): void {
  let index = 0;
  try {
    for (; index < args.length; index++) args[index] = copy(args[index], 0);
  } catch (error) {
    refuseCopy(error, args[index], `${type}.${handler} argument ${index + 1}`);
  }
}

/** Where it is, is looked for only now: to know it all the way down would cost more than the copy. */
function refuseCopy(error: unknown, value: unknown, path: string | (() => string)): never {
  if (error !== REFUSED) throw error;
  assertPlain(value, path);
  return refuse({ kind: 'root', path }, 'a field named by a symbol somewhere in it');
}

/** Thrown where a value cannot be copied. */
const REFUSED = new TypeError('a value is no plain data');

/** What this thread has copied so far, in about the least bytes that it can be encoded to: the difference over a copy is its size. */
let copied = 0;

export function copiedBytes(): number {
  return copied;
}

// oxlint-disable-next-line unbound-method -- it is called on what it looks at
const hasOwn = Object.prototype.hasOwnProperty;

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'object') return value === null ? null : copyThing(value, depth);
  if (typeof value === 'number') return value + 0;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw REFUSED;
    copied += value.length;
  } else if (typeof value === 'function' || typeof value === 'symbol') throw REFUSED;
  return value;
}

function copyThing(value: object, depth: number): object {
  if (depth > DEPTH_MAX) throw REFUSED;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyObject(value, depth);
  if (Array.isArray(value) && prototype === Array.prototype) return copyArray(value, depth);
  return copyBuiltIn(value, prototype, depth);
}

function copyArray(value: readonly unknown[], depth: number): unknown[] {
  const result = new Array<unknown>(value.length);
  copied += value.length;
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (item === undefined && !Object.hasOwn(value, i)) throw REFUSED;
    result[i] = copy(item, depth + 1);
  }
  return result;
}

/** By a spread, which makes an object of the same shape at once: three times as fast as field by field. */
function copyObject(value: object, depth: number): object {
  const result: Record<string, unknown> = { ...value };
  let shape = shapes;
  let bytes = 0;
  for (const name in result) {
    // For nothing where the compiler sees it: only if somebody has given all objects a field is there one that is not its own.
    if (!hasOwn.call(result, name)) continue;
    shape = shape.name === name ? shape.next! : shapeWith(shape, name, result);
    bytes += name.length + 1;
    const field = result[name];
    if (typeof field === 'number') {
      if (Object.is(field, -0)) result[name] = 0;
    } else if (typeof field === 'object' && field !== null) result[name] = copyThing(field, depth + 1);
    else copy(field, depth);
  }
  copied += bytes;
  return result;
}

/**
 * Names of the fields of objects that were copied, in their order, as a tree: below each those that have followed it. Names
 * and symbols are looked at when an order of names is new; messages of several shapes that take turns are as fast as those of one.
 */
class Shape {
  readonly depth: number;
  /** The name that came next the last time, and where it led to. */
  name: string | null = null;
  next: Shape | null = null;
  /** All that have come next, where there were several. */
  others: Map<string, Shape> | null = null;

  constructor(depth: number) {
    this.depth = depth;
  }
}

/** Fields of an object whose names are remembered: the others are looked at each time. */
const SHAPE_DEPTH_MAX = 64;
/** Places of the tree, after which it is begun anew: objects may have ids as names. */
const SHAPES_MAX = 4_096;
let shapes = new Shape(0);
let shapesLeft = SHAPES_MAX;

/** A name that is not the one that came next the last time. */
function shapeWith(at: Shape, name: string, of: object): Shape {
  let next = at.others?.get(name);
  if (next === undefined) {
    if (name === PROTO || !name.isWellFormed() || Object.getOwnPropertySymbols(of).length > 0) throw REFUSED;
    if (at.depth >= SHAPE_DEPTH_MAX) return at;
    next = newShape(at, name);
  }
  at.name = name;
  at.next = next;
  return next;
}

function newShape(at: Shape, name: string): Shape {
  const next = new Shape(at.depth + 1);
  if (at.name !== null && at.next !== null) {
    at.others ??= new Map([[at.name, at.next]]);
    at.others.set(name, next);
  }
  if (--shapesLeft === 0) {
    shapes = new Shape(0);
    shapesLeft = SHAPES_MAX;
  }
  return next;
}

function copyBuiltIn(value: object, prototype: unknown, depth: number): object {
  if (value instanceof Date && prototype === Date.prototype) return new Date(value.getTime());
  if (value instanceof Map && prototype === Map.prototype) {
    const result = new Map<unknown, unknown>();
    copied += value.size * 2;
    for (const [key, field] of value) result.set(copy(key, depth + 1), copy(field, depth + 1));
    return result;
  }
  if (value instanceof Set && prototype === Set.prototype) {
    const result = new Set<unknown>();
    copied += value.size;
    for (const item of value) result.add(copy(item, depth + 1));
    return result;
  }
  if (value instanceof ArrayBuffer) {
    if (isMoved(value)) return value;
    copied += value.byteLength;
    return value.slice(0);
  }
  if (ArrayBuffer.isView(value) && VIEWS.has(prototype)) {
    if (isMoved(value)) return value;
    copied += value.byteLength;
    return copyView(value);
  }
  throw REFUSED;
}

/** The bytes that the view shows, not the whole buffer under it, and never memory that is shared between threads. */
function copyView(view: ArrayBufferView): ArrayBufferView {
  // No Buffer comes here, whose `slice` would copy nothing.
  if (!(view instanceof DataView)) return (view as Uint8Array).slice(0);
  return new DataView(new Uint8Array(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)).buffer);
}

/**
 * Checks that a state is what the codec can give back as it was, without copying it.
 *
 * @throws ActorError `DATA_NOT_SERIALISABLE`
 */
export function assertPlain(value: unknown, path: string | (() => string)): void {
  check(value, { kind: 'root', path }, 0);
}

function check(value: unknown, at: Place, depth: number): void {
  if (typeof value !== 'object' || value === null) {
    assertLeaf(value, at);
    return;
  }
  if (depth > DEPTH_MAX) refuse(at, TOO_DEEP);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    for (const name of Object.keys(value)) {
      const field = (value as Readonly<Record<string, unknown>>)[name];
      assertName(name, at);
      if (typeof field === 'number' || (typeof field === 'string' && field.isWellFormed())) continue;
      check(field, { kind: 'field', of: at, name }, depth + 1);
    }
  } else if (Array.isArray(value) && prototype === Array.prototype) checkArray(value, at, depth);
  else checkBuiltIn(value, prototype, at, depth);
}

function checkArray(value: readonly unknown[], of: Place, depth: number): void {
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (typeof item === 'number') continue;
    if (item === undefined) assertNoHole(value, i, of);
    else check(item, { kind: 'index', of, name: i }, depth + 1);
  }
}

function checkBuiltIn(value: object, prototype: unknown, of: Place, depth: number): void {
  if (value instanceof Map && prototype === Map.prototype) {
    for (const [key, field] of value) {
      check(key, { kind: 'key', of, name: key }, depth + 1);
      check(field, { kind: 'value of key', of, name: key }, depth + 1);
    }
  } else if (value instanceof Set && prototype === Set.prototype) {
    for (const item of value) check(item, { kind: 'item', of, name: item }, depth + 1);
  } else if (!(PLAIN.has(prototype) || (ArrayBuffer.isView(value) && VIEWS.has(prototype)))) {
    refuse(of, describe(value, prototype));
  }
}

/** Checks the key of an actor or of a table. Half of a surrogate pair would become another key on the way. */
export function assertKey(key: unknown, path: () => string): void {
  const fit = typeof key === 'string' ? key.isWellFormed() : typeof key === 'number';
  if (!fit) refuse({ kind: 'root', path }, typeof key === 'string' ? HALF_PAIR : `a key that is ${describeLeaf(key)}`);
}

// ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────

/** Classes by their prototype, so that a subclass, whose instances would come back as something else, is none of them. */
const VIEWS: ReadonlySet<unknown> = new Set([...TYPED_ARRAYS, DataView].map(({ prototype }) => prototype));
const PLAIN: ReadonlySet<unknown> = new Set([Date.prototype, ArrayBuffer.prototype]);

const TOO_DEEP = `nested deeper than ${DEPTH_MAX}, or a cycle`;
const HALF_PAIR = 'a string with half of a surrogate pair';

function assertLeaf(value: unknown, at: Place): void {
  if (typeof value === 'string' && !value.isWellFormed()) refuse(at, HALF_PAIR);
  if (typeof value === 'function' || typeof value === 'symbol') refuse(at, typeof value);
}

function assertName(name: string, of: Place): void {
  if (name === PROTO) refuse({ kind: 'field', of, name }, 'a key of this name');
  if (!name.isWellFormed()) refuse({ kind: 'field', of, name }, `a key that is ${HALF_PAIR}`);
}

function assertNoHole(array: readonly unknown[], index: number, of: Place): void {
  if (!Object.hasOwn(array, index)) refuse({ kind: 'index', of, name: index }, 'a hole in the array');
}

function describe(value: object, prototype: unknown): string {
  if (prototype === null) return 'an object without a prototype';
  if (Buffer.isBuffer(value)) return 'a Buffer, which would arrive as a Uint8Array: make it one';
  const { name } = (prototype as { readonly constructor?: { readonly name?: unknown } }).constructor ?? {};
  return typeof name === 'string' && name !== '' ? `instance of ${name}` : 'instance of an unnamed class';
}

function describeLeaf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function refuse(at: Place, found: string): never {
  throw new ActorError(
    'DATA_NOT_SERIALISABLE',
    `${render(at)}: ${found}. Only plain data crosses an actor's border or stays in a state: objects, arrays, Map, Set, Date, strings, numbers, bigint, booleans, null, typed arrays.`,
  );
}

function render(at: Place): string {
  switch (at.kind) {
    case 'root':
      return typeof at.path === 'string' ? at.path : at.path();
    case 'field':
      return `${render(at.of)}.${String(at.name)}`;
    case 'index':
      return `${render(at.of)}[${String(at.name)}]`;
    case 'value of key':
      return `${render(at.of)}.get(${show(at.name)})`;
    case 'key':
      return `${render(at.of)}.key(${show(at.name)})`;
    case 'item':
      return `${render(at.of)}.item(${show(at.name)})`;
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
