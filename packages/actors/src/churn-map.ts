/** Entries after which the map is made anew. */
const ENTRIES_OF_ONE = 1_024;

/**
 * A Map for what comes and goes all the time. The tables of a `Map` that V8 gives up name the ones that come after them: where one of
 * them has become an old object, all later ones are kept with what is in them until old objects are collected. Here the chain ends
 * after a thousand entries.
 */
export class ChurnMap<K, V> {
  #entries = new Map<K, V>();
  /** Entries that were put in since it was made. */
  #put = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    // Copied when that is a small part of the work.
    if (++this.#put > ENTRIES_OF_ONE && this.#put > this.#entries.size * 4) {
      this.#entries = new Map(this.#entries);
      this.#put = 0;
    }
    this.#entries.set(key, value);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** In the order in which they were put in. Nothing may be put in meanwhile. */
  values(): IterableIterator<V> {
    return this.#entries.values();
  }
}
