import type { Store } from '@tidemark/stores';

/** A store each of whose calls waits until it is let through: who does what in which order is the test's to say. */
export class PacedStore implements Store {
  readonly #inner: Store;
  readonly #pace: (call: string) => Promise<void>;

  constructor(inner: Store, pace: (call: string) => Promise<void>) {
    this.#inner = inner;
    this.#pace = pace;
  }

  get url(): string {
    return this.#inner.url;
  }

  get supports(): Store['supports'] {
    return this.#inner.supports;
  }

  put: Store['put'] = (...args) => this.#paced('put', args[0], () => this.#inner.put(...args));
  putIfAbsent: Store['putIfAbsent'] = (...args) => this.#paced('put', args[0], () => this.#inner.putIfAbsent(...args));
  replace: Store['replace'] = (...args) => this.#paced('replace', args[0], () => this.#inner.replace(...args));
  get: Store['get'] = (...args) => this.#paced('get', args[0], () => this.#inner.get(...args));
  list: Store['list'] = (...args) => this.#paced('list', args[0], () => this.#inner.list(...args));
  delete: Store['delete'] = (...args) => this.#paced('delete', args[0], () => this.#inner.delete(...args));
  close: Store['close'] = () => this.#inner.close();

  async #paced<T>(call: string, name: string, run: () => Promise<T>): Promise<T> {
    await this.#pace(`${call} ${name}`);
    return run();
  }
}
