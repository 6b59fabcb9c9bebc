/**
 * The contract that every store keeps, and the only thing that the rest of Tidemark knows of one.
 *
 * A store owns bytes under names. It does not know what a checkpoint is. `storeConformance` is this contract as tests.
 *
 * Names are segments of letters, digits, `.`, `_` and `-`, between single slashes; anything else is `STORE_BAD_NAME`. No
 * name is a folder of another. Errors are `StoreError`s: act on `kind`, tell people `message`, test on `code`. Every call
 * with an aborted signal rejects with `STORE_ABORTED`; once an object is published a signal changes nothing.
 *
 * Invariants:
 * - S1 An object is seen whole or not at all; what `get` gives back is what was put.
 * - S2 When a put resolves, the object survives a crash of the process and of the machine.
 * - S3 Of any number of `putIfAbsent` calls for one name, at most one ever answers `stored`.
 * - S4 A listing that starts after a put resolved contains that object.
 * - S5 No error says "absent" unless the store surely answered that the object is not there.
 */
export interface Store {
  /** Where this store is, for people and error texts. Never holds a secret. */
  readonly url: string;
  readonly supports: StoreSupport;

  /**
   * Stores a new object under a name that the caller made unique. A name that is taken is an error (`STORE_NAME_TAKEN`).
   * Nothing is seen under the name before the object is whole. Bytes given must not change until the call settles. What
   * a streamed body throws is passed on as it is, and nothing is stored.
   *
   * @throws kind `lost` (`STORE_OUTCOME_UNKNOWN`), and by what the place of the store allows: `STORE_FULL`, `STORE_DENIED`,
   * `STORE_READ_ONLY`, `STORE_NOT_A_FOLDER`, `STORE_BUSY`, `STORE_IO`.
   * @example await store.put(`orders/part/${id}`, blocks);
   */
  put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: CallOptions): Promise<void>;

  /**
   * Stores the object unless the name is taken. Rejects with kind `lost` when the outcome is not known: the caller
   * reads back and compares. Where a read back cannot prove that the object is durable, it rejects too (kind `fatal`).
   *
   * @throws as `put`, without `STORE_NAME_TAKEN`.
   * @example if ((await store.putIfAbsent('orders/log/00000000000000000007', record)) === 'taken') throw fenced();
   */
  putIfAbsent(name: string, bytes: Uint8Array, options?: CallOptions): Promise<'stored' | 'taken'>;

  /** Stores or overwrites, the last writer wins. For politeness only (`owner.json`), never for what must be true. */
  replace(name: string, bytes: Uint8Array, options?: CallOptions): Promise<void>;

  /**
   * The whole object, or `length` bytes from `offset`. Rejects with kind `absent` when it is not there. A range that reaches
   * past the end gives what there is, so a caller who knows the length compares. The array's memory is its own.
   *
   * @throws `STORE_ABSENT`, and as `put` for the place of the store; `RangeError` for a negative or broken number.
   * @example const index = await store.get(path, { offset: length - 4096, length: 4096 });
   */
  get(name: string, options?: GetOptions): Promise<Uint8Array>;

  /**
   * Names that start with `prefix`, whole, in ascending order of their bytes; `after` leaves out names up to and with it.
   * Nothing there is an empty list; a store that could not look rejects (S5).
   *
   * @example const newer = await store.list('orders/log/', { after: 'orders/log/00000000000000000007' });
   */
  list(prefix: string, options?: ListOptions): Promise<readonly string[]>;

  /** Removes the object. Removing what is not there is not an error. After a power cut a removed object may be back. */
  delete(name: string, options?: CallOptions): Promise<void>;

  /**
   * When the object was stored, by the clock of the place, in milliseconds since 1970; some places tell whole seconds. Not there
   * where the place does not tell. For people and clean-ups only.
   *
   * @throws `STORE_ABSENT`, and as `get`
   */
  storedAt?(name: string, options?: CallOptions): Promise<number>;

  /** What the store has asked of its place since it was opened; not there where nobody counts. */
  traffic?(): StoreTraffic;

  close(): Promise<void>;
}

/** What a store can do, published so that callers and the conformance suite need not guess. */
export interface StoreSupport {
  /** Survives the end of this process. */
  readonly durable: boolean;
  /** `putIfAbsent` holds between processes and machines, not only inside this one. */
  readonly sharedPutIfAbsent: boolean;
}

/** Requests and bytes. */
export interface StoreTraffic {
  /** By the name that the place of the store has for them, such as `PutObject`. */
  readonly requests: Readonly<Record<string, number>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * Milliseconds after which the call rejects, instead of the store's own: `STORE_TIMEOUT` (kind `retry`) where surely nothing
   * was changed, `STORE_OUTCOME_UNKNOWN` (kind `lost`) otherwise.
   */
  readonly deadlineMs?: number;
}

export interface GetOptions extends CallOptions {
  readonly offset?: number;
  readonly length?: number;
  /** An answer of more bytes is refused (`STORE_TOO_LARGE`, kind `corrupt`) before it fills the memory. */
  readonly bytesMax?: number;
}

export interface ListOptions extends CallOptions {
  readonly after?: string;
}
