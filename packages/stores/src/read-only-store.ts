import { StoreError } from './errors.ts';
import type { CallOptions, GetOptions, ListOptions, Store, StoreSupport, StoreTraffic } from './store.ts';

/** A store through which nothing can be changed: for commands that look. Every call that would write is refused. */
export class ReadOnlyStore implements Store {
  readonly storedAt?: (name: string, options?: CallOptions) => Promise<number>;
  readonly traffic?: () => StoreTraffic;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    if (store.storedAt !== undefined) this.storedAt = store.storedAt.bind(store);
    if (store.traffic !== undefined) this.traffic = store.traffic.bind(store);
  }

  get url(): string {
    return this.#store.url;
  }

  get supports(): StoreSupport {
    return this.#store.supports;
  }

  get(name: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#store.get(name, options);
  }

  list(prefix: string, options?: ListOptions): Promise<readonly string[]> {
    return this.#store.list(prefix, options);
  }

  put(name: string): Promise<never> {
    return this.#refuse(name);
  }

  putIfAbsent(name: string): Promise<never> {
    return this.#refuse(name);
  }

  replace(name: string): Promise<never> {
    return this.#refuse(name);
  }

  delete(name: string): Promise<never> {
    return this.#refuse(name);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #refuse(name: string): Promise<never> {
    throw new StoreError(
      'denied',
      'STORE_READ_ONLY',
      `${name} in ${this.url} is not changed: the store was opened for reading. Open it with openStore to write.`,
    );
  }
}
