import type { Clock } from './clock.ts';

/** Longest wait that a timer of Node takes. */
const WAIT_MS_MAX = 2 ** 31 - 1;

/** Rings when the next thing is due: one timer, whatever is waited for. */
export class AlarmClock {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #set: { readonly at: number; readonly cancel: () => void } | null = null;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** @param next monotonic milliseconds; undefined when nothing is due */
  set(next: number | undefined): void {
    if (next === undefined || (this.#set !== null && this.#set.at <= next)) return;
    this.#set?.cancel();
    const delayMs = Math.min(Math.max(0, next - this.#clock.monotonic()), WAIT_MS_MAX);
    const cancel = this.#clock.after(delayMs, () => {
      this.#set = null;
      this.#ring();
    });
    this.#set = { at: next, cancel };
  }

  cancel(): void {
    this.#set?.cancel();
    this.#set = null;
  }
}
