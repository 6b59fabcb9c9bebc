import type { Clock } from './clock.ts';
import { StoreError } from './errors.ts';
import { isWorthRepeating, RETRY_POLICY, RetryBudget, type RetryPolicy, waitMs } from './retry-policy.ts';
import type { CallOptions } from './store.ts';

/**
 * A call without a deadline is not made again when so many milliseconds have passed since its first attempt began. Calls that
 * move many bytes say otherwise: one attempt of theirs may take longer.
 */
const REPEATED_FOR_MS = 30_000;

/** A server tells its time with the refusal, so the second attempt is signed with it; a third would say nothing new. */
const CLOCK_SKEW_ATTEMPTS_MAX = 2;

/**
 * Makes calls again that failed before anything was done, as `retry-policy.ts` says. One for each store: its budget is for
 * all calls of the store together.
 *
 * It owns the waiting and the time that is left; what failed and how is told by the `StoreError`s of the calls.
 */
export class Repeater {
  readonly #clock: Clock;
  readonly #policy: RetryPolicy;
  readonly #budget: RetryBudget;

  constructor(clock: Clock, policy: RetryPolicy = RETRY_POLICY) {
    this.#clock = clock;
    this.#policy = policy;
    this.#budget = new RetryBudget(policy.budget);
  }

  /**
   * Answers what `call` answers, or the error of its last attempt. Each attempt is given the time that is left of
   * `options.deadlineMs`; without one, none begins later than `withinMs` after the first. Between attempts nothing is under way, so an aborted signal ends the wait at once.
   */
  async run<T>(
    options: CallOptions,
    call: (options: CallOptions) => Promise<T>,
    { withinMs = REPEATED_FOR_MS }: { readonly withinMs?: number } = {},
  ): Promise<T> {
    const series = this.series(options, withinMs);
    for (;;) {
      try {
        const answer = await call(series.left());
        series.succeeded();
        return answer;
      } catch (error) {
        if (!(error instanceof StoreError && isWorthRepeating(error) && (await series.again(error)))) throw error;
      }
    }
  }

  /** For a caller who decides by himself which errors are worth another attempt. */
  series(options: CallOptions, withinMs = REPEATED_FOR_MS): Series {
    return new Series(options, { clock: this.#clock, policy: this.#policy, budget: this.#budget, withinMs });
  }
}

interface SeriesParts {
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
  readonly withinMs: number;
}

/** The attempts of one call. */
class Series {
  readonly #options: CallOptions;
  readonly #parts: SeriesParts;
  readonly #end: number;
  #attempts = 1;

  constructor(options: CallOptions, parts: SeriesParts) {
    this.#options = options;
    this.#parts = parts;
    this.#end = parts.clock.now() + (options.deadlineMs ?? parts.withinMs);
  }

  /** The options of the next attempt. */
  left(): CallOptions {
    if (this.#options.deadlineMs === undefined) return this.#options;
    return { ...this.#options, deadlineMs: Math.max(1, this.#end - this.#parts.clock.now()) };
  }

  succeeded(): void {
    this.#parts.budget.succeeded();
  }

  /** Waits as long as the policy says; false when there is to be no other attempt. */
  async again(error: StoreError): Promise<boolean> {
    const { clock, policy, budget } = this.#parts;
    const attemptsMax = error.code === 'STORE_CLOCK_SKEW' ? CLOCK_SKEW_ATTEMPTS_MAX : policy.attemptsMax;
    if (this.#attempts >= attemptsMax) return false;
    const wait = waitMs(policy, this.#attempts, clock.random());
    if (clock.now() + wait >= this.#end || !budget.take()) return false;
    this.#attempts++;
    await clock.sleep(wait, this.#options.signal);
    return true;
  }
}
