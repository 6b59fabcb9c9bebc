import type { AnyActor, Asks, Ref, TellsWhenRoom } from '@tidemark/actors';
import { Border, Runtime } from '@tidemark/actors/internal';
import { ManualClock } from './manual-clock.ts';
import { Network } from './network.ts';

/** Host and workers as Runtimes in one thread: nothing moves before the test says so. */
export class Threads {
  readonly clock = new ManualClock();
  readonly network: Network;
  readonly border: Border;
  readonly runtimes: readonly Runtime[];
  readonly failures: unknown[] = [];
  readonly logged: string[] = [];
  readonly ingress: Int32Array;

  constructor(workers: number, term = 1) {
    this.network = new Network(workers + 1);
    this.border = new Border(this.clock);
    this.ingress = new Int32Array(workers + 1);
    this.runtimes = Array.from({ length: workers + 1 }, (_, thread) => this.#runtime(thread, workers, term));
    this.border.use(this.host);
  }

  get host(): Runtime {
    return this.runtimes[0];
  }

  go(): this {
    for (const runtime of this.runtimes) runtime.go();
    return this;
  }

  ref<D extends AnyActor>(definition: D, key = 'a'): Ref<D> {
    return { type: definition.name, key };
  }

  /** Sends; what cannot be sent is the test's error. */
  tell<D extends AnyActor>(definition: D, key = 'a'): TellsWhenRoom<D> {
    return this.border.tell(this.ref(definition, key));
  }

  ask<D extends AnyActor>(definition: D, key = 'a'): Asks<D> {
    return this.border.ask(this.ref(definition, key));
  }

  /** Lets everything run until nothing moves any more. */
  run(): void {
    for (let moved = true; moved; ) {
      moved = this.clock.runSoon();
      for (const { from, to } of this.network.loaded) {
        this.network.deliver(from, to);
        moved = true;
      }
    }
  }

  /** Lets everything run, and gives the answer; a thread that failed is the test's error. */
  async answerOf<T>(answer: Promise<T>): Promise<T> {
    this.run();
    if (this.failures.length > 0) throw this.failures[0];
    return answer;
  }

  #runtime(thread: number, workers: number, term: number): Runtime {
    return new Runtime({
      thread,
      workers,
      generation: 1,
      term,
      clock: this.clock,
      peers: this.network.peers(thread),
      ingress: this.ingress,
      fail: (error) => this.failures.push(error),
      log: (text) => this.logged.push(text),
      ...(thread === 0 ? { answered: (ask, askTerm, answer) => this.border.answered(ask, askTerm, answer) } : {}),
    });
  }
}
