import type { Clock } from '../clock.ts';
import { settled } from './settled.adapter.ts';

/** Time that stands still until a test moves it, and a queue of what was to come soon. */
export class ManualClock implements Clock {
  #nowMs: number;
  /** How far the wall clock is from the one that only goes on. */
  #wallMs = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  readonly #soon: (() => void)[] = [];

  constructor(nowMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs + this.#wallMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Timers that nobody has cancelled: what would keep a process alive. */
  get timersOpen(): number {
    return this.#timers.length;
  }

  /** When the next timer is due, on the scale of `monotonic`. */
  get next(): number | undefined {
    return this.#due(Number.POSITIVE_INFINITY)?.at;
  }

  /** Runs the oldest of what was to come soon. */
  runSoon(): boolean {
    const run = this.#soon.shift();
    run?.();
    return run !== undefined;
  }

  /** Somebody sets the wall clock, or the machine has slept: no time has passed for this process. */
  setWall(aheadMs: number): void {
    this.#wallMs += aheadMs;
  }

  /** Moves time on, running each timer at its own instant. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (let next = this.#due(until); next !== undefined; next = this.#due(until)) {
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.run();
    }
    this.#nowMs = until;
  }

  /** Moves time on in small steps and lets promises run after each: for code that awaits between timers. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    await settled();
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left));
      await settled();
    }
  }

  #due(until: number): { readonly at: number; readonly run: () => void } | undefined {
    const due = this.#timers.filter(({ at }) => at <= until);
    return due.sort((a, b) => a.at - b.at)[0];
  }
}
