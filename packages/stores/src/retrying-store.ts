import type { Repeater } from './repeater.ts';
import type { CallOptions, GetOptions, ListOptions, Store, StoreSupport, StoreTraffic } from './store.ts';

/**
 * A store that makes a call again when it failed before anything was done (kind `retry`), as the `Repeater` says. It adds no
 * other meaning: every other error, and the last one, comes through as it is.
 *
 * A streamed body can be read once only, so a `put` of one is made once.
 *
 * @example
 * const store = new RetryingStore(bare, new Repeater(systemClock));
 */
export class RetryingStore implements Store {
  readonly storedAt?: (name: string, options?: CallOptions) => Promise<number>;
  readonly traffic?: () => StoreTraffic;
  readonly #store: Store;
  readonly #repeater: Repeater;

  constructor(store: Store, repeater: Repeater) {
    this.#store = store;
    this.#repeater = repeater;
    const storedAt = store.storedAt?.bind(store);
    if (storedAt !== undefined) {
      this.storedAt = async (name, options = {}) => repeater.run(options, (left) => storedAt(name, left));
    }
    if (store.traffic !== undefined) this.traffic = store.traffic.bind(store);
  }

  get url(): string {
    return this.#store.url;
  }

  get supports(): StoreSupport {
    return this.#store.supports;
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    if (!(body instanceof Uint8Array)) return this.#store.put(name, body, options);
    return this.#repeater.run(options, (left) => this.#store.put(name, body, left), patience(body));
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    return this.#repeater.run(options, (left) => this.#store.putIfAbsent(name, bytes, left), patience(bytes));
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    return this.#repeater.run(options, (left) => this.#store.replace(name, bytes, left), patience(bytes));
  }

  async get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#repeater.run(options, (left) => this.#store.get(name, { ...options, ...left }));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    return this.#repeater.run(options, (left) => this.#store.list(prefix, { ...options, ...left }));
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    return this.#repeater.run(options, (left) => this.#store.delete(name, left));
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

/** Bytes above which one attempt may take longer than all attempts of a small call. */
const SMALL_BYTES_MAX = 64 * 1024;

function patience({ byteLength }: Uint8Array): { readonly withinMs?: number } {
  return byteLength > SMALL_BYTES_MAX ? { withinMs: Number.POSITIVE_INFINITY } : {};
}
