import { type CallOptions, type GetOptions, MemoryStore, type Store, StoreError } from '@tidemark/stores';

/** What becomes of one call. */
export type Fault =
  /** Carried out, and the reply is lost. */
  | 'stored-but-lost'
  /** Not carried out, and the reply is lost. */
  | 'lost'
  /** The reply is lost, and the store carries it out when the test says so. */
  | 'late'
  /** Surely nothing was done. */
  | 'retry'
  | 'denied'
  | 'fatal'
  /** An error that no store should throw. */
  | 'unforeseen';

type Call = 'put' | 'putIfAbsent' | 'get' | 'list';

/** A store in memory whose next calls fail as a test says. */
export class FragileStore implements Store {
  readonly inner = new MemoryStore('fragile');
  readonly url = this.inner.url;
  readonly supports = this.inner.supports;
  /** Calls made, in order. */
  readonly calls: string[] = [];
  readonly #faults: { readonly call: Call; readonly fault: Fault; left: number }[] = [];
  readonly #late: (() => Promise<unknown>)[] = [];

  /** The next `times` calls of this kind fail like this. */
  fail(call: Call, fault: Fault, times = 1): this {
    this.#faults.push({ call, fault, left: times });
    return this;
  }

  /** From now on no call fails. */
  heal(): void {
    this.#faults.length = 0;
  }

  /** Carries out what was late. */
  async land(): Promise<void> {
    for (const late of this.#late.splice(0)) await late();
  }

  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: CallOptions): Promise<void> {
    return this.#call('put', name, () => this.inner.put(name, body, options));
  }

  putIfAbsent(name: string, bytes: Uint8Array): Promise<'stored' | 'taken'> {
    return this.#call('putIfAbsent', name, () => this.inner.putIfAbsent(name, bytes));
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.inner.replace(name, bytes);
  }

  get(name: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#call('get', name, () => this.inner.get(name, options));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#call('list', prefix, () => this.inner.list(prefix));
  }

  delete(name: string): Promise<void> {
    return this.inner.delete(name);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  async #call<T>(call: Call, name: string, run: () => Promise<T>): Promise<T> {
    this.calls.push(`${call} ${name}`);
    const found = this.#faults.find((each) => each.call === call && each.left > 0);
    if (found === undefined) return run();
    found.left--;
    const { fault } = found;
    if (fault === 'stored-but-lost') await run();
    if (fault === 'late') this.#late.push(run);
    if (fault === 'unforeseen') throw new TypeError('unforeseen');
    const kind = fault === 'stored-but-lost' || fault === 'late' ? 'lost' : fault;
    throw new StoreError(kind, kind === 'lost' ? 'STORE_OUTCOME_UNKNOWN' : 'STORE_IO', `${call} ${name}: ${fault}`);
  }
}
