import { ActorError } from './errors.ts';

/** Nesting that a value may have: what the codec can surely write without running out of stack. */
const DEPTH_MAX = 200;

/**
 * Copies a value that crosses an actor's border, so that nothing in a mailbox shares memory with a state.
 * Plain data is copied; what the codec could not give back is refused with the path to it.
 *
 * @throws ActorError `DATA_NOT_SERIALISABLE`, naming the field: `order.items[3].price: function`
 */
export function copyValue<T>(value: T, path: string): T {
  return copy(value, path, 0) as T;
}

/** Bytes of strings and buffers that this thread has copied so far: the difference over a copy is about its size. */
let copied = 0;

export function copiedBytes(): number {
  return copied;
}

function copy(value: unknown, path: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string') copied += value.length;
    else if (typeof value === 'function' || typeof value === 'symbol') refuse(path, typeof value);
    return value;
  }
  if (depth > DEPTH_MAX) refuse(path, `nested deeper than ${DEPTH_MAX}, or a cycle`);
  if (Array.isArray(value)) {
    const result = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) result[i] = copy(value[i], `${path}[${i}]`, depth + 1);
    return result;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyObject(value, path, depth);
  return copyBuiltIn(value, path, depth);
}

function copyObject(value: object, path: string, depth: number): object {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (name === '__proto__') refuse(`${path}.__proto__`, 'a key of this name');
    result[name] = typeof field === 'number' ? field : copy(field, `${path}.${name}`, depth + 1);
  }
  return result;
}

function copyBuiltIn(value: object, path: string, depth: number): object {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof Map) {
    const result = new Map<unknown, unknown>();
    for (const [key, field] of value) {
      result.set(copy(key, `${path}.key`, depth + 1), copy(field, `${path}.get(${String(key)})`, depth + 1));
    }
    return result;
  }
  if (value instanceof Set) {
    const result = new Set<unknown>();
    for (const field of value) result.add(copy(field, `${path}.item`, depth + 1));
    return result;
  }
  if (value instanceof ArrayBuffer) {
    copied += value.byteLength;
    return value.slice(0);
  }
  if (ArrayBuffer.isView(value)) {
    copied += value.byteLength;
    return structuredClone(value);
  }
  return refuse(path, `instance of ${value.constructor?.name ?? 'an unnamed class'}`);
}

/**
 * Checks that a state is what the codec can give back unchanged, without copying it.
 *
 * @throws ActorError `DATA_NOT_SERIALISABLE`
 */
export function assertPlain(value: unknown, path: string, depth = 0): void {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') refuse(path, typeof value);
    return;
  }
  if (depth > DEPTH_MAX) refuse(path, `nested deeper than ${DEPTH_MAX}, or a cycle`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) assertPlain(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    for (const [name, field] of Object.entries(value)) {
      if (typeof field === 'number' || typeof field === 'string') continue;
      if (name === '__proto__') refuse(`${path}.__proto__`, 'a key of this name');
      assertPlain(field, `${path}.${name}`, depth + 1);
    }
    return;
  }
  if (value instanceof Map) {
    for (const [key, field] of value) {
      assertPlain(key, `${path}.key`, depth + 1);
      assertPlain(field, `${path}.get(${String(key)})`, depth + 1);
    }
  } else if (value instanceof Set) {
    for (const field of value) assertPlain(field, `${path}.item`, depth + 1);
  } else if (!(value instanceof Date || value instanceof ArrayBuffer || ArrayBuffer.isView(value))) {
    refuse(path, `instance of ${value.constructor?.name ?? 'an unnamed class'}`);
  }
}

function refuse(path: string, found: string): never {
  throw new ActorError(
    'DATA_NOT_SERIALISABLE',
    `${path}: ${found}. Only plain data crosses an actor's border or stays in a state: objects, arrays, Map, Set, Date, strings, numbers, bigint, booleans, null, typed arrays.`,
  );
}
