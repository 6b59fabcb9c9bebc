import { type Store, StoreError, type StoreErrorKind } from '@tidemark/stores';

type Method = 'put' | 'putIfAbsent' | 'replace' | 'get' | 'list' | 'delete';
/** What the store does with one call: carry it out or not, answer or not. */
export type Doing = (carryOut: () => Promise<unknown>) => Promise<unknown>;

/** A store that does with its next calls what a test says, and then what the store inside does. */
export class ScriptedStore implements Store {
  /** Calls that were made, `method name`, oldest first. */
  readonly calls: string[] = [];
  readonly #inner: Store;
  readonly #next = new Map<Method, Doing[]>();
  readonly #always = new Map<Method, Doing>();

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** The next calls of `method`, one each. */
  next(method: Method, ...doings: readonly Doing[]): void {
    this.#next.set(method, [...(this.#next.get(method) ?? []), ...doings]);
  }

  /** All calls of `method` that `next` says nothing of. */
  always(method: Method, doing: Doing = carriedOut): void {
    this.#always.set(method, doing);
  }

  /** How often `method` was called. */
  count(method: Method): number {
    return this.calls.filter((call) => call.startsWith(`${method} `)).length;
  }

  get url(): string {
    return this.#inner.url;
  }

  get supports(): Store['supports'] {
    return this.#inner.supports;
  }

  put: Store['put'] = (name, ...rest) => this.#do('put', name, () => this.#inner.put(name, ...rest));
  putIfAbsent: Store['putIfAbsent'] = (name, ...rest) =>
    this.#do('putIfAbsent', name, () => this.#inner.putIfAbsent(name, ...rest));
  replace: Store['replace'] = (name, ...rest) => this.#do('replace', name, () => this.#inner.replace(name, ...rest));
  get: Store['get'] = (name, ...rest) => this.#do('get', name, () => this.#inner.get(name, ...rest));
  list: Store['list'] = (name, ...rest) => this.#do('list', name, () => this.#inner.list(name, ...rest));
  delete: Store['delete'] = (name, ...rest) => this.#do('delete', name, () => this.#inner.delete(name, ...rest));
  close: Store['close'] = () => this.#inner.close();

  #do<T>(method: Method, name: string, carryOut: () => Promise<T>): Promise<T> {
    this.calls.push(`${method} ${name}`);
    const doing = this.#next.get(method)?.shift() ?? this.#always.get(method) ?? carriedOut;
    return doing(carryOut) as Promise<T>;
  }
}

export const carriedOut: Doing = (carryOut) => carryOut();

/** Carried out, but nobody hears of it. */
export const replyLost: Doing = async (carryOut) => {
  await carryOut();
  throw storeError('lost');
};

/** An answer: no. Nothing was done. */
export function refused(kind: StoreErrorKind): Doing {
  return () => Promise.reject(storeError(kind));
}

/** Not carried out, and nobody hears of that either. */
export const requestLost: Doing = refused('lost');

/** Carried out when the test says so; what is carried out, and the call's answer, come then. */
export class Late {
  #carryOut: () => Promise<unknown> = () => Promise.reject(new Error('not called yet'));
  #answer: { resolve(value: unknown): void; reject(error: unknown): void } | null = null;

  readonly doing: Doing = (carryOut) => {
    this.#carryOut = carryOut;
    return new Promise((resolve, reject) => (this.#answer = { resolve, reject }));
  };

  get called(): boolean {
    return this.#answer !== null;
  }

  async happen(): Promise<void> {
    this.#answer?.resolve(await this.#carryOut());
  }

  /** Answers without being carried out. */
  answer(value: unknown): void {
    this.#answer?.resolve(value);
  }

  fail(error: unknown): void {
    this.#answer?.reject(error);
  }
}

const CODES: Readonly<Record<StoreErrorKind, StoreError['code']>> = {
  retry: 'STORE_BUSY',
  absent: 'STORE_ABSENT',
  lost: 'STORE_OUTCOME_UNKNOWN',
  denied: 'STORE_DENIED',
  corrupt: 'STORE_IO',
  fatal: 'STORE_IO',
};

export function storeError(kind: StoreErrorKind): StoreError {
  return new StoreError(kind, CODES[kind], `as told: ${kind}`);
}
