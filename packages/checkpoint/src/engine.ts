import {
  ActorError,
  type Border,
  definitions,
  type HostSays,
  RemoteError,
  Runtime,
  type Sight,
  startThreads,
  systemClock,
  type Threads,
  type UnitData,
  type WorkerSays,
} from '@tidemark/actors/internal';
import { openStore, type Store } from '@tidemark/stores';
import type { Choice } from './choose.ts';
import { Generator, type Published } from './generator.ts';
import type { Log } from './log.ts';
import type { Owner } from './owner.ts';
import { Participant, type PartSays } from './participant.ts';
import type { CheckpointRecord } from './record.ts';
import { distribute, type Load, type Placement } from './recovery.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { takeOver, type TakenOver } from './take-over.ts';
import { WorkerGroup } from './worker-group.ts';

/** What happens to a system that an observer may want to know. */
export type EngineEvent =
  | { readonly kind: 'term'; readonly term: number; readonly from: number | null; readonly location: string }
  | { readonly kind: 'restored'; readonly cut: number; readonly position: number; readonly durationMs: number }
  | ({ readonly kind: 'checkpoint' } & Published)
  | { readonly kind: 'checkpoint-failed'; readonly cut: number; readonly code: string; readonly message: string }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  | { readonly kind: 'log'; readonly thread: number; readonly text: string };

/** What a layer above (a job) adds to a system. */
export interface HostExtension {
  /** Module with the workers' side. */
  readonly workerModule: URL;
  readonly placement: Placement;
  /** Called once with the checkpoint to go on from (null: from nothing), before any side effect. May refuse. */
  prepare(record: CheckpointRecord | null): Promise<Prepared>;
  receive(thread: number, data: unknown): void;
  /** What goes into each record. */
  record(): { readonly app: unknown; readonly finished: boolean };
  published(published: Published): void;
}

export type Prepared =
  /** Nothing to run: the job has ended with this checkpoint. */
  | { readonly kind: 'finished' }
  | {
      readonly kind: 'run';
      /** For the workers' `install`. */
      readonly data: unknown;
      /** Units of a beginning, where there is no checkpoint. */
      readonly units: readonly UnitData[];
    };

type ToRun = Extract<Prepared, { readonly kind: 'run' }>;

export interface EngineOptions {
  readonly modules: readonly string[];
  readonly location: string | null;
  readonly job: string;
  readonly workers: number;
  readonly schedule: string;
  readonly timezone: string | undefined;
  readonly inline: boolean;
  readonly fresh: boolean;
  readonly from: number | null;
  readonly acceptDuplicates: boolean;
  readonly command: (position: number) => string;
  readonly observe: (event: EngineEvent) => void;
  readonly border: Border | null;
  readonly extension: HostExtension | null;
}

const clock = systemClock;

/**
 * Opens the store, chooses, owns, starts the threads, restores. The order is that of architecture §6: everything that
 * may refuse comes before the first side effect, which is the term record.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  // All that can be wrong with the arguments is found before anything is touched.
  const schedule = parseSchedule(options.schedule, options.timezone);
  const engine = new Engine(options);
  try {
    await engine.start(schedule);
  } catch (error) {
    await engine.kill();
    throw error;
  }
  return engine;
}

/** One run of a system: threads, host runtime, generator, log. */
export class Engine {
  readonly #options: EngineOptions;
  readonly done: Promise<void>;
  #settle: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  #threads: Threads | null = null;
  #workers: WorkerGroup | null = null;
  #runtime: Runtime | null = null;
  #participant: Participant | null = null;
  #generator: Generator | null = null;
  #store: Store | null = null;
  #owner: Owner | null = null;
  #ended = false;
  #finished = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever wants to know listens to `done`; nobody must.
    this.done.catch(() => undefined);
  }

  /** The chosen checkpoint was the end of the job: nothing was started. */
  get alreadyFinished(): boolean {
    return this.#finished;
  }

  async start(schedule: Schedule): Promise<void> {
    const options = this.#options;
    const beganAt = clock.monotonic();
    this.#startThreads();
    const store = await openStore(options.location ?? `memory:${options.job}-${clock.monotonic()}`);
    this.#store = store;
    const own = await this.#takeOver(store);
    if (own === null) {
      this.#finished = true;
      await this.kill();
      return;
    }
    const { log, choice, term, prepared } = own;
    this.#owner = own.owner;
    const record = choice.checkpoint?.record ?? null;
    const ingress = new Int32Array(new SharedArrayBuffer(4 * (options.workers + 1)));
    this.#makeRuntime(term, ingress);
    await this.#workers?.start({ term, workers: options.workers, extensionData: prepared.data, ingress });
    await this.#load(choice, prepared.units);
    options.observe({ kind: 'term', term, from: record?.position ?? null, location: store.url });
    if (record !== null) {
      const durationMs = Math.round(clock.monotonic() - beganAt);
      options.observe({ kind: 'restored', cut: record.cut, position: record.position, durationMs });
    }
    this.#makeGenerator(store, log, term, choice.cut + 1, options.location === null ? null : schedule);
  }

  /** Begins to run turns and to take checkpoints. */
  go(): void {
    this.#workers?.sayAll({ kind: 'go' });
    this.#runtime?.go();
    this.#generator?.start();
  }

  say(thread: number, says: HostSays): void {
    this.#workers?.say(thread, says);
  }

  checkpoint(): Promise<Published> {
    if (this.#generator === null) return Promise.reject(new ActorError('SYSTEM_STOPPED', 'the system has stopped'));
    return this.#generator.checkpoint();
  }

  /** The system has ended, well or not. */
  get over(): boolean {
    return this.#ended;
  }

  /** Takes no more checkpoints by schedule; resolves when none is under way. */
  async hold(): Promise<void> {
    await this.#generator?.hold();
  }

  /** Looks at all threads once. */
  async look(): Promise<readonly Sight[]> {
    const own = this.#runtime?.look();
    const sights = (await this.#workers?.look()) ?? [];
    return own === undefined ? sights : [own, ...sights];
  }

  /** Ends the system, with a last checkpoint if asked for. */
  async stop(withCheckpoint: boolean): Promise<void> {
    if (this.#ended) return;
    let failure: Error | null = null;
    if (withCheckpoint && this.#generator !== null && this.#options.location !== null) {
      try {
        await this.#generator.checkpoint();
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
    }
    if (this.#ended) return;
    this.#ended = true;
    this.#generator?.stop();
    this.#runtime?.stop();
    await this.#threads?.stop();
    await this.#owner?.release();
    await this.#store?.close();
    if (failure === null) this.#settle.resolve();
    else {
      this.#settle.reject(failure);
      throw failure;
    }
  }

  async kill(): Promise<void> {
    this.#ended = true;
    this.#generator?.stop();
    this.#runtime?.stop();
    this.#owner?.stop();
    await this.#threads?.kill();
    await this.#store?.close();
  }

  // ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────

  #startThreads(): void {
    const { workers, inline, modules, extension } = this.#options;
    const threads = startThreads({
      workers,
      inline,
      // Inline workers live in this thread, which has them already.
      modules: inline ? [] : modules,
      extension: extension?.workerModule.href ?? null,
      entry: new URL('./worker-entry.js', import.meta.url),
      lost: (thread, cause) => {
        const what = cause instanceof Error ? cause.message : String(cause);
        this.#fail(new ActorError('WORKER_LOST', `worker ${thread} is gone: ${what}`, { cause }));
      },
    });
    this.#threads = threads;
    this.#workers = new WorkerGroup(threads.lines, clock);
    for (const line of threads.lines) line.listen((says) => this.#heard(line.thread, says));
  }

  #takeOver(store: Store): Promise<TakenOver<ToRun> | null> {
    const { job, fresh, from, acceptDuplicates, command, extension, observe } = this.#options;
    const warn = (code: string, message: string): void => observe({ kind: 'warning', code, message });
    return takeOver<ToRun>({ store, job, clock }, { fresh, from, acceptDuplicates, command, warn }, async (record) => {
      const prepared = (await extension?.prepare(record)) ?? NOTHING_ADDED;
      return prepared.kind === 'finished' ? null : prepared;
    });
  }

  #makeRuntime(term: number, ingress: Int32Array): void {
    const { workers, border, observe } = this.#options;
    const runtime = new Runtime({
      thread: 0,
      workers,
      generation: 1,
      term,
      clock,
      peers: this.#threads?.peers ?? [],
      ingress,
      fail: (error) => this.#fail(error instanceof Error ? error : new Error(String(error))),
      log: (text) => observe({ kind: 'log', thread: 0, text }),
      answered: (ask, askTerm, answer) => border?.answered(ask, askTerm, answer),
    });
    const participant = new Participant(runtime, (says) => this.#generator?.part(0, says));
    runtime.useHooks(participant);
    border?.use(runtime);
    this.#runtime = runtime;
    this.#participant = participant;
  }

  /** Gives every thread its units and its motion back (C18). */
  async #load(choice: Choice, firstUnits: readonly UnitData[]): Promise<void> {
    const { workers, extension } = this.#options;
    const placement = extension?.placement ?? NO_TASKS;
    const loads: Load[] = Array.from({ length: workers + 1 }, () => ({ units: [], frames: [] }));
    if (choice.checkpoint !== null) {
      const { record, parts } = choice.checkpoint;
      for (const [thread, load] of distribute(record, parts, workers, placement).entries()) {
        loads[thread].units.push(...load.units);
        loads[thread].frames.push(...load.frames);
      }
    } else for (const unit of firstUnits) loads[placement.placeUnit(unit, workers)].units.push(unit);
    for (const unit of loads[0].units) this.#runtime?.loadUnit(unit);
    for (const frame of loads[0].frames) this.#runtime?.loadFrame(frame);
    await this.#workers?.load(loads);
  }

  #makeGenerator(store: Store, log: Log, term: number, nextCut: number, schedule: Schedule | null): void {
    const { job, workers, extension, observe } = this.#options;
    this.#generator = new Generator({
      store,
      log,
      job,
      term,
      clock,
      threads: workers + 1,
      definitions: Object.fromEntries([...definitions()].map(([name, { version }]) => [name, version])),
      nextCut,
      schedule,
      begin: (cut, base) => this.#participant?.flip(cut, base),
      abandon: (cut) => {
        this.#participant?.abandon(cut);
        this.#workers?.sayAll({ kind: 'abandon', cut });
      },
      release: (published) => {
        this.#workers?.sayAll({ kind: 'published', cut: published.cut, position: published.position });
        observe({ kind: 'checkpoint', ...published });
        extension?.published(published);
      },
      failed: (cut, error) => {
        const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
        observe({ kind: 'checkpoint-failed', cut, code, message: error.message });
      },
      end: (error) => this.#fail(error),
      app: () => extension?.record() ?? { app: null, finished: false },
    });
  }

  // ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

  #heard(thread: number, says: WorkerSays): void {
    if (this.#ended) return;
    try {
      this.#act(thread, says);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #act(thread: number, says: WorkerSays): void {
    switch (says.kind) {
      case 'ready':
      case 'loaded':
      case 'seen':
        this.#workers?.heard(thread, says);
        return;
      case 'log':
        this.#options.observe({ kind: 'log', thread, text: says.text });
        return;
      case 'part':
        this.#generator?.part(thread, says.data as PartSays);
        return;
      case 'extension':
        this.#options.extension?.receive(thread, says.data);
        return;
      case 'failed':
        this.#fail(new RemoteError(says.error));
        return;
      case 'stopped':
        return;
    }
  }

  /** The system cannot go on: the process that holds it starts again from the last checkpoint. */
  #fail(error: Error): void {
    if (this.#ended) return;
    this.#workers?.fail(error);
    this.#settle.reject(error);
    void this.kill();
  }
}

const NOTHING_ADDED: ToRun = { kind: 'run', data: null, units: [] };

const NO_TASKS: Placement = {
  knows: () => false,
  placeUnit: () => 0,
  splitBatch: () => new Map(),
};
