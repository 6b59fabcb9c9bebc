import type { Clock } from './clock.ts';
import { StoreError } from './errors.ts';
import type { CallOptions, GetOptions, ListOptions, Store, StoreSupport } from './store.ts';
import { Watch } from './watch.ts';

/** Milliseconds that a call may take when its caller names none: a disk that needs more is not slow, it hangs. */
const CALL_MS = 60_000;

/**
 * A store whose calls end in time, also where what is below never answers: a disk that hangs, a mount whose server is gone. The
 * call below goes on, and nobody waits for it any more.
 *
 * A streamed body may take as long as its maker does; it ends when the store has taken nothing of what there was for the time of
 * a call.
 */
export class TimedStore implements Store {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly storedAt?: (name: string, options?: CallOptions) => Promise<number>;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    const storedAt = store.storedAt?.bind(store);
    if (storedAt !== undefined) {
      this.storedAt = (name, options = {}) => this.#asks(name, options, (timed) => storedAt(name, timed));
    }
  }

  get url(): string {
    return this.#store.url;
  }

  get supports(): StoreSupport {
    return this.#store.supports;
  }

  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    if (body instanceof Uint8Array) return this.#changes(name, options, (timed) => this.#store.put(name, body, timed));
    return this.#putStreamed(name, body, options);
  }

  putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    return this.#changes(name, options, (timed) => this.#store.putIfAbsent(name, bytes, timed));
  }

  replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    return this.#changes(name, options, (timed) => this.#store.replace(name, bytes, timed));
  }

  get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#asks(name, options, (timed) => this.#store.get(name, { ...options, ...timed }));
  }

  list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    return this.#asks(prefix, options, (timed) => this.#store.list(prefix, { ...options, ...timed }));
  }

  delete(name: string, options: CallOptions = {}): Promise<void> {
    return this.#changes(name, options, (timed) => this.#store.delete(name, timed));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #asks<T>(name: string, options: CallOptions, work: (timed: CallOptions) => Promise<T>): Promise<T> {
    return this.#timed(options, work, (ms) => timeout(name, this.url, ms));
  }

  #changes<T>(name: string, options: CallOptions, work: (timed: CallOptions) => Promise<T>): Promise<T> {
    return this.#timed(options, work, (ms) => outcomeUnknown(name, this.url, ms));
  }

  async #timed<T>(
    { signal, deadlineMs = CALL_MS }: CallOptions,
    work: (timed: CallOptions) => Promise<T>,
    late: (ms: number) => StoreError,
  ): Promise<T> {
    const watch = new Watch(this.#clock, { wholeMs: deadlineMs });
    try {
      return await watch.race(work(signal === undefined ? {} : { signal }));
    } catch (error) {
      throw watch.ended === 'deadline' ? late(deadlineMs) : error;
    } finally {
      watch.close();
    }
  }

  async #putStreamed(name: string, body: AsyncIterable<Uint8Array>, options: CallOptions): Promise<void> {
    const { deadlineMs } = options;
    const watch = new Watch(this.#clock, { wholeMs: deadlineMs });
    const turn = new StoreTurn(this.#clock, () => watch.stop(outcomeUnknown(name, this.url, CALL_MS)));
    try {
      await watch.race(this.#store.put(name, turn.of(body), options));
    } catch (error) {
      throw watch.ended === 'deadline' ? outcomeUnknown(name, this.url, deadlineMs ?? CALL_MS) : error;
    } finally {
      turn.end();
      watch.close();
    }
  }
}

/** Whose turn it is while a body is streamed: time counts while it is the store's. */
class StoreTurn {
  readonly #clock: Clock;
  readonly #late: () => void;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, late: () => void) {
    this.#clock = clock;
    this.#late = late;
    this.#begin();
  }

  async *of(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.end();
    for await (const chunk of body) {
      this.#begin();
      yield chunk;
      this.end();
    }
    this.#begin();
  }

  end(): void {
    this.#cancel();
  }

  #begin(): void {
    this.#cancel = this.#clock.after(CALL_MS, this.#late);
  }
}

function timeout(name: string, url: string, ms: number): StoreError {
  const message = `${url} has not answered within ${ms} ms about ${name}. Nothing was changed. Look at the disk, or the mount.`;
  return new StoreError('retry', 'STORE_TIMEOUT', message);
}

function outcomeUnknown(name: string, url: string, ms: number): StoreError {
  const message = `${url} has not answered within ${ms} ms about ${name}: whether it was carried out is not known. Look at the disk, or the mount.`;
  return new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', message);
}
