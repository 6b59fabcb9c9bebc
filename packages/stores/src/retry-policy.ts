import type { StoreError } from './errors.ts';

/**
 * When a call that failed is made again: the one place that says it.
 *
 * The wait before attempt n is random between 0 and `firstMs` · 2ⁿ⁻¹, at most `longestMs`: "full jitter", so that many callers
 * whom one failure hit do not come back together (M. Brooker, Exponential Backoff and Jitter, 2015). A budget bounds what
 * repeating may add to a store that is down: each repetition costs one token, each success gives a tenth of one back.
 */
export interface RetryPolicy {
  /** Calls in all, with the first one. */
  readonly attemptsMax: number;
  readonly firstMs: number;
  readonly longestMs: number;
  /** Repetitions that may be under way or just have been, over all calls of a store. */
  readonly budget: number;
}

export const RETRY_POLICY: RetryPolicy = { attemptsMax: 5, firstMs: 100, longestMs: 5_000, budget: 50 };

const GIVEN_BACK = 0.1;

/** Milliseconds to wait before the attempt that comes after `attempts` of them. `random` is from 0 up to 1. */
export function waitMs({ firstMs, longestMs }: RetryPolicy, attempts: number, random: number): number {
  return Math.min(longestMs, firstMs * 2 ** (attempts - 1)) * random;
}

/** What repeating may cost, over all calls of one store. */
export class RetryBudget {
  readonly #size: number;
  #left: number;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /** Whether a call may be repeated; pays for it. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  succeeded(): void {
    this.#left = Math.min(this.#size, this.#left + GIVEN_BACK);
  }
}

/** Whether a repetition is worth while: nothing was done, and it was not the caller who ended it. */
export function isWorthRepeating({ kind, code }: StoreError): boolean {
  return kind === 'retry' && code !== 'STORE_ABORTED';
}
