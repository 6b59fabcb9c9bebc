import type { CallOptions, Store } from '../store.ts';
import { errorToData } from './io-error.ts';
import type { FromStore, IoCall, IoLine, ToStore } from './io-messages.ts';

/** Thrown into a store by a body whose maker threw on the other side, where that error is known. */
class BodyFailed extends Error {}

/** Serves one store over a line, until the other end closes it. */
export class StoreServer {
  readonly #store: Store;
  readonly #line: IoLine<FromStore, ToStore>;
  readonly #calls = new Map<number, { readonly abort: AbortController; readonly body: StreamedBody | null }>();

  private constructor(store: Store, line: IoLine<FromStore, ToStore>) {
    this.#store = store;
    this.#line = line;
  }

  /**
   * Opens the store and serves it. Resolves when the line has ended and the store is closed; an opening that fails is told
   * to the other end.
   */
  static async run(open: () => Promise<Store>, line: IoLine<FromStore, ToStore>): Promise<void> {
    const early: ToStore[] = [];
    let receive = (message: ToStore): void => void early.push(message);
    const ended = new Promise<void>((resolve) => line.listen((message) => receive(message), resolve));
    let store: Store;
    try {
      store = await open();
    } catch (error) {
      line.post({ kind: 'not-opened', error: errorToData(error) });
      line.close();
      return;
    }
    const server = new StoreServer(store, line);
    receive = (message) => server.#receive(message);
    const { url, supports } = store;
    const tellsStoredAt = store.storedAt !== undefined;
    line.post({ kind: 'opened', url, supports, tellsStoredAt, traffic: store.traffic?.() ?? null });
    for (const message of early) server.#receive(message);
    await ended;
    for (const { abort, body } of server.#calls.values()) {
      abort.abort();
      body?.over(false);
    }
    await store.close();
  }

  #receive(message: ToStore): void {
    if (message.kind === 'call') {
      void this.#serve(message.id, message.call, message.deadlineMs);
      return;
    }
    if (message.kind === 'close') {
      void this.#close();
      return;
    }
    const call = this.#calls.get(message.id);
    if (message.kind === 'chunk') call?.body?.add(message.bytes);
    else if (message.kind === 'body-over') call?.body?.over(message.whole);
    else call?.abort.abort();
  }

  async #close(): Promise<void> {
    this.#line.post({ kind: 'closed' });
    this.#line.close();
  }

  async #serve(id: number, call: IoCall, deadlineMs: number | undefined): Promise<void> {
    const abort = new AbortController();
    const isStreamed = call.call === 'put' && call.body === 'streamed';
    const body = isStreamed ? new StreamedBody(() => this.#line.post({ kind: 'taken', id })) : null;
    this.#calls.set(id, { abort, body });
    const options = { signal: abort.signal, ...(deadlineMs === undefined ? {} : { deadlineMs }) };
    try {
      const value = await this.#call(call, body, options);
      const transfer = value instanceof Uint8Array && isWhole(value) ? [value.buffer as ArrayBuffer] : [];
      this.#line.post({ kind: 'answered', id, value, traffic: this.#store.traffic?.() ?? null }, transfer);
    } catch (error) {
      this.#line.post({ kind: 'failed', id, error: errorToData(error), traffic: this.#store.traffic?.() ?? null });
    } finally {
      this.#calls.delete(id);
    }
  }

  async #call(call: IoCall, body: StreamedBody | null, options: CallOptions): Promise<unknown> {
    const store = this.#store;
    switch (call.call) {
      case 'put':
        return store.put(call.name, body ?? (call.body as Uint8Array), options);
      case 'putIfAbsent':
        return store.putIfAbsent(call.name, call.bytes, options);
      case 'replace':
        return store.replace(call.name, call.bytes, options);
      case 'get':
        return store.get(call.name, { ...options, ...call.options });
      case 'list':
        return store.list(call.prefix, call.after === undefined ? options : { ...options, after: call.after });
      case 'delete':
        return store.delete(call.name, options);
      case 'storedAt':
        return store.storedAt?.(call.name, options);
    }
  }
}

function isWhole(bytes: Uint8Array): boolean {
  return bytes.byteLength === bytes.buffer.byteLength;
}

/** A body whose chunks come over the line. */
class StreamedBody implements AsyncIterable<Uint8Array> {
  readonly #taken: () => void;
  readonly #chunks: Uint8Array[] = [];
  #over: 'whole' | 'failed' | null = null;
  #wake: () => void = () => undefined;

  constructor(taken: () => void) {
    this.#taken = taken;
  }

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#wake();
  }

  over(whole: boolean): void {
    this.#over ??= whole ? 'whole' : 'failed';
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#taken();
        yield chunk;
      } else if (this.#over === 'failed') throw new BodyFailed('what makes the body has failed');
      else if (this.#over === 'whole') return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
