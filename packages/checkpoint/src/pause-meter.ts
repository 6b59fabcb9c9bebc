import type { Clock } from '@tidemark/actors/internal';

/** A moment of a thread, and how many milliseconds it had waited for a core until then. */
export interface Instant {
  readonly at: number;
  readonly preemptedMs: number;
}

/** Time without a turn. */
interface Stretch {
  readonly from: Instant;
  readonly until: Instant;
}

/** Shorter stretches are told as they are. */
const STRETCH_MS = 0.5;

/** After so long the event loop has turned often enough for the collector to have told what it did. */
const COLLECTOR_TELLS_MS = 1_000;

/** A question to the system that took longer was interrupted: which side of the answer that was, nobody knows. */
const READ_MS = 0.1;
const READS_MAX = 4;

/**
 * How long one thread ran no turn because of one cut: the longest stretch, without collections of garbage and without what the
 * system gave to other threads meanwhile.
 */
export class PauseMeter {
  /** Of the stretches that are settled. */
  pauseMs = 0;
  readonly begun: Instant;
  readonly #clock: Clock;
  /** Long ones of which it is not yet known what the collector took. */
  readonly #long: Stretch[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begun = this.look();
  }

  look(): Instant {
    const clock = this.#clock;
    if (clock.preempted === undefined) return { at: clock.monotonic(), preemptedMs: 0 };
    for (let reads = 1; ; reads++) {
      const before = clock.monotonic();
      const preemptedMs = clock.preempted();
      const at = clock.monotonic();
      // To ask the system is where a thread loses its core most often.
      if (at - before < READ_MS || reads === READS_MAX) return { at, preemptedMs };
    }
  }

  /** A stretch ends now. */
  note(from: Instant): void {
    const stretch = { from, until: this.look() };
    if (lengthOf(stretch) > STRETCH_MS) this.#long.push(stretch);
    else this.pauseMs = Math.max(this.pauseMs, lengthOf(stretch));
  }

  /** Settles the stretches that ended long enough before `now`. */
  settle(now: number): void {
    while (this.#long.length > 0 && this.#long[0].until.at < now - COLLECTOR_TELLS_MS) {
      const stretch = this.#long.shift()!;
      const collectedMs = this.#clock.collected?.(stretch.from.at, stretch.until.at) ?? 0;
      this.pauseMs = Math.max(this.pauseMs, lengthOf(stretch) - collectedMs);
    }
  }

  /** Settles all, now or as soon as the collector has told what it did, and calls `settled`. */
  end(settled: () => void): void {
    const clock = this.#clock;
    const settle = (): void => {
      this.settle(Number.POSITIVE_INFINITY);
      settled();
    };
    // Its word comes when the event loop has turned twice.
    if (this.#long.length === 0 || clock.collected === undefined) settle();
    else clock.soon(() => clock.soon(settle));
  }

  /** For how long the thread had no core since the beginning. */
  get preemptMs(): number {
    return (this.#clock.preempted?.() ?? 0) - this.begun.preemptedMs;
  }
}

function lengthOf({ from, until }: Stretch): number {
  return until.at - from.at - (until.preemptedMs - from.preemptedMs);
}
