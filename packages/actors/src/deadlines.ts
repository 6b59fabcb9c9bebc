import type { Clock } from './clock.ts';

/** What has a time limit. */
export interface Due {
  /** Monotonic milliseconds; infinite when it has none any more. */
  readonly dueMs: number;
  /** The time is over. It may stay, with no time limit any more. */
  late(): void;
}

/** Those that are open now. */
export interface DueOnes {
  readonly size: number;
  values(): Iterable<Due>;
}

/** What one look at all of them in a millisecond may have: with more, time limits are kept less sharply. */
const LOOKED_AT_PER_MS = 10_000;

/** The time limits of many on one timer: a timer for each would take longer than all else that an ask takes. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #all: DueOnes;
  #cancel: (() => void) | null = null;
  /** When the timer rings. */
  #timerMs = Number.POSITIVE_INFINITY;

  /** @param all what is open now; its owner says when something was put in or taken out */
  constructor(clock: Clock, all: DueOnes) {
    this.#clock = clock;
    this.#all = all;
  }

  added({ dueMs }: Due): void {
    if (dueMs < this.#timerMs) this.#set(dueMs);
  }

  removed(): void {
    if (this.#all.size === 0) this.#set(Number.POSITIVE_INFINITY);
  }

  #set(timerMs: number): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#timerMs = timerMs;
    if (timerMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.after(Math.max(0, timerMs - this.#clock.monotonic()), () => {
      this.#cancel = null;
      this.#look();
    });
  }

  #look(): void {
    const now = this.#clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const due of this.#all.values()) {
      if (due.dueMs <= now) due.late();
      else next = Math.min(next, due.dueMs);
    }
    this.#set(Math.max(next, now + Math.floor(this.#all.size / LOOKED_AT_PER_MS)));
  }
}
