/** Puts something else in place of a method or getter until the returned function is called. */
export function patch<T extends object, K extends keyof T>(
  target: T,
  key: K,
  make: (original: T[K]) => T[K],
): () => void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  if (before === undefined) throw new Error(`there is no ${String(key)} to patch: has production code changed?`);
  Object.defineProperty(target, key, { ...before, value: make(before.value as T[K]) });
  return () => void Object.defineProperty(target, key, before);
}

export function patchGetter<T extends object, K extends keyof T>(target: T, key: K, get: () => T[K]): () => void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  if (before?.get === undefined)
    throw new Error(`there is no getter ${String(key)} to patch: has production code changed?`);
  Object.defineProperty(target, key, { ...before, get });
  return () => void Object.defineProperty(target, key, before);
}
