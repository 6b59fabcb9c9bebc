import {
  ActorError,
  definitions,
  type HostSays,
  RemoteError,
  Runtime,
  type Sight,
  type Threads,
  type UnitData,
  type WorkerSays,
} from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { Choice } from './choose.ts';
import { type Compressor, openCompressor } from './compression.ts';
import type { EngineEvent, EngineOptions, Prepared } from './engine-options.ts';
import type { Environment } from './environment.ts';
import { nodeEnvironment } from './environment.adapter.ts';
import { CheckpointError } from './errors.ts';
import { Generator, type Published } from './generator.ts';
import { parseKeep } from './keep.ts';
import { RECORDS_PER_PASS, STOP_MS } from './limits.ts';
import type { Log } from './log.ts';
import type { Owner } from './owner.ts';
import { Participant, type PartSays } from './participant.ts';
import { distribute, type Load, type Loads, type Placement } from './recovery.ts';
import { Retention } from './retention.ts';
import { type Savepoint, Savepoints } from './savepoints.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { takeOver, type TakenOver } from './take-over.ts';
import { WorkerGroup } from './worker-group.ts';

/** All that a start needs after it has taken over: worked out before, so that it may still refuse. */
interface ToRun {
  readonly data: unknown;
  readonly loads: Loads;
}

/**
 * Opens the store, chooses, owns, starts the threads, restores. The order is that of architecture §6: everything that
 * may refuse comes before the first side effect, which is the term record.
 */
export async function startEngine(options: EngineOptions, environment: Environment = nodeEnvironment): Promise<Engine> {
  // All that can be wrong with the arguments is found before anything is touched.
  const schedule = parseSchedule(options.schedule, options.timezone);
  parseKeep(options.keep);
  const compressor = await openCompressor(options.compression);
  const engine = new Engine(options, environment, compressor);
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
  readonly #environment: Environment;
  readonly #compressor: Compressor | null;
  readonly done: Promise<void>;
  #settle: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  #threads: Threads | null = null;
  #workers: WorkerGroup | null = null;
  #runtime: Runtime | null = null;
  #participant: Participant | null = null;
  #generator: Generator | null = null;
  #store: Store | null = null;
  #owner: Owner | null = null;
  #log: Log | null = null;
  #retention: Retention | null = null;
  #savepoints: Savepoints | null = null;
  #ended = false;
  #finished = false;
  /** Why the system cannot go on. */
  #failure: Error | null = null;
  #killing: Promise<void> = Promise.resolve();

  constructor(options: EngineOptions, environment: Environment, compressor: Compressor | null) {
    this.#options = options;
    this.#compressor = compressor;
    this.#environment = environment;
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
    const { clock } = this.#environment;
    const beganAt = clock.monotonic();
    this.#startThreads();
    const store = await this.#environment.openStore(options.location ?? `memory:${options.job}-${clock.monotonic()}`);
    this.#store = store;
    this.#assertGoing();
    const own = await this.#takeOver(store);
    if (own === null) {
      this.#finished = true;
      await this.kill();
      return;
    }
    const { log, choice, term, prepared } = own;
    this.#owner = own.owner;
    this.#log = log;
    this.#assertGoing();
    const record = choice.checkpoint?.record ?? null;
    const ingress = new Int32Array(new SharedArrayBuffer(4 * (options.workers + 1)));
    this.#makeRuntime(term, ingress);
    await this.#workers?.start({ term, workers: options.workers, extensionData: prepared.data, ingress });
    await this.#load(prepared.loads);
    this.#observe({ kind: 'term', term, from: record?.position ?? null, location: store.url });
    if (record !== null) {
      const durationMs = Math.round(clock.monotonic() - beganAt);
      this.#observe({ kind: 'restored', cut: record.cut, position: record.position, durationMs });
    }
    this.#makeGenerator(store, own, options.location === null ? null : schedule);
    this.#assertGoing();
  }

  /** Begins to run turns and to take checkpoints. */
  go(): void {
    this.#workers?.sayAll({ kind: 'go' });
    this.#runtime?.go();
    this.#generator?.start();
    if (this.#options.location !== null) this.#savepoints?.start();
  }

  say(thread: number, says: HostSays): void {
    this.#workers?.say(thread, says);
  }

  checkpoint(): Promise<Published> {
    if (this.#generator === null) return Promise.reject(stopped());
    return this.#generator.checkpoint();
  }

  /** Takes a checkpoint and pins it under a name; null for one of its own. */
  savepoint(label: string | null): Promise<Savepoint> {
    if (this.#savepoints === null) return Promise.reject(stopped());
    return this.#savepoints.take(label);
  }

  /** The system has ended, well or not. */
  get over(): boolean {
    return this.#ended;
  }

  /** Takes no more checkpoints by schedule; resolves when none is under way. */
  async hold(): Promise<void> {
    await this.#generator?.hold();
  }

  /** Runs `work` while no checkpoint is under way and none begins; the schedule does not go on afterwards. */
  async withoutCuts(work: () => Promise<void>): Promise<void> {
    await this.#generator?.withoutCuts(work);
  }

  /** Looks at all threads once. */
  async look(): Promise<readonly Sight[]> {
    const own = this.#runtime?.look();
    const sights = (await this.#workers?.look()) ?? [];
    return own === undefined ? sights : [own, ...sights];
  }

  /** Ends the system, with a last checkpoint if asked for. */
  async stop(withCheckpoint: boolean): Promise<void> {
    if (this.#ended) return this.#killing;
    this.#savepoints?.stop();
    let failure: Error | null = null;
    if (withCheckpoint && this.#generator !== null && this.#options.location !== null) {
      try {
        await this.#generator.checkpoint();
      } catch (error) {
        failure = toError(error);
      }
    }
    if (this.#ended) return this.#killing;
    this.#ended = true;
    this.#generator?.workerLost(stopped());
    this.#log?.close();
    this.#runtime?.stop();
    const cancel = this.#environment.clock.after(STOP_MS, () => void this.#threads?.kill());
    await this.#threads?.stop();
    cancel();
    await this.#retention?.idle();
    await this.#owner?.release();
    await this.#store?.close();
    if (failure === null) this.#settle.resolve();
    else {
      this.#settle.reject(failure);
      throw failure;
    }
  }

  /** Ends the system as it is, in any phase of its life. */
  kill(): Promise<void> {
    this.#ended = true;
    // Never rejects: whoever kills has a reason of its own to tell.
    this.#killing = this.#end().catch(() => undefined);
    return this.#killing;
  }

  async #end(): Promise<void> {
    // Whoever waits for a checkpoint, or for the workers, hears of the end, also where nothing had failed.
    const reason = this.#failure ?? stopped();
    this.#savepoints?.stop();
    this.#generator?.workerLost(reason);
    this.#workers?.fail(reason);
    this.#log?.close();
    this.#runtime?.stop();
    this.#owner?.stop();
    await this.#threads?.kill();
    // The job is another's now if we are fenced: then its file is not ours to write.
    if (!isFenced(this.#failure)) await this.#owner?.release();
    await this.#store?.close();
  }

  // ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────

  #startThreads(): void {
    const { workers, inline, modules, extension } = this.#options;
    const threads = this.#environment.startThreads({
      workers,
      inline,
      // Inline workers live in this thread, which has them already.
      modules: inline ? [] : modules,
      extension: extension?.workerModule.href ?? null,
      entry: new URL('./worker-door.cjs', import.meta.url),
      lost: (thread, cause) => {
        const what = cause instanceof Error ? cause.message : String(cause);
        this.#fail(new ActorError('WORKER_LOST', `worker ${thread} is gone: ${what}`, { cause }));
      },
    });
    this.#threads = threads;
    this.#workers = new WorkerGroup(threads.lines, this.#environment.clock);
    for (const line of threads.lines) line.listen((says) => this.#heard(line.thread, says));
  }

  #takeOver(store: Store): Promise<TakenOver<ToRun> | null> {
    const { job, fresh, from, acceptDuplicates, command, extension, keep } = this.#options;
    const warn = (code: string, message: string): void => this.#observe({ kind: 'warning', code, message });
    return takeOver<ToRun>(
      { store, job, environment: this.#environment },
      { fresh, from, acceptDuplicates, command, warn, keep: parseKeep(keep) },
      async (choice) => {
        const prepared = (await extension?.prepare(choice.checkpoint?.record ?? null)) ?? NOTHING_ADDED;
        this.#assertGoing();
        if (prepared.kind === 'finished') return null;
        return { data: prepared.data, loads: this.#distribute(choice, prepared.units) };
      },
    );
  }

  /** What each thread gets: of the checkpoint, or of a beginning. Refuses state that nobody claims. */
  #distribute(choice: Choice, firstUnits: readonly UnitData[]): Loads {
    const { workers, extension } = this.#options;
    const placement = extension?.placement ?? NO_TASKS;
    if (choice.checkpoint !== null) {
      const { record, parts } = choice.checkpoint;
      return distribute(record, parts, workers, placement);
    }
    const loads = Array.from({ length: workers + 1 }, (): Load => ({ units: [], frames: [] }));
    for (const unit of firstUnits) loads[placement.placeUnit(unit, workers)].units.push(unit);
    return loads;
  }

  #makeRuntime(term: number, ingress: Int32Array): void {
    const { workers, border } = this.#options;
    const runtime = new Runtime({
      thread: 0,
      workers,
      generation: 1,
      term,
      clock: this.#environment.clock,
      peers: this.#threads?.peers ?? [],
      ingress,
      fail: (error) => this.#fail(toError(error)),
      log: (text) => this.#observe({ kind: 'log', thread: 0, text }),
      answered: (ask, askTerm, answer) => border?.answered(ask, askTerm, answer),
    });
    const participant = new Participant(runtime, this.#environment.inlineBytesMax, (says) =>
      this.#generator?.part(0, says),
    );
    runtime.useHooks(participant);
    border?.use(runtime);
    this.#runtime = runtime;
    this.#participant = participant;
  }

  /** Gives every thread its units and its motion back (C18). */
  async #load(loads: Loads): Promise<void> {
    for (const unit of loads[0].units) this.#runtime?.loadUnit(unit);
    for (const frame of loads[0].frames) this.#runtime?.loadFrame(frame);
    await this.#workers?.load(loads);
  }

  #makeGenerator(store: Store, own: TakenOver<ToRun>, schedule: Schedule | null): void {
    const { log, term, choice } = own;
    const { job, workers, extension } = this.#options;
    const warn = (code: string, message: string): void => this.#observe({ kind: 'warning', code, message });
    const { keep } = this.#options;
    const { clock } = this.#environment;
    const retention = new Retention({ store, job, log, keep, clock, recordsPerPass: RECORDS_PER_PASS, warn });
    this.#retention = retention;
    this.#savepoints = new Savepoints({ store, job, clock, checkpoint: () => this.checkpoint(), warn });
    this.#generator = new Generator({
      store,
      log,
      retention,
      compressor: this.#compressor,
      captureBytesMax: this.#options.captureBytesMax,
      inlineBytesMax: this.#environment.inlineBytesMax,
      job,
      term,
      clock,
      newId: this.#environment.randomId,
      threads: workers + 1,
      definitions: Object.fromEntries([...definitions()].map(([name, { version }]) => [name, version])),
      nextCut: choice.cut + 1,
      schedule,
      begin: (cut, published) => this.#participant?.flip(cut, published),
      abandon: (cut) => {
        this.#participant?.abandon(cut);
        this.#workers?.sayAll({ kind: 'abandon', cut });
      },
      release: (published) => {
        this.#workers?.sayAll({ kind: 'published', cut: published.cut, position: published.position });
        this.#observe({ kind: 'checkpoint', ...published });
        extension?.published(published);
      },
      failed: (cut, error) => {
        const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
        this.#observe({ kind: 'checkpoint-failed', cut, code, message: error.message });
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
      this.#fail(toError(error));
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
        this.#observe({ kind: 'log', thread, text: says.text });
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

  /** An observer that throws has not seen what it must: the system ends with its error. */
  #observe(event: EngineEvent): void {
    try {
      this.#options.observe(event);
    } catch (error) {
      this.#fail(toError(error));
    }
  }

  /** A start goes no further when the system has failed meanwhile, or was ended. */
  #assertGoing(): void {
    if (this.#ended) throw this.#failure ?? new ActorError('SYSTEM_STOPPED', 'the system was ended while it started');
  }

  /** The system cannot go on: the process that holds it starts again from the last checkpoint. */
  #fail(error: Error): void {
    if (this.#ended) return;
    this.#failure = error;
    void this.kill();
    this.#settle.reject(error);
  }
}

function stopped(): ActorError {
  return new ActorError('SYSTEM_STOPPED', 'the system has stopped');
}

function isFenced(error: Error | null): boolean {
  return error instanceof CheckpointError && error.code === 'FENCED';
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

const NOTHING_ADDED: Prepared = { kind: 'run', data: null, units: [] };

const NO_TASKS: Placement = {
  knows: () => false,
  placeUnit: () => 0,
  splitBatch: () => new Map(),
};
