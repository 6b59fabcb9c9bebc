import type { Clock } from '../clock.ts';
import type { CallOptions } from '../store.ts';
import { Watch } from '../watch.ts';
import type { S3Limits } from './s3-limits.ts';

/**
 * The time that one call of the store has for all its requests.
 *
 * A small call has `callMs`, a call that moves many bytes has no end as long as bytes move; a deadline of the caller holds for
 * both. A request whose outcome matters gets only a share of the time that is left, so that some remains to look what became
 * of it.
 */
export class CallTime {
  readonly #clock: Clock;
  readonly #limits: S3Limits;
  readonly #signal: AbortSignal | undefined;
  readonly #end: number;

  constructor(clock: Clock, limits: S3Limits, options: CallOptions, size: 'small' | 'bulk') {
    this.#clock = clock;
    this.#limits = limits;
    this.#signal = options.signal;
    this.#end = clock.now() + (options.deadlineMs ?? (size === 'small' ? limits.callMs : Number.POSITIVE_INFINITY));
  }

  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  /** Options for repeating a request that moves few bytes. */
  get left(): CallOptions {
    return { ...this.#signalled(), deadlineMs: Math.min(this.#limits.callMs, this.#leftMs(1)) };
  }

  /** Options for repeating a request that moves many bytes. */
  get leftForBulk(): CallOptions {
    const leftMs = this.#leftMs(1);
    return { ...this.#signalled(), ...(leftMs === Number.POSITIVE_INFINITY ? {} : { deadlineMs: leftMs }) };
  }

  /** Watches a request that moves few bytes. */
  async small<T>(work: (watch: Watch) => Promise<T>, share = 1): Promise<T> {
    return this.#watched({ signal: this.#signal, wholeMs: Math.min(this.#limits.callMs, this.#leftMs(share)) }, work);
  }

  /** Watches a request that moves many bytes. */
  async bulk<T>(work: (watch: Watch) => Promise<T>, share = 1): Promise<T> {
    const leftMs = this.#leftMs(share);
    const wholeMs = leftMs === Number.POSITIVE_INFINITY ? undefined : leftMs;
    return this.#watched({ signal: this.#signal, wholeMs, idleMs: this.#limits.idleMs }, work);
  }

  #signalled(): CallOptions {
    return this.#signal === undefined ? {} : { signal: this.#signal };
  }

  #leftMs(share: number): number {
    return Math.max(1, (this.#end - this.#clock.now()) * share);
  }

  async #watched<T>(limits: ConstructorParameters<typeof Watch>[1], work: (watch: Watch) => Promise<T>): Promise<T> {
    const watch = new Watch(this.#clock, limits);
    try {
      return await work(watch);
    } finally {
      watch.close();
    }
  }
}
