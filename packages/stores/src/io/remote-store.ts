import { refuseAborted } from '../answers.ts';
import { StoreError } from '../errors.ts';
import type { CallOptions, GetOptions, ListOptions, Store, StoreSupport, StoreTraffic } from '../store.ts';
import { errorOfData } from './io-error.ts';
import { CHUNKS_MAX, type FromStore, type IoCall, type IoLine, type OpenedStore, type ToStore } from './io-messages.ts';

interface OpenCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What becomes of it when the thread dies: nothing was changed, or nobody knows. */
  readonly changes: boolean;
  readonly reason: () => unknown;
  readonly taken: () => void;
}

/** How to have a line to a store: again and again, as its thread may die. */
export type Connect = () => IoLine<ToStore, FromStore>;

/**
 * A store that lives in another thread: its client, its buffers and its credentials are there, and what it computes takes
 * nothing from this one. When that thread dies, calls under way fail as if the connection to the place had broken (kind `retry`,
 * or `lost` for those that may have changed something), and the next call opens the store again.
 *
 * @example
 * const store = await RemoteStore.open(() => startIoThread({ location: 's3://bucket/jobs' }));
 */
export class RemoteStore implements Store {
  readonly url: string;
  readonly supports: StoreSupport;
  /** Only where the store over there has it. */
  readonly storedAt?: (name: string, options?: CallOptions) => Promise<number>;
  readonly #connect: Connect;
  #line: Promise<IoLine<ToStore, FromStore>> | null;
  readonly #calls = new Map<number, OpenCall>();
  #next = 1;
  /** Of threads that have died, and of the present one. */
  #trafficBefore: StoreTraffic | null = null;
  #traffic: StoreTraffic | null = null;
  #closed = false;
  #closing: () => void = () => undefined;

  private constructor(connect: Connect, to: Opened) {
    this.#connect = connect;
    const { url, supports, tellsStoredAt } = to.store;
    this.url = url;
    this.supports = supports;
    if (tellsStoredAt) {
      this.storedAt = async (name, options = {}) => (await this.#ask({ call: 'storedAt', name }, options)) as number;
    }
    this.#line = Promise.resolve(to.line);
    this.#listen(to);
  }

  /** @throws what opening the store there throws */
  static async open(connect: Connect): Promise<RemoteStore> {
    return new RemoteStore(connect, await opened(connect()));
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    if (body instanceof Uint8Array) await this.#ask({ call: 'put', name, body: new Uint8Array(body) }, options);
    else await this.#putStreamed(name, body, options);
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    return (await this.#ask({ call: 'putIfAbsent', name, bytes: new Uint8Array(bytes) }, options)) as
      | 'stored'
      | 'taken';
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#ask({ call: 'replace', name, bytes: new Uint8Array(bytes) }, options);
  }

  async get(name: string, { signal, deadlineMs, ...options }: GetOptions = {}): Promise<Uint8Array> {
    return (await this.#ask({ call: 'get', name, options }, { signal, deadlineMs })) as Uint8Array;
  }

  async list(prefix: string, { after, ...options }: ListOptions = {}): Promise<readonly string[]> {
    return (await this.#ask({ call: 'list', prefix, after }, options)) as readonly string[];
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    await this.#ask({ call: 'delete', name }, options);
  }

  traffic(): StoreTraffic {
    return sum(this.#trafficBefore, this.#traffic);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const line = await this.#line?.catch(() => null);
    if (line === null || line === undefined) return;
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      line.hold(true);
      line.post({ kind: 'close' });
    });
  }

  async #ask(call: IoCall, options: Given): Promise<unknown> {
    refuseAborted(options.signal, 'name' in call ? call.name : call.prefix);
    return this.#begin(await this.#open(), call, options, () => undefined).answer;
  }

  async #putStreamed(name: string, body: AsyncIterable<Uint8Array>, options: CallOptions): Promise<void> {
    refuseAborted(options.signal, name);
    const line = await this.#open();
    const window = new Window(CHUNKS_MAX);
    const { id, answer } = this.#begin(line, { call: 'put', name, body: 'streamed' }, options, () => window.grow());
    let failed: { readonly error: unknown } | null = null;
    let over = false;
    const pump = async (): Promise<void> => {
      try {
        for await (const chunk of body) {
          await window.take();
          if (over) return;
          // Of its own: the maker may use its memory again, and a view would carry all that it is a part of.
          const bytes = new Uint8Array(chunk);
          line.post({ kind: 'chunk', id, bytes }, [bytes.buffer]);
        }
        line.post({ kind: 'body-over', id, whole: true });
      } catch (error) {
        failed = { error };
        line.post({ kind: 'body-over', id, whole: false });
      }
    };
    void pump();
    try {
      await answer;
    } catch (error) {
      throw (failed as { readonly error: unknown } | null)?.error ?? error;
    } finally {
      over = true;
      window.grow();
    }
  }

  #begin(
    line: IoLine<ToStore, FromStore>,
    call: IoCall,
    { signal, deadlineMs }: Given,
    taken: () => void,
  ): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = this.#next++;
    const abort = (): void => line.post({ kind: 'abort', id });
    const answer = new Promise<unknown>((resolve, reject) => {
      const changes = !LOOKING.has(call.call);
      this.#calls.set(id, { resolve, reject, changes, reason: () => signal?.reason, taken });
      line.hold(true);
      line.post({ kind: 'call', id, call, deadlineMs });
      if (signal?.aborted === true) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    }).finally(() => {
      signal?.removeEventListener('abort', abort);
      if (this.#calls.size === 0) line.hold(false);
    });
    return { id, answer };
  }

  /** The line to the thread; after its death, to a new one. */
  #open(): Promise<IoLine<ToStore, FromStore>> {
    if (this.#closed) throw new StoreError('fatal', 'STORE_IO', `${this.url} was closed; open it again.`);
    return (this.#line ??= this.#openAgain());
  }

  async #openAgain(): Promise<IoLine<ToStore, FromStore>> {
    try {
      const again = await opened(this.#connect());
      this.#listen(again);
      return again.line;
    } catch (error) {
      this.#line = null;
      throw error;
    }
  }

  #listen(to: Opened): void {
    this.#traffic = to.store.traffic;
    to.receive = (message) => this.#receive(message);
    to.ended = () => this.#lost();
  }

  #receive(message: FromStore): void {
    if (message.kind === 'closed') {
      this.#closing();
      return;
    }
    if (message.kind === 'opened' || message.kind === 'not-opened') return;
    const call = this.#calls.get(message.id);
    if (message.kind === 'taken') {
      call?.taken();
      return;
    }
    this.#traffic = message.traffic ?? this.#traffic;
    this.#calls.delete(message.id);
    if (message.kind === 'answered') call?.resolve(message.value);
    else call?.reject(errorOfData(message.error, call.reason()));
  }

  /** The thread has died. */
  #lost(): void {
    this.#line = null;
    this.#trafficBefore = this.traffic();
    this.#traffic = null;
    this.#closing();
    for (const [id, { reject, changes }] of this.#calls) {
      this.#calls.delete(id);
      reject(changes ? outcomeUnknown(this.url) : threadDied(this.url));
    }
  }
}

/** Calls that change nothing. */
const LOOKING: ReadonlySet<IoCall['call']> = new Set(['get', 'list', 'storedAt']);

type Given = { readonly signal?: AbortSignal | undefined; readonly deadlineMs?: number | undefined };

/** A line whose store is open. What comes over it goes to whoever listens at that moment. */
interface Opened {
  readonly line: IoLine<ToStore, FromStore>;
  readonly store: OpenedStore;
  receive: (message: FromStore) => void;
  ended: () => void;
}

function opened(line: IoLine<ToStore, FromStore>): Promise<Opened> {
  return new Promise((resolve, reject) => {
    let open: Opened | null = null;
    line.hold(true);
    line.listen(
      (message) => {
        if (open !== null) open.receive(message);
        else if (message.kind === 'not-opened') reject(errorOfData(message.error, undefined));
        else if (message.kind === 'opened') {
          open = { line, store: message, receive: () => undefined, ended: () => undefined };
          line.hold(false);
          resolve(open);
        }
      },
      () => {
        if (open === null) reject(threadDied('the store'));
        else open.ended();
      },
    );
  });
}

/** How many chunks may still be sent. */
class Window {
  #left: number;
  #wake: () => void = () => undefined;

  constructor(size: number) {
    this.#left = size;
  }

  grow(): void {
    this.#left++;
    this.#wake();
  }

  async take(): Promise<void> {
    while (this.#left === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#left--;
  }
}

function threadDied(url: string): StoreError {
  const message = `The thread that talks to ${url} has ended. Nothing was changed by this call; it may be repeated.`;
  return new StoreError('retry', 'STORE_IO', message);
}

function outcomeUnknown(url: string): StoreError {
  const message = `The thread that talks to ${url} has ended during this call: what it has changed is not known. Read back and compare.`;
  return new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', message);
}

function sum(before: StoreTraffic | null, now: StoreTraffic | null): StoreTraffic {
  const requests: Record<string, number> = {};
  for (const each of [before, now]) {
    for (const [name, count] of Object.entries(each?.requests ?? {})) requests[name] = (requests[name] ?? 0) + count;
  }
  const bytes = (field: 'bytesSent' | 'bytesReceived'): number => (before?.[field] ?? 0) + (now?.[field] ?? 0);
  return { requests, bytesSent: bytes('bytesSent'), bytesReceived: bytes('bytesReceived') };
}
