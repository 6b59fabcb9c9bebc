import type { Clock } from '@tidemark/actors/internal';
import { WAIT_MS_MAX, WALL_LOOK_MS } from './limits.ts';
import { EARLY_MS, type Timetable } from './schedule.ts';

/**
 * Rings at each instant of a timetable, until it is stopped. Owns the timer.
 *
 * An interval is measured by the monotonic clock, whatever happens to the wall clock. An instant of a cron expression is one
 * of the wall clock, which people set, and which goes on while the machine sleeps: so it is looked at now and then. All
 * instants that were slept through ring once, and a clock that was set back brings its instants again.
 */
export class Alarm {
  readonly #timetable: Timetable;
  readonly #clock: Clock;
  readonly #ring: () => void;
  #cancel: () => void = () => undefined;

  constructor(timetable: Timetable, clock: Clock, ring: () => void) {
    this.#timetable = timetable;
    this.#clock = clock;
    this.#ring = ring;
  }

  start(): void {
    const { kind } = this.#timetable;
    if (kind === 'every') this.#waitFor(this.#timetable.ms);
    else this.#waitUntil(this.#next());
  }

  stop(): void {
    this.#cancel();
  }

  #waitFor(leftMs: number): void {
    const first = Math.min(leftMs, WAIT_MS_MAX);
    this.#cancel = this.#clock.after(first, () => (leftMs > first ? this.#waitFor(leftMs - first) : this.#rings()));
  }

  /** @param atMs by the wall clock */
  #waitUntil(atMs: number): void {
    const leftMs = Math.min(Math.max(0, atMs - this.#clock.now()), WALL_LOOK_MS);
    this.#cancel = this.#clock.after(leftMs, () => {
      if (this.#clock.now() >= atMs - EARLY_MS) this.#rings();
      else this.#waitUntil(Math.min(atMs, this.#next()));
    });
  }

  #rings(): void {
    this.start();
    this.#ring();
  }

  #next(): number {
    const now = this.#clock.now();
    return this.#timetable.kind === 'cron' ? now + this.#timetable.delayMs(now) : now;
  }
}
