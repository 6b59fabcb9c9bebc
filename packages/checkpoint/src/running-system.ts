import { availableParallelism } from 'node:os';
import type { AnyActor, AskOptions, Asks, Ref, TellsWhenRoom } from '@tidemark/actors';
import { Border, type LookAtResources, systemClock } from '@tidemark/actors/internal';
import { DeadLetters } from './dead-letters.ts';
import type { Engine } from './engine.ts';
import type { Environment } from './environment.ts';
import { nodeEnvironment } from './environment.adapter.ts';
import { CheckpointError, stopped, toError } from './errors.ts';
import { CAPTURE_BYTES_MAX, INSPECT_MS } from './limits.ts';
import type { Savepoint } from './savepoints.ts';
import type { System, SystemOptions } from './system.ts';
import { startEngine } from './start-engine.ts';
import { SystemNews, type SystemEvents } from './system-events.ts';
import type { InspectOptions, SystemView } from './system-view.ts';
import { threadSettings } from './thread-settings.ts';

/** Starts a system whose modules this thread has loaded; a test gives it an environment of its own. */
export async function startSystem(options: SystemOptions, environment: Environment = nodeEnvironment): Promise<System> {
  const border = new Border(systemClock);
  const news = new SystemNews(options.observe);
  const engine = await startEngine(
    {
      modules: options.actors.map((url) => url.href),
      location: options.store ?? null,
      job: options.name ?? 'main',
      workers: workersOf(options.workers),
      schedule: options.schedule ?? '1s',
      timezone: options.timezone,
      keep: options.keep ?? {},
      compression: options.compression ?? 'none',
      captureBytesMax: options.captureBytesMax ?? CAPTURE_BYTES_MAX,
      copies: options.copies ?? [],
      inline: options.inline ?? false,
      threads: threadSettings(options),
      fresh: options.fresh ?? false,
      from: options.from ?? null,
      acceptDuplicates: options.acceptDuplicates ?? false,
      command: (position) => `createSystem({ …, from: ${position}, acceptDuplicates: true })`,
      ifRunning: options.ifRunning ?? 'fail',
      mapping: { drop: options.drop ?? [], rename: options.rename ?? {} },
      observe: news.tell,
      border,
      extension: null,
    },
    environment,
  );
  engine.go();
  return new RunningSystem(engine, border, news, environment.resources?.() ?? null, workersOf(options.workers));
}

class RunningSystem implements System {
  readonly #engine: Engine;
  readonly #border: Border;
  readonly #news: SystemNews;
  readonly #resources: LookAtResources | null;
  readonly #workers: number;
  readonly deadLetters: DeadLetters;
  #stopping: Promise<void> | null = null;

  constructor(engine: Engine, border: Border, news: SystemNews, resources: LookAtResources | null, workers: number) {
    this.#engine = engine;
    this.#workers = workers;
    this.#resources = resources;
    this.#news = news;
    this.#border = border;
    this.deadLetters = new DeadLetters(engine, border);
    engine.done.then(
      () => news.stopped(null),
      (error: unknown) => {
        const reason = toError(error);
        border.close(reason);
        news.stopped(reason);
      },
    );
  }

  get done(): Promise<void> {
    return this.#engine.done;
  }

  ref<D extends AnyActor>(definition: D, key: string): Ref<D> {
    return { type: definition.name, key };
  }

  tell<D>(to: Ref<D>): TellsWhenRoom<D> {
    return this.#border.tell(to);
  }

  ask<D>(to: D | Ref<D>, options?: AskOptions): Asks<D> {
    return this.#border.ask(to, options);
  }

  checkpoint(): Promise<{ readonly cut: number; readonly position: number }> {
    return this.#engine.checkpoint();
  }

  savepoint(label?: string): Promise<Savepoint> {
    return this.#engine.savepoint(label ?? null);
  }

  on<K extends keyof SystemEvents>(kind: K, listener: (event: SystemEvents[K]) => void): () => void {
    return this.#news.events.on(kind, listener);
  }

  async inspect({ timeoutMs = INSPECT_MS }: InspectOptions = {}): Promise<SystemView> {
    const { current } = this.#engine;
    if (current === null || this.#engine.over) throw stopped();
    return current.inspect(timeoutMs, this.#resources, this.#border.openAsks);
  }

  async endWorker(thread: number): Promise<void> {
    if (!Number.isInteger(thread) || thread < 1 || thread > this.#workers) {
      throw new CheckpointError(
        'WORKERS_INVALID',
        `endWorker(${thread}): expected a worker from 1 to ${this.#workers}`,
      );
    }
    await this.#engine.endWorker(thread);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const reason = stopped();
    // What came now would miss the last checkpoint.
    this.#border.closeEntry(reason);
    try {
      await this.#engine.stop(true);
    } finally {
      this.#border.close(reason);
    }
    // Rejects when the system had failed before: the last checkpoint was not taken.
    await this.#engine.done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** How many workers: what was asked for, checked, or one a core. */
export function workersOf(asked: number | undefined): number {
  const workers = asked ?? availableParallelism();
  if (Number.isInteger(workers) && workers >= 1 && workers <= WORKERS_MAX) return workers;
  throw new CheckpointError('WORKERS_INVALID', `workers: ${workers}; expected a whole number from 1 to ${WORKERS_MAX}`);
}

const WORKERS_MAX = 256;
