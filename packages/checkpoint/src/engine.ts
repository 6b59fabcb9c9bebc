import {
  type DeadLetter,
  definitions,
  type HostSays,
  RemoteError,
  type Sight,
  type Threads,
  type WorkerSays,
} from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { Compressor } from './compression.ts';
import { Copies, type CopyPlan } from './copies.ts';
import type { EngineEvent, EngineOptions } from './engine-options.ts';
import { threadsOptions, toldBy } from './engine-threads.ts';
import type { Environment } from './environment.ts';
import { codeOf, isFenced, startEnded, stopped, toError } from './errors.ts';
import type { Generation } from './generation.ts';
import { Generations } from './generations.ts';
import { Generator } from './generator.ts';
import type { Published } from './generator-options.ts';
import { STOP_MS } from './limits.ts';
import type { Log } from './log.ts';
import { own, type Own, patience, type StartingHooks } from './own.ts';
import type { Owner } from './owner.ts';
import { PartCache } from './part-cache.ts';
import type { PartSays } from './participant.ts';
import { patiently } from './patience.ts';
import { RestorePoint } from './restore-point.ts';
import { Retention } from './retention.ts';
import { type Savepoint, Savepoints } from './savepoints.ts';
import type { Schedule } from './schedule.ts';
import { NO_WORK } from './work.ts';

/** One run of a system: threads, generator, log, and the generations that run one after the other. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #environment: Environment;
  readonly #compressor: Compressor | null;
  readonly done: Promise<void>;
  readonly #generations: Generations;
  readonly #cache = new PartCache();
  #settle: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  #threads: Threads | null = null;
  #generator: Generator | null = null;
  #point: RestorePoint | null = null;
  #store: Store | null = null;
  #owner: Owner | null = null;
  #log: Log | null = null;
  #retention: Retention | null = null;
  #savepoints: Savepoints | null = null;
  #copies: Copies | null = null;
  #ended = false;
  #finished = false;
  /** Why the system cannot go on. */
  #failure: Error | null = null;
  #killing: Promise<void> = Promise.resolve();
  /** Aborted at the end: a start that waits for something waits no longer. */
  readonly #starting = new AbortController();

  constructor(options: EngineOptions, environment: Environment, compressor: Compressor | null) {
    this.#options = options;
    this.#compressor = compressor;
    this.#environment = environment;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever wants to know listens to `done`; nobody must.
    this.done.catch(() => undefined);
    this.#generations = new Generations({
      options,
      environment,
      generator: () => this.#generator,
      observe: (event) => this.#observe(event),
      fail: (error) => this.#fail(error),
    });
  }

  /** The chosen checkpoint was the end of the job: nothing was started. */
  get alreadyFinished(): boolean {
    return this.#finished;
  }

  async start(schedule: Schedule, copies: readonly CopyPlan[] = []): Promise<void> {
    const options = this.#options;
    const { clock } = this.#environment;
    const beganAt = clock.monotonic();
    const threads = this.#startThreads();
    const hooks = this.#startingHooks();
    const location = options.location ?? `memory:${options.job}-${clock.monotonic()}`;
    const store = await patiently(() => this.#environment.openStore(location), patience(this.#environment, hooks));
    this.#store = store;
    this.#assertGoing();
    const owned = await own(store, options, this.#environment, hooks);
    if (owned === null) {
      this.#finished = true;
      await this.kill();
      return;
    }
    this.#owner = owned.owner;
    this.#log = owned.log;
    this.#assertGoing();
    const record = owned.choice.checkpoint?.record ?? null;
    const point = new RestorePoint(store, options.job, this.#cache, record);
    this.#point = point;
    const { data, loads } = owned.prepared;
    await this.#generations.start({ term: owned.term, threads, point }, data, loads);
    this.#observe({ kind: 'term', term: owned.term, from: record?.position ?? null, location: store.url });
    if (record !== null) {
      const durationMs = Math.round(clock.monotonic() - beganAt);
      this.#observe({ kind: 'restored', cut: record.cut, position: record.position, durationMs });
    }
    this.#makeGenerator(store, owned, options.location === null ? null : schedule);
    const observe = (event: EngineEvent): void => this.#observe(event);
    const place = { store, job: options.job, environment: this.#environment, retention: this.#retention!, observe };
    this.#copies = new Copies(copies, place, record?.position ?? null);
    this.#assertGoing();
  }

  /** Begins to run turns and to take checkpoints. */
  go(): void {
    this.#generations.go();
    this.#generator?.start();
    if (this.#options.location !== null) this.#savepoints?.start();
    this.#copies?.start();
  }

  say(thread: number, says: HostSays): void {
    this.#generations.current?.workers.say(thread, says);
  }

  /** Takes a checkpoint that holds all that the host has sent, also what waits for room. */
  async checkpoint(): Promise<Published> {
    await this.#options.border?.sentSoFar();
    if (this.#generator === null) throw stopped();
    return this.#generator.checkpoint();
  }

  /** Takes a checkpoint and pins it under a name; null for one of its own. */
  savepoint(label: string | null): Promise<Savepoint> {
    if (this.#savepoints === null) return Promise.reject(stopped());
    return this.#savepoints.take(label);
  }

  /** What runs at present; null before the start. */
  get current(): Generation | null {
    return this.#generations.current;
  }

  /** The system has ended, well or not. */
  get over(): boolean {
    return this.#ended;
  }

  /** Takes no more checkpoints by schedule; resolves when none is under way. */
  async hold(): Promise<void> {
    await this.#generator?.hold();
  }

  /** Runs `work` while no checkpoint is under way and none begins; the schedule goes on only after a rollback. */
  async withoutCuts(work: () => Promise<void>): Promise<void> {
    await this.#generator?.withoutCuts(work);
  }

  /** Looks at all threads once. Like `letters` it throws `ROLLED_BACK` while the system goes back to its last checkpoint. */
  look(): Promise<readonly Sight[]> {
    return this.#generations.look();
  }

  letters(): Promise<readonly DeadLetter[]> {
    return this.#generations.letters();
  }

  /**
   * Ends the thread of a worker, whatever it does; the system goes back to its newest checkpoint with another one in its place.
   * Resolves when it runs again, or has ended.
   */
  async endWorker(thread: number): Promise<void> {
    if (this.#ended || this.#threads === null) throw stopped();
    this.#threads.end(thread);
    this.#generations.lost(thread, new Error('the app has ended it'));
    await this.#generations.rest();
  }

  /** Ends the system, with a last checkpoint if asked for. */
  async stop(withCheckpoint: boolean): Promise<void> {
    if (this.#ended) return this.#killing;
    this.#savepoints?.stop();
    let failure: Error | null = null;
    if (withCheckpoint && this.#generator !== null && this.#options.location !== null) {
      const resting = this.#generations.rest();
      if (resting !== null) await resting;
      this.#generations.noMore();
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
    this.#generations.stop(stopped());
    const cancel = this.#environment.clock.after(STOP_MS, () => void this.#threads?.kill());
    await this.#threads?.stop();
    cancel();
    await this.#copies?.end();
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
    this.#starting.abort(this.#failure ?? startEnded());
    // Never rejects: whoever kills has a reason of its own to tell.
    this.#killing = this.#end().catch(() => undefined);
    return this.#killing;
  }

  async #end(): Promise<void> {
    // Whoever waits for a checkpoint, or for the workers, hears of the end, also where nothing had failed.
    const reason = this.#failure ?? stopped();
    this.#savepoints?.stop();
    this.#generator?.workerLost(reason);
    this.#log?.close();
    this.#generations.stop(reason);
    this.#owner?.stop();
    await this.#threads?.kill();
    await this.#copies?.end();
    // The job is another's now if we are fenced: then its file is not ours to write.
    if (!isFenced(this.#failure)) await this.#owner?.release();
    await this.#store?.close();
  }

  // ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────

  #startThreads(): Threads {
    const news: Parameters<typeof threadsOptions>[1] = {
      lost: (thread, cause) => {
        if (!this.#ended) this.#generations.lost(thread, cause);
      },
      silent: (_, message) => this.#warn('WORKER_SILENT', message),
    };
    const threads = this.#environment.startThreads(threadsOptions(this.#options, news));
    this.#threads = threads;
    for (const line of threads.lines) line.listen((says) => this.#heard(line.thread, says));
    return threads;
  }

  #startingHooks(): StartingHooks {
    return {
      ended: this.#starting.signal,
      observe: (event) => this.#observe(event),
      assertGoing: () => this.#assertGoing(),
      // Its put tells whether that is so.
      superseded: () => void this.#generator?.checkpoint().catch(() => undefined),
    };
  }

  #makeGenerator(store: Store, { log, term, choice }: Own, schedule: Schedule | null): void {
    const { job, workers, extension, keep } = this.#options;
    const { clock, recordsPerPass } = this.#environment;
    const warn = this.#warn;
    const retention = new Retention({ store, job, log, keep, clock, recordsPerPass, warn });
    this.#retention = retention;
    this.#savepoints = new Savepoints({ store, job, clock, checkpoint: () => this.checkpoint(), warn });
    this.#generator = new Generator({
      store,
      log,
      retention,
      compressor: this.#compressor,
      captureBytesMax: this.#options.captureBytesMax,
      inlineBytesMax: this.#environment.inlineBytesMax,
      cache: this.#cache,
      job,
      term,
      clock,
      newId: this.#environment.randomId,
      threads: workers + 1,
      definitions: Object.fromEntries([...definitions()].map(([name, { version }]) => [name, version])),
      nextCut: choice.cut + 1,
      schedule,
      work: () => this.#generations.current?.work ?? NO_WORK,
      begin: (cut, published) => this.#generations.current?.participant.flip(cut, published),
      abandon: (cut) => {
        this.#point?.abandoned();
        this.#generations.current?.participant.abandon(cut);
        this.#generations.current?.workers.sayAll({ kind: 'abandon', cut });
      },
      spent: (thread, buffers) => this.#generations.current?.spare(thread, buffers),
      release: (published) => this.#released(log, published),
      settled: () => this.#generations.settled(),
      failed: (cut, error) => {
        this.#observe({ kind: 'checkpoint-failed', cut, code: codeOf(error), message: error.message });
      },
      warn,
      end: (error) => this.#fail(error),
      answersWait: (cut) => this.#options.border?.answersWait(cut) ?? false,
      app: () => extension?.record() ?? { app: null, finished: false },
    });
  }

  // ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

  #released(log: Log, published: Published): void {
    const { extension } = this.#options;
    const { cut, position } = published;
    const record = log.written;
    if (record?.kind === 'checkpoint') this.#point?.published(record);
    this.#generations.published(cut);
    this.#generations.current?.workers.sayAll({ kind: 'published', cut, position });
    this.#observe({ kind: 'checkpoint', ...published });
    this.#copies?.published(position);
    extension?.published(published);
  }

  #heard(thread: number, says: WorkerSays): void {
    if (this.#ended) return;
    try {
      this.#act(thread, says);
    } catch (error) {
      this.#fail(toError(error));
    }
  }

  #act(thread: number, says: WorkerSays): void {
    const generations = this.#generations;
    if (says.kind === 'halted') generations.halted(thread, says.generation);
    // What was said for people counts, whatever becomes of the turns of that generation.
    const told = toldBy(thread, says);
    if (told !== null) this.#observe(told);
    // A generation that is over has nothing else to say any more.
    if (says.generation !== generations.current?.number) return;
    switch (says.kind) {
      case 'ready':
      case 'loaded':
      case 'seen':
      case 'inspected':
      case 'letters':
        generations.current.heard(thread, says);
        return;
      case 'served':
        generations.current.served(says);
        return;
      case 'letter':
        generations.letter(thread, says.letter);
        return;
      case 'part':
        this.#generator?.part(thread, says.data as PartSays);
        return;
      case 'extension':
        if (generations.running) this.#options.extension?.receive(thread, says.data);
        return;
      case 'failed':
        generations.failed(thread, new RemoteError(says.error));
        return;
      case 'log':
      case 'warning':
      case 'service-hung':
      case 'halted':
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

  readonly #warn = (code: string, message: string): void => this.#observe({ kind: 'warning', code, message });

  /** A start goes no further when the system has failed meanwhile, or was ended. */
  #assertGoing(): void {
    if (this.#ended) throw this.#failure ?? startEnded();
  }

  /** The system cannot go on: the process that holds it starts again from the last checkpoint. */
  #fail(error: Error): void {
    if (this.#ended) return;
    this.#failure = error;
    void this.kill();
    this.#settle.reject(error);
  }
}
