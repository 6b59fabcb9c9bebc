import type { AnyActor, AnyService, Asks, AskOptions, Ref, Service, TellsWhenRoom } from '@tidemark/actors';
import {
  type ActorAddress,
  Border,
  type DeadLetter,
  type HungCall,
  Runtime,
  type RuntimeOptions,
} from '@tidemark/actors/internal';
import { ManualClock, settled } from './manual-clock.ts';
import { Network } from './network.ts';

/** Host and workers as Runtimes in one thread: nothing moves before the test says so. */
export class Threads {
  readonly clock = new ManualClock();
  readonly network: Network;
  readonly border: Border;
  readonly runtimes: readonly Runtime[];
  readonly failures: unknown[] = [];
  readonly logged: string[] = [];
  readonly letters: DeadLetter[] = [];
  /** Calls of services that ran on for a second after they were aborted. */
  readonly hung: HungCall[] = [];
  readonly ingress: Int32Array;
  /** Open calls of services by thread. */
  readonly calls: Int32Array;
  readonly #more: Pick<RuntimeOptions, 'overrunBytes' | 'slice'>;

  constructor(
    workers: number,
    term = 1,
    careful: readonly ActorAddress[] = [],
    more: Pick<RuntimeOptions, 'overrunBytes' | 'slice'> = {},
  ) {
    this.#more = more;
    this.network = new Network(workers + 1);
    this.border = new Border(this.clock);
    this.ingress = new Int32Array(workers + 1);
    this.calls = new Int32Array(workers + 1);
    this.runtimes = Array.from({ length: workers + 1 }, (_, thread) => this.#runtime(thread, workers, term, careful));
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

  /** Asks a service. */
  askService<D extends AnyService>(definition: D, options?: AskOptions): Asks<Service<D['on']>> {
    return this.border.ask(definition, options) as Asks<Service<D['on']>>;
  }

  /** Lets everything run, also what services await. */
  async runAll(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      this.run();
      await settled();
    }
    if (this.failures.length > 0) throw this.failures[0];
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

  #runtime(thread: number, workers: number, term: number, careful: readonly ActorAddress[]): Runtime {
    return new Runtime({
      thread,
      workers,
      generation: 1,
      term,
      clock: this.clock,
      peers: this.network.peers(thread),
      ingress: this.ingress,
      calls: this.calls,
      careful,
      ...this.#more,
      letter: (letter) => this.letters.push(letter),
      hungServiceMs: 1_000,
      hung: (call) => this.hung.push(call),
      random: () => 0.25,
      fail: (error) => this.failures.push(error),
      log: (text) => this.logged.push(text),
      ...(thread === 0
        ? { answered: (ask, askTerm, answer, cut) => this.border.answered(ask, askTerm, answer, cut) }
        : {}),
    });
  }
}
