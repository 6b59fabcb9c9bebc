import type { ActorAddress } from '../errors.ts';
import type { Answer } from '../messages.ts';
import { Runtime } from '../runtime.ts';
import type { DeadLetter } from '../turns.ts';
import type { Chance } from './chance.ts';
import type { ManualClock } from './manual-clock.ts';
import { Scheduler } from './scheduler.ts';
import type { TestCut } from './test-cut.ts';

export interface TestGenerationOptions {
  readonly workers: number;
  readonly number: number;
  readonly term: number;
  readonly chance: Chance;
  readonly clock: ManualClock;
  readonly careful: readonly ActorAddress[];
  /** What it begins from. */
  readonly from: TestCut | null;
  readonly woken: () => void;
  readonly fail: (error: unknown) => void;
  readonly log: (text: string) => void;
  readonly letter: (letter: DeadLetter) => void;
  readonly answered: (ask: number, term: number, answer: Answer, cut: number) => void;
}

/** Threads between two restores: production runtimes, all in this thread. */
export class TestGeneration {
  readonly scheduler: Scheduler;
  readonly runtimes: readonly Runtime[];
  /** Open calls of services by thread. */
  readonly #calls: Int32Array;

  constructor(options: TestGenerationOptions) {
    const { workers, chance, clock, woken } = options;
    const threads = workers + 1;
    this.scheduler = new Scheduler(threads, chance.fork(), clock, woken);
    this.#calls = new Int32Array(threads);
    const ingress = new Int32Array(threads);
    this.runtimes = Array.from({ length: threads }, (_, thread) => this.#runtime(thread, options, ingress));
  }

  get host(): Runtime {
    return this.runtimes[0];
  }

  /** Calls of services that nobody has answered yet. */
  get callsOpen(): number {
    return this.#calls.reduce((sum, calls) => sum + calls, 0);
  }

  go(): void {
    for (const runtime of this.runtimes) runtime.go();
  }

  stop(): void {
    for (const runtime of this.runtimes) runtime.stop();
  }

  #runtime(thread: number, options: TestGenerationOptions, ingress: Int32Array): Runtime {
    const { workers, number, term, chance, careful, from, fail, log, letter, answered } = options;
    const random = chance.fork();
    const { scheduler } = this;
    return new Runtime({
      thread,
      workers,
      generation: number,
      term,
      cut: from?.cut ?? 0,
      clock: scheduler.clockOf(thread),
      peers: scheduler.peers(thread),
      ingress,
      calls: this.#calls,
      careful,
      slice: scheduler.slice,
      random: () => random.fraction(),
      fail,
      log,
      letter,
      ...(thread === 0 ? { answered } : {}),
    });
  }
}
