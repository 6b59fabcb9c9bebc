/** Methods that change what cannot be frozen by its fields, by the prototype that has them. */
const CHANGING = new Map<unknown, readonly string[]>([
  [Map.prototype, ['set', 'delete', 'clear']],
  [Set.prototype, ['add', 'delete', 'clear']],
  [Date.prototype, Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'))],
]);

/**
 * Makes plain data read-only, all of it: whoever changes it gets a TypeError. Bytes under typed arrays stay as they are, since
 * the language cannot freeze them, and so does whatever is no plain data.
 */
export function deepFreeze<T>(value: T): T {
  freeze(value);
  return value;
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isData = prototype === Object.prototype || prototype === Array.prototype;
  const changing = CHANGING.get(prototype);
  if (!isData && changing === undefined) return;
  for (const name of changing ?? []) {
    Object.defineProperty(value, name, { value: refuse.bind(null, name), enumerable: false });
  }
  // First, so that a cycle ends.
  Object.freeze(value);
  if (value instanceof Map) for (const entry of value) entry.forEach(freeze);
  else if (value instanceof Set) value.forEach(freeze);
  else for (const field of Object.values(value)) freeze(field);
}

function refuse(method: string): never {
  throw new TypeError(`cannot ${method}: this does not belong to the turn that changes it, it is read-only`);
}
