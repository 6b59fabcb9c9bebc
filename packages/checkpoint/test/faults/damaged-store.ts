import { type GetOptions, type ListOptions, MemoryStore, type Store, StoreError } from '@tidemark/stores';

/** Objects by their names, as they lie in a store. */
export type Objects = ReadonlyMap<string, Uint8Array>;

/** Other bytes for some objects; null takes one away. */
export type Damage = ReadonlyMap<string, Uint8Array | null>;

export async function objectsOf(store: Store): Promise<Objects> {
  const objects = new Map<string, Uint8Array>();
  for (const name of await store.list('')) objects.set(name, await store.get(name));
  return objects;
}

/** A store of these objects with some damage, for reading. Nothing is copied, so that thousands are made in no time. */
export class DamagedStore implements Store {
  readonly #inner = new MemoryStore('damaged');
  readonly url = this.#inner.url;
  readonly supports = this.#inner.supports;
  readonly #objects: Objects;
  readonly #damage: Damage;

  constructor(objects: Objects, damage: Damage) {
    this.#objects = objects;
    this.#damage = damage;
  }

  async get(name: string, { offset = 0, length = Number.MAX_SAFE_INTEGER }: GetOptions = {}): Promise<Uint8Array> {
    const bytes = this.#damage.has(name) ? this.#damage.get(name) : this.#objects.get(name);
    if (bytes === undefined || bytes === null) throw new StoreError('absent', 'STORE_ABSENT', `${name} is not there`);
    return bytes.slice(offset, Math.min(bytes.length, offset + length));
  }

  async list(prefix: string, { after = '' }: ListOptions = {}): Promise<readonly string[]> {
    const names = new Set([...this.#objects.keys(), ...this.#damage.keys()]);
    for (const [name, bytes] of this.#damage) if (bytes === null) names.delete(name);
    return [...names].filter((name) => name.startsWith(prefix) && name > after).sort();
  }

  put: Store['put'] = () => Promise.reject(new Error('read only'));
  putIfAbsent: Store['putIfAbsent'] = () => Promise.reject(new Error('read only'));
  replace: Store['replace'] = () => Promise.reject(new Error('read only'));
  delete: Store['delete'] = () => Promise.reject(new Error('read only'));
  close: Store['close'] = async () => undefined;
}
