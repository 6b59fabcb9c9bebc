import { absent, checkRange, nameTaken, refuseAborted, refuseTooLarge } from './answers.ts';
import { checkName, checkPrefix } from './names.ts';
import type { CallOptions, GetOptions, ListOptions, Store } from './store.ts';

/**
 * A store in this thread's memory: for tests, and for `memory:NAME` locations. It ends with the process.
 *
 * Owns copies of all bytes: what callers do to their arrays before or after a call changes nothing here (S1).
 * Every change is one step on the map without an `await` in it, so calls cannot interleave inside one (S3).
 *
 * @example
 * const store = new MemoryStore('orders-test');
 * await store.putIfAbsent('log/1', bytes); // 'stored'
 */
export class MemoryStore implements Store {
  readonly url: string;
  readonly supports = { durable: false, sharedPutIfAbsent: false } as const;
  readonly #objects = new Map<string, Uint8Array>();

  constructor(name = 'unnamed') {
    this.url = `memory:${name}`;
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    this.#admit(name, options);
    const bytes = body instanceof Uint8Array ? copy(body) : await gather(body, name, options.signal);
    refuseAborted(options.signal, name);
    if (this.#objects.has(name)) throw nameTaken(name, this.url);
    this.#objects.set(name, bytes);
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    this.#admit(name, options);
    if (this.#objects.has(name)) return 'taken';
    this.#objects.set(name, copy(bytes));
    return 'stored';
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    this.#admit(name, options);
    this.#objects.set(name, copy(bytes));
  }

  async get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length } = options;
    checkRange(offset, length);
    this.#admit(name, options);
    const bytes = this.#objects.get(name);
    if (bytes === undefined) throw absent(name, this.url);
    const range = bytes.subarray(offset, length === undefined ? undefined : offset + length);
    refuseTooLarge(range.length, options.bytesMax, name, this.url);
    return new Uint8Array(range);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    checkPrefix(prefix);
    refuseAborted(options.signal, prefix);
    const { after = '' } = options;
    // Names are ASCII, so the order of code units is the order of bytes.
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    this.#admit(name, options);
    this.#objects.delete(name);
  }

  async close(): Promise<void> {
    // Nothing is held open; the objects stay for others who opened the same name.
  }

  #admit(name: string, options: CallOptions): void {
    checkName(name);
    refuseAborted(options.signal, name);
  }
}

function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

async function gather(
  body: AsyncIterable<Uint8Array>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    refuseAborted(signal, name);
    chunks.push(copy(chunk));
  }
  return copy(Buffer.concat(chunks));
}
