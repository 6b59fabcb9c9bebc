import { Engine, type Environment, nodeEnvironment, parseSchedule } from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { ManualClock, settled } from '../../../actors/test/support/manual-clock.ts';
import { engineOptions } from './engine-options.ts';
import { JOB, JobLog } from './job-log.ts';

const OPTIONS = engineOptions({ job: JOB, schedule: '1s' });

/** A start of an inline system over a store, step by step: each call of the store and each word of a worker is a step. */
export class SteppedStart {
  readonly clock = new ManualClock();
  readonly engine: Engine;
  steps = 0;
  /** A worker is gone. */
  lose: () => void = () => undefined;
  readonly #onStep: (step: number, start: SteppedStart) => void;

  constructor(store: Store, onStep: (step: number, start: SteppedStart) => void = () => undefined) {
    this.#onStep = onStep;
    const environment: Environment = {
      ...nodeEnvironment,
      clock: this.clock,
      openStore: async () => {
        this.#step();
        return this.#stepped(store);
      },
      startThreads: (options) => {
        this.lose = () => options.lost(1, new Error('it was shot'));
        const threads = nodeEnvironment.startThreads(options);
        const lines = threads.lines.map((line): typeof line => ({
          ...line,
          listen: (receive) =>
            line.listen((says) => {
              this.#step();
              receive(says);
            }),
        }));
        return { ...threads, lines };
      },
    };
    this.engine = new Engine(OPTIONS, environment, null);
  }

  /** As `startEngine` does it. */
  async run(): Promise<void> {
    try {
      await this.engine.start(parseSchedule(OPTIONS.schedule));
    } catch (error) {
      await this.engine.kill();
      throw error;
    }
  }

  /** What is still open when everything has had its time. */
  async timersLeft(): Promise<number> {
    for (let i = 0; i < 5; i++) await settled();
    return this.clock.timersOpen;
  }

  #step(): void {
    this.#onStep(++this.steps, this);
  }

  /** A call is two steps: before it is made, and before its answer comes. */
  #stepped(store: Store): Store {
    const stepped = async <R>(call: () => Promise<R>): Promise<R> => {
      this.#step();
      const answer = await call();
      this.#step();
      return answer;
    };
    return {
      url: store.url,
      supports: store.supports,
      put: (name, body, options) => stepped(() => store.put(name, body, options)),
      putIfAbsent: (name, bytes, options) => stepped(() => store.putIfAbsent(name, bytes, options)),
      replace: (name, bytes, options) => stepped(() => store.replace(name, bytes, options)),
      get: (name, options) => stepped(() => store.get(name, options)),
      list: (prefix, options) => stepped(() => store.list(prefix, options)),
      delete: (name, options) => stepped(() => store.delete(name, options)),
      close: () => store.close(),
    };
  }
}

/** A store with one checkpoint, of an owner that has ended. */
export async function storeToRestore(): Promise<MemoryStore> {
  const log = await JobLog.open();
  await log.term('fresh');
  await log.checkpoint({ parts: [] });
  return log.store;
}
