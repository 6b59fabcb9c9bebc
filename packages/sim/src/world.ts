import { Chance } from '@tidemark/actors/testing/internal';
import { drain } from './drain.adapter.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { Timers } from './timers.ts';
import { Trace } from './trace.ts';

export interface WorldOptions {
  readonly seed: number;
  /** Largest number of virtual milliseconds that one look at the clock takes. */
  readonly lookMs: number;
  readonly print: ((line: string) => void) | null;
}

/** A share of lanes is slow: they come to their turn one time in so many. */
const SLOW_SHARE = 0.2;
const SLOWNESS = 12;

/** Milliseconds that a look takes at most: a cut must still end within its time limit. */
const LOOK_MS_MAX = 16;

/** Things in a lane above which it is worked off in batches. */
const BACKLOG = 8;
const BATCH = 8;

/** Wall clock at virtual time 0: some instant of 2026. */
const WALL_MS = 1_780_000_000_000;

/**
 * Virtual time and the order of everything.
 *
 * Owns: the clock, the seeded chance, the lanes with something to do. Does not own: what the things are.
 *
 * - V1 One thing at a time; what it makes ready by promises is done before the next.
 * - V2 Which lane comes next, only the seed decides; within a lane the order is kept.
 * - V3 Time passes when the clock is looked at, and jumps to the next timer when nothing else is to do.
 */
export class World {
  readonly chance: Chance;
  readonly trace: Trace;
  /** Virtual milliseconds since the beginning; never goes back. */
  now = 0;
  /** By how much the wall clock is wrong. */
  wallError = 0;
  steps = 0;
  #lookMs: number;
  readonly #timers = new Timers();
  readonly #ready: Lane[] = [];
  readonly #urgent: (() => void)[] = [];
  /** Something that no real program could go on after: the step that threw, and what. */
  thrown: ((lane: Lane, error: unknown) => void) | null = null;
  readonly #changed = (lane: Lane): void => this.#place(lane);

  constructor(options: WorldOptions) {
    this.chance = new Chance(options.seed);
    this.trace = new Trace(options.print);
    this.#lookMs = options.lookMs;
  }

  get lookMs(): number {
    return this.#lookMs;
  }

  get wall(): number {
    return Math.floor(WALL_MS + this.now + this.wallError);
  }

  /** A look at the monotonic clock. */
  look(): number {
    this.now += this.chance.fraction() * this.#lookMs;
    return this.now;
  }

  /** From now on a look takes so many times longer: for waits that nothing of interest happens in. */
  hurry(times: number): void {
    this.#lookMs = Math.min(this.#lookMs * times, LOOK_MS_MAX);
  }

  lane(label: string, owner: LaneOwner | null): Lane {
    return new Lane(label, owner, this.chance.isTrue(SLOW_SHARE), this.#changed);
  }

  /** Runs `run` on the lane after a delay; the returned function cancels it. */
  after(lane: Lane, delayMs: number, run: () => void): () => void {
    return this.#timers.add(this.now + Math.max(delayMs, 0), lane, run);
  }

  /** Runs ahead of everything else, as the next step. */
  urgently(run: () => void): void {
    this.#urgent.push(run);
  }

  note(text: string): void {
    this.trace.note(this.now, text);
  }

  /** One thing. Answers whether there was any. */
  async step(): Promise<boolean> {
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) {
      this.trace.step('urgent', this.now);
      urgent();
      await drain();
      return true;
    }
    this.#timers.release(this.now);
    if (this.#ready.length === 0) {
      const next = this.#timers.next();
      if (next === Number.POSITIVE_INFINITY) return false;
      this.now = Math.max(this.now, next);
      this.#timers.release(this.now);
      // What was due may belong to somebody who is paused.
      if (this.#ready.length === 0) return true;
    }
    const lane = this.#pick();
    this.steps++;
    this.trace.step(lane.label, this.now);
    try {
      // What piles up is worked off faster than it comes, as an event loop would.
      for (let things = lane.length > BACKLOG ? BATCH : 1; things > 0 && lane.ready; things--) lane.take()();
    } catch (error) {
      if (this.thrown === null) throw error;
      this.thrown(lane, error);
    }
    await drain();
    return true;
  }

  #pick(): Lane {
    let lane = this.chance.pick(this.#ready);
    if (lane.slow && lane.length < BACKLOG && this.#ready.length > 1 && this.chance.below(SLOWNESS) > 0)
      lane = this.chance.pick(this.#ready);
    return lane;
  }

  #place(lane: Lane): void {
    if (lane.ready) {
      if (lane.readyAt >= 0) return;
      lane.readyAt = this.#ready.length;
      this.#ready.push(lane);
    } else if (lane.readyAt >= 0) {
      const last = this.#ready.pop()!;
      if (last !== lane) {
        this.#ready[lane.readyAt] = last;
        last.readyAt = lane.readyAt;
      }
      lane.readyAt = -1;
    }
  }
}
