import { hostname } from 'node:os';
import {
  ActorError,
  assertSameDefinitions,
  type Border,
  definitions,
  type HostSays,
  limits as actorLimits,
  type PackedFrame,
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
import { type Choice, choose } from './choose.ts';
import { CheckpointError } from './errors.ts';
import { Generator, type Published } from './generator.ts';
import { LOAD_BYTES, START_TRIES } from './limits.ts';
import { Log } from './log.ts';
import { Owner } from './owner.ts';
import { Participant, type PartSays } from './participant.ts';
import type { CheckpointRecord } from './record.ts';
import { distribute, type Load, type Placement } from './recovery.ts';
import { parseSchedule } from './schedule.ts';

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
  #runtime: Runtime | null = null;
  #participant: Participant | null = null;
  #generator: Generator | null = null;
  #store: Store | null = null;
  #owner: Owner | null = null;
  #ended = false;
  #finished = false;
  #looks = 0;
  readonly #seen = new Map<number, (sight: Sight) => void>();
  #ready: (thread: number, versions: Readonly<Record<string, number>>) => void = () => undefined;
  #loaded: (thread: number) => void = () => undefined;
  #startFailed: (error: Error) => void = () => undefined;

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

  async start(schedule: ReturnType<typeof parseSchedule>): Promise<void> {
    const options = this.#options;
    const beganAt = clock.monotonic();
    this.#startThreads();
    const store = await openStore(options.location ?? `memory:${options.job}-${clock.monotonic()}`);
    this.#store = store;
    const owner = new Owner(store, options.job, clock);
    await owner.assertFree();
    const own = await this.#takeOver(store, owner);
    if (own === null) return;
    const { log, choice, term, prepared } = own;
    const record = choice.checkpoint?.record ?? null;
    this.#makeRuntime(term);
    await this.#startWorkers(term, prepared.data);
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
    for (const line of this.#threads?.lines ?? []) line.say({ kind: 'go' });
    this.#runtime?.go();
    this.#generator?.start();
  }

  say(thread: number, says: HostSays): void {
    this.#threads?.lines[thread - 1]?.say(says);
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
    const sights = await Promise.all(
      (this.#threads?.lines ?? []).map(
        (line) =>
          new Promise<Sight>((resolve) => {
            const id = this.#looks++;
            this.#seen.set(id, resolve);
            line.say({ kind: 'look', id });
          }),
      ),
    );
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
    this.#threads = startThreads({
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
    for (const line of this.#threads.lines) line.listen((says) => this.#heard(line.thread, says));
  }

  /** Reads the log, chooses, and puts the term record; starts over when another owner was quicker (C13). */
  async #takeOver(
    store: Store,
    owner: Owner,
  ): Promise<{ log: Log; choice: Choice; term: number; prepared: Extract<Prepared, { kind: 'run' }> } | null> {
    const { job, fresh, from, acceptDuplicates, command, extension, observe } = this.#options;
    const warn = (code: string, message: string): void => observe({ kind: 'warning', code, message });
    for (let tries = 1; ; tries++) {
      const log = await Log.open(store, job, clock);
      if (log.last === 0) await assertOwnFolder(store, job);
      const choice = await choose(log, store, job, { fresh, from, acceptDuplicates, command, warn });
      const record = choice.checkpoint?.record ?? null;
      const prepared: Prepared = (await extension?.prepare(record)) ?? { kind: 'run', data: null, units: [] };
      if (prepared.kind === 'finished') {
        this.#finished = true;
        await this.kill();
        return null;
      }
      const term = choice.term + 1;
      try {
        await log.put({ kind: 'term', from: record?.position ?? 'fresh', host: hostname(), pid: process.pid }, term);
      } catch (error) {
        if (!(error instanceof CheckpointError) || error.code !== 'FENCED') throw error;
        await owner.assertFree();
        if (tries < START_TRIES) continue;
        throw new CheckpointError('ALREADY_RUNNING', `another process started this job at the same time: ${error.message}`, { cause: error });
      }
      this.#owner = owner;
      await owner.own(term);
      return { log, choice, term, prepared };
    }
  }

  #makeRuntime(term: number): void {
    const { workers, border, observe } = this.#options;
    const ingress = new Int32Array(new SharedArrayBuffer(4 * (workers + 1)));
    this.#ingress = ingress;
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

  #ingress: Int32Array = new Int32Array(0);

  async #startWorkers(term: number, extensionData: unknown): Promise<void> {
    const { workers } = this.#options;
    const ours = Object.fromEntries([...definitions()].map(([name, { version }]) => [name, version]));
    await this.#eachWorker('WORKER_START', 'loaded its modules', (done) => {
      this.#ready = (thread, versions) => {
        assertSameDefinitions(thread, versions, ours);
        done(thread);
      };
      for (const line of this.#threads?.lines ?? []) {
        line.say({ kind: 'start', generation: 1, term, thread: line.thread, workers, extensionData, ingress: this.#ingress });
      }
    });
  }

  /** Gives every thread its units and its motion back; resolves when all have them (C18). */
  async #load(choice: Choice, firstUnits: readonly UnitData[]): Promise<void> {
    const { workers, extension } = this.#options;
    const placement = extension?.placement ?? NO_TASKS;
    const loads: Load[] = Array.from({ length: workers + 1 }, () => ({ units: [], frames: [] }));
    if (choice.checkpoint !== null) {
      const { record, parts } = choice.checkpoint;
      for (const [thread, load] of distribute(record, parts, workers, placement).entries()) {
        loads[thread]!.units.push(...load.units);
        loads[thread]!.frames.push(...load.frames);
      }
    } else for (const unit of firstUnits) loads[placement.placeUnit(unit, workers)]!.units.push(unit);
    for (const unit of loads[0]!.units) this.#runtime?.loadUnit(unit);
    for (const frame of loads[0]!.frames) this.#runtime?.loadFrame(frame);
    await this.#eachWorker('WORKER_START', 'restored its state', (done) => {
      for (const line of this.#threads?.lines ?? []) {
        const pieces = inPieces(loads[line.thread]!);
        let open = pieces.length;
        const before = this.#loaded;
        this.#loaded = (thread) => {
          if (thread !== line.thread) before(thread);
          else if (--open === 0) done(thread);
        };
        for (const piece of pieces) line.say({ kind: 'load', ...piece });
      }
    });
  }

  /** Waits until each worker has said that it is done, within the boot deadline. */
  #eachWorker(code: 'WORKER_START', what: string, begin: (done: (thread: number) => void) => void): Promise<void> {
    const missing = new Set((this.#threads?.lines ?? []).map((line) => line.thread));
    return new Promise((resolve, reject) => {
      const cancel = clock.after(actorLimits.BOOT_MS, () => {
        const who = [...missing].join(', ');
        reject(new ActorError(code, `worker ${who} has not ${what} within ${actorLimits.BOOT_MS} ms`));
      });
      this.#startFailed = (error) => {
        cancel();
        reject(error);
      };
      begin((thread) => {
        missing.delete(thread);
        if (missing.size > 0) return;
        cancel();
        resolve();
      });
    });
  }

  #makeGenerator(store: Store, log: Log, term: number, nextCut: number, schedule: ReturnType<typeof parseSchedule> | null): void {
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
        this.#sayAll({ kind: 'abandon', cut });
      },
      release: (published) => {
        this.#sayAll({ kind: 'published', cut: published.cut, position: published.position });
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

  #sayAll(says: HostSays): void {
    for (const line of this.#threads?.lines ?? []) line.say(says);
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
        this.#ready(thread, says.versions);
        return;
      case 'loaded':
        this.#loaded(thread);
        return;
      case 'seen':
        this.#seen.get(says.id)?.(says.sight);
        this.#seen.delete(says.id);
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
    this.#startFailed(error);
    this.#settle.reject(error);
    void this.kill();
  }
}

const NO_TASKS: Placement = {
  knows: () => false,
  placeUnit: () => 0,
  splitBatch: () => new Map(),
};

/** A store that holds other jobs and not this one is most likely a mistake. */
async function assertOwnFolder(store: Store, job: string): Promise<void> {
  const other = (await store.list('')).find((name) => /^[^/]+\/log\/\d{20}$/.test(name));
  if (other === undefined) return;
  throw new CheckpointError(
    'STORE_OTHER_JOB',
    `${store.url} holds checkpoints of job '${other.split('/')[0]}', not of '${job}': give this job a store of its own`,
  );
}

/** Cuts a load into messages of bounded size; at least one. */
function inPieces(load: Load): { readonly units: readonly UnitData[]; readonly frames: readonly PackedFrame[] }[] {
  const pieces: { units: UnitData[]; frames: PackedFrame[] }[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const room = (size: number): { units: UnitData[]; frames: PackedFrame[] } => {
    if (bytes > LOAD_BYTES) {
      pieces.push({ units: [], frames: [] });
      bytes = 0;
    }
    bytes += size;
    return pieces.at(-1)!;
  };
  for (const unit of load.units) room(unit.value.length).units.push(own(unit));
  for (const frame of load.frames) room(frame.body.length).frames.push({ ...frame, body: frame.body.slice() });
  if (pieces.length === 0) pieces.push({ units: [], frames: [] });
  return pieces;
}

/** A unit's value as bytes of its own: a view would carry the whole part through the port. */
function own(unit: UnitData): UnitData {
  return { ...unit, value: unit.value.slice() };
}
