import type { Clock } from './clock.ts';
import { WATCHDOG_LOOKS, WATCHDOG_PATIENCE } from './limits.ts';

/** What the watchdog sees of a thread. */
export interface Watched {
  readonly thread: number;
  /** Counts up while the thread's event loop turns; 0 until it does, and then the time for starting bounds it. */
  readonly beats: () => number;
  /** Milliseconds so far that it was ready to run and had no core; 0 where nobody knows. */
  readonly waitedMs: () => number;
}

export interface WatchdogOptions {
  readonly limitMs: number;
  readonly clock: Clock;
  /** The threads that live now; a new thread is a new object. */
  readonly threads: () => readonly Watched[];
  /** Somebody looks at the threads with a debugger, which stops them at will. */
  readonly debugged: () => boolean;
  /** Half of its time is over: told once for each silence. */
  readonly silent: (thread: number, silentMs: number) => void;
  /** It will not come back. */
  readonly stuck: (thread: number, silentMs: number) => void;
}

interface Silence {
  beats: number;
  waitedMs: number;
  silentMs: number;
  told: boolean;
}

/**
 * Tells a thread that runs one turn without end from one that has nothing to do, or no core.
 *
 * Owns how long each thread has been silent. Does not own the threads, nor what becomes of them.
 *
 * - A18 Only time in which a thread could have run counts: not while it waited for a core, and of the time between two looks
 *   no more than two looks should take. So neither a busy machine, nor a host that was blocked itself, nor a machine that
 *   slept makes a thread look stuck.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #lookMs: number;
  readonly #silences = new WeakMap<Watched, Silence>();
  #lookedAt = 0;
  #cancel: () => void = () => undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lookMs = lookMs(options.limitMs);
  }

  start(): void {
    this.#lookedAt = this.#options.clock.monotonic();
    this.#wait();
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#options.clock.after(this.#lookMs, () => {
      // First: what is told may stop this watchdog.
      this.#wait();
      this.#look();
    });
  }

  #look(): void {
    const { clock, threads, debugged } = this.#options;
    const now = clock.monotonic();
    const passedMs = Math.min(now - this.#lookedAt, 2 * this.#lookMs);
    this.#lookedAt = now;
    const countedMs = debugged() ? 0 : passedMs;
    for (const thread of threads()) this.#lookAt(thread, countedMs);
  }

  #lookAt(watched: Watched, passedMs: number): void {
    const { limitMs, silent, stuck } = this.#options;
    const beats = watched.beats();
    if (beats === 0) return;
    const before = this.#silences.get(watched);
    if (before === undefined || before.beats !== beats) {
      this.#silences.set(watched, { beats, waitedMs: watched.waitedMs(), silentMs: 0, told: false });
      return;
    }
    const waitedMs = watched.waitedMs();
    before.silentMs += Math.max(0, passedMs - (waitedMs - before.waitedMs));
    before.waitedMs = waitedMs;
    const patienceMs = limitMs * WATCHDOG_PATIENCE;
    if (before.silentMs >= patienceMs) {
      this.#silences.delete(watched);
      stuck(watched.thread, before.silentMs);
    } else if (before.silentMs >= patienceMs / 2 && !before.told) {
      before.told = true;
      silent(watched.thread, before.silentMs);
    }
  }
}

/** Milliseconds between two looks, and between two beats. */
export function lookMs(limitMs: number): number {
  return Math.max(1, limitMs / WATCHDOG_LOOKS);
}

/** Whether there is anything to watch for. */
export function isWatching(limitMs: number): boolean {
  return limitMs > 0 && Number.isFinite(limitMs);
}
