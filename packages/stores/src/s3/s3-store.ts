import { absent, checkRange, nameTaken, refuseAborted } from '../answers.ts';
import { StoreError } from '../errors.ts';
import { checkName, checkPrefix } from '../names.ts';
import type { CallOptions, GetOptions, ListOptions, Store, StoreTraffic } from '../store.ts';
import { CallTime } from './call-time.ts';
import { badAnswer } from './s3-errors.ts';
import { listNames } from './s3-listing.ts';
import { orThrow, readObject } from './s3-reading.ts';
import type { S3Wire } from './s3-wire.ts';
import { S3Writer, type WriterParts } from './s3-writer.ts';

/** What an S3 store is given from outside. */
export interface S3Parts extends WriterParts {
  readonly url: string;
  readonly wire: S3Wire;
}

/** Share of the time of a call for one of its requests, so that it can be made again. */
const SHARE = 1 / 3;

/**
 * A store in a bucket of S3, or of a server that speaks S3. Objects are objects; a key is the prefix and a name.
 *
 * It owns what each call of the contract means. How an object is written lies in `S3Writer`, one request in `S3Bucket`,
 * sending it, counting it and hiding secrets in `S3Wire`, the meaning of failures in `s3-errors.ts`. Calls that surely did
 * nothing are repeated by the `RetryingStore` around it; inside a call only what no caller could repeat is: a page of a
 * listing, a part of a large object, a body that can be read once.
 *
 * Invariants (S1 to S5 are those of `Store`, P1 to P4 those of `settle`):
 * - S1 S3 shows an object whole or not at all; a large one only once its parts are put together. All bytes go with checksums.
 * - S2 An answer of success means that the object is stored for good, as far as the server promises that.
 * - S3 Puts are conditional (`If-None-Match: *`) and carry an id of their own, so P1 and P2 hold. A server that is known to
 *   ignore the condition is used by one writer only, whose puts for one name follow each other and look first.
 * - S4 S3 lists what is stored from then on; `listNames` checks every page.
 * - S5 Only `NoSuchKey` (or a 404 to a HEAD) is "absent". A bucket that is not there is not.
 */
export class S3Store implements Store {
  readonly url: string;
  readonly supports: { readonly durable: true; readonly sharedPutIfAbsent: boolean };
  readonly #parts: S3Parts;
  readonly #writer: S3Writer;

  constructor(parts: S3Parts) {
    this.url = parts.url;
    this.supports = { durable: true, sharedPutIfAbsent: parts.conditionalWrites };
    this.#parts = parts;
    this.#writer = new S3Writer(parts);
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    this.#admit(name, options);
    if ((await this.#writer.store(name, body, options)) === 'taken') throw nameTaken(name, this.url);
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    this.#admit(name, options);
    return this.#writer.store(name, bytes, options);
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    this.#admit(name, options);
    await this.#writer.replace(name, bytes, options);
  }

  async get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    checkRange(options.offset ?? 0, options.length);
    this.#admit(name, options);
    try {
      return await this.#time(options, 'bulk').bulk((watch) => readObject(this.#parts.bucket, name, options, watch));
    } catch (error) {
      throw error instanceof StoreError && error.kind === 'absent' ? absent(name, this.url) : error;
    }
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    checkPrefix(prefix);
    refuseAborted(options.signal, prefix);
    const { bucket, repeater, clock } = this.#parts;
    const end = clock.now() + (options.deadlineMs ?? Number.POSITIVE_INFINITY);
    return listNames(bucket, prefix, {
      after: options.after ?? '',
      // Nobody knows how many pages there are, so each has the time of a call. The first is repeated by the wrapper.
      page: (after, nth) => {
        const left = Math.max(1, end - clock.now());
        const time = this.#time(options.deadlineMs === undefined ? options : { ...options, deadlineMs: left }, 'small');
        const once = () => time.small((watch) => orThrow(bucket.list(prefix, after, watch)));
        return nth === 1 ? once() : repeater.run(time.left, once);
      },
    });
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    this.#admit(name, options);
    const { bucket, repeater } = this.#parts;
    const time = this.#time(options, 'small');
    const series = repeater.series(time.left);
    for (;;) {
      const answer = await time.small((watch) => bucket.delete(name, watch), SHARE);
      if (answer.ok) return;
      const { error, outcome } = answer.failure;
      if (error.kind === 'absent') return;
      // Deleting twice is deleting once, so what has no answer is asked again.
      if (outcome !== 'unanswered' || error.code === 'STORE_ABORTED' || !(await series.again(error))) throw error;
    }
  }

  async storedAt(name: string, options: CallOptions = {}): Promise<number> {
    this.#admit(name, options);
    const { bucket } = this.#parts;
    const answer = await this.#time(options, 'small').small((watch) => bucket.head(name, watch));
    if (!answer.ok) throw answer.failure.error.kind === 'absent' ? absent(name, this.url) : answer.failure.error;
    const { LastModified } = answer.output;
    if (LastModified === undefined)
      throw badAnswer(bucket.about('HeadObject', name), 'the answer has no Last-Modified');
    return LastModified.getTime();
  }

  traffic(): StoreTraffic {
    return this.#parts.wire.traffic();
  }

  async close(): Promise<void> {
    this.#parts.wire.close();
  }

  #admit(name: string, options: CallOptions): void {
    checkName(name);
    refuseAborted(options.signal, name);
  }

  #time(options: CallOptions, size: 'small' | 'bulk'): CallTime {
    return new CallTime(this.#parts.clock, this.#parts.limits, options, size);
  }
}
