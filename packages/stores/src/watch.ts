import type { Clock } from './clock.ts';

/** Why something that was watched ended before its time. */
export type WatchEnd = 'aborted' | 'deadline' | 'stalled';

export interface WatchLimits {
  /** The caller's. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds in all. */
  readonly wholeMs?: number | undefined;
  /** Milliseconds without progress. */
  readonly idleMs?: number | undefined;
}

/**
 * Ends one piece of work when its caller aborts it, when its time is over, or when nothing moved for too long.
 *
 * It owns one signal, for those who look at signals, and `race`, for those who do not. `close` must be called in the end: it
 * lets go of the caller's signal and of all timers.
 */
export class Watch {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #limits: WatchLimits;
  readonly #over: Promise<never>;
  readonly #letGo: (() => void)[] = [];
  #ended: WatchEnd | undefined;
  #cause: unknown;
  #movedAt: number;
  #stopIdle: () => void = () => undefined;

  constructor(clock: Clock, limits: WatchLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#movedAt = clock.now();
    this.#over = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.#cause ?? new WatchEnded()), { once: true });
    });
    // Nobody may be racing when it ends.
    this.#over.catch(() => undefined);
    const { signal, wholeMs, idleMs } = limits;
    if (signal !== undefined) this.#listen(signal);
    if (wholeMs !== undefined) this.#letGo.push(clock.after(wholeMs, () => this.#end('deadline')));
    if (idleMs !== undefined) this.#lookAgain(idleMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ended(): WatchEnd | undefined {
    return this.#ended;
  }

  /** Something moved. */
  moved(): void {
    this.#movedAt = this.#clock.now();
  }

  /** Ends it for another reason: that is what those who wait are given. */
  stop(cause: unknown): void {
    this.#cause ??= cause;
    this.#controller.abort();
  }

  /** What `work` comes to, or a rejection when this watch ends first; then nobody waits for `work` any more. */
  async race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    return Promise.race([work, this.#over]);
  }

  close(): void {
    this.#stopIdle();
    for (const letGo of this.#letGo.splice(0)) letGo();
  }

  #listen(signal: AbortSignal): void {
    const abort = () => this.#end('aborted');
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#letGo.push(() => signal.removeEventListener('abort', abort));
  }

  /** One timer for all progress: each time it looks how long ago the last was. */
  #lookAgain(afterMs: number): void {
    this.#stopIdle = this.#clock.after(afterMs, () => {
      const { idleMs = 0 } = this.#limits;
      const left = this.#movedAt + idleMs - this.#clock.now();
      if (left <= 0) this.#end('stalled');
      else this.#lookAgain(left);
    });
  }

  #end(why: WatchEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#controller.abort();
  }
}

/** What waiting for something rejects with when the watch ended; who waits asks the watch why. */
export class WatchEnded extends Error {
  override readonly name = 'AbortError';
}
