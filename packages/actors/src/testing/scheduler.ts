import type { Clock } from '../clock.ts';
import type { Peer } from '../messages.ts';
import { Chance } from './chance.ts';
import type { ManualClock } from './manual-clock.ts';
import { Network } from './network.ts';

/** Turns of one slice at most: as many as production runs between two looks at its clock. */
const SLICE_TURNS = 16;

/**
 * Decides by a seed what happens next among threads that all run in this one: which of them runs a slice, how long it is,
 * and which way delivers its oldest frame. On one way nothing overtakes.
 */
export class Scheduler {
  readonly network: Network;
  readonly #chance: Chance;
  readonly #clock: ManualClock;
  /** What each thread is to run soon. */
  readonly #soon: (() => void)[][];
  readonly #woken: () => void;

  /** @param woken a thread has something to run */
  constructor(threads: number, chance: Chance, clock: ManualClock, woken: () => void) {
    this.network = new Network(threads);
    this.#chance = chance;
    this.#clock = clock;
    this.#soon = Array.from({ length: threads }, () => []);
    this.#woken = woken;
  }

  peers(thread: number): Peer[] {
    return this.network.peers(thread);
  }

  clockOf(thread: number): Clock {
    const clock = this.#clock;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (delayMs, run) => clock.after(delayMs, run),
      soon: (run) => {
        this.#soon[thread].push(run);
        this.#woken();
      },
    };
  }

  /** Slices of one look at the clock, and of a few turns or of many. */
  get slice(): { readonly ms: number; readonly turns: number } {
    const chance = this.#chance;
    return {
      ms: 0,
      get turns() {
        return chance.below(2) === 0 ? 1 : 1 + chance.below(SLICE_TURNS);
      },
    };
  }

  get isQuiet(): boolean {
    return this.network.loaded.length === 0 && this.#soon.every(({ length }) => length === 0);
  }

  /** One thing happens. Answers whether anything could. */
  step(): boolean {
    const threads = [...this.#soon.keys()].filter((thread) => this.#soon[thread].length > 0);
    const ways = this.network.loaded;
    if (threads.length + ways.length === 0) return false;
    const chosen = this.#chance.below(threads.length + ways.length);
    if (chosen < threads.length) this.#soon[threads[chosen]].shift()?.();
    else {
      const { from, to } = ways[chosen - threads.length];
      this.network.deliver(from, to);
    }
    return true;
  }
}
