import { ActorError, type DeadLetter, limits, RemoteError, type Sight, type Threads } from '@tidemark/actors/internal';
import { StoreError } from '@tidemark/stores';
import { CarefulActors } from './careful-actors.ts';
import type { EngineEvent, EngineOptions } from './engine-options.ts';
import type { Environment } from './environment.ts';
import { codeOf, toError } from './errors.ts';
import { Generation } from './generation.ts';
import type { Generator } from './generator.ts';
import { loadsOf } from './own.ts';
import type { Loads } from './recovery.ts';
import type { RestorePoint } from './restore-point.ts';
import { type RolledBack, Rollbacks } from './rollbacks.ts';

/** Errors that going back to the last checkpoint may cure; what a job adds, its extension says. */
const RECOVERABLE: ReadonlySet<string> = new Set([
  'MEMORY_SPENT',
  'TURN_THREW',
  'WORKER_LOST',
  'WORKER_START',
  'WORKER_STUCK',
]);

/** The same modules have been loaded before: what keeps a new thread from it may pass, such as files that are being replaced. */
const LATER_RECOVERABLE: ReadonlySet<string> = new Set(['ACTORS_NOT_FOUND', 'MODULE_FAILED']);

export interface GenerationsOptions {
  readonly options: EngineOptions;
  readonly environment: Environment;
  readonly generator: () => Generator | null;
  readonly observe: (event: EngineEvent) => void;
  /** The system cannot go on. */
  readonly fail: (error: Error) => void;
}

/** What a term gives to all its generations. */
export interface TermPlace {
  readonly term: number;
  readonly threads: Threads;
  readonly point: RestorePoint;
}

/**
 * The generations of one term, one after the other: whatever goes wrong comes here, and either the system goes back to
 * its newest checkpoint or it ends. Does the things that Rollbacks decides.
 */
export class Generations {
  readonly #place: GenerationsOptions;
  readonly #rollbacks: Rollbacks;
  readonly #careful = new CarefulActors();
  /** Threads that have died since the last generation began. */
  #lost = new Set<number>();
  #term: TermPlace | null = null;
  #current: Generation | null = null;
  #goesBack = true;

  constructor(place: GenerationsOptions) {
    this.#place = place;
    const { options, environment, fail } = place;
    this.#rollbacks = new Rollbacks({
      workers: options.workers,
      clock: environment.clock,
      random: environment.random,
      halt: (generation, reason) => this.#halt(generation, reason),
      endThread: (thread) => this.#term?.threads.end(thread),
      restore: (generation) => this.#restore(generation),
      go: (generation, back) => this.#go(generation, back),
      failed: (error) => this.#failedToRestore(error),
      end: fail,
    });
  }

  get current(): Generation | null {
    return this.#current;
  }

  /** Turns may run, and what a worker says of them counts. */
  get running(): boolean {
    return this.#rollbacks.isRunning;
  }

  /** Loads the first one. Nothing of it runs yet. */
  async start(term: TermPlace, data: unknown, loads: Loads): Promise<void> {
    this.#term = term;
    await this.#begin(1, data, loads);
  }

  /** The first one runs. */
  go(): void {
    this.#rollbacks.ready();
  }

  /** Something has happened to the present one. */
  hurt(error: Error): void {
    const guilty = error instanceof ActorError || error instanceof RemoteError ? error.actor : undefined;
    if (guilty !== undefined) this.#careful.threw(guilty);
    if (this.#mayGoBack(error)) this.#rollbacks.hurt(error);
    else this.#place.fail(error);
  }

  /** A worker says that it cannot go on. */
  failed(thread: number, error: Error): void {
    if (!LATER_RECOVERABLE.has(codeOf(error)) || (this.#current?.number ?? 0) <= 1) {
      this.hurt(error);
      return;
    }
    // A module is loaded once in a thread: the next try needs a new one.
    this.#term?.threads.end(thread);
    this.#lost.add(thread);
    this.#gone(thread, error);
  }

  lost(thread: number, cause: unknown): void {
    this.#lost.add(thread);
    this.#gone(thread, whyGone(thread, cause));
  }

  /**
   * Looks at all threads of the present one.
   *
   * @throws ActorError `ROLLED_BACK` while the next one is loaded: its workers do not answer yet, and what whoever asks
   * wants to know of has ended
   */
  async look(): Promise<readonly Sight[]> {
    if (this.#rollbacks.isUnderWay) throw this.#rollbacks.reason();
    return (await this.#current?.look()) ?? [];
  }

  /** A message was set aside: its actor stays careful. */
  letter(thread: number, letter: DeadLetter): void {
    this.#careful.threw(letter.actor);
    this.#place.observe({ kind: 'dead-letter', thread, letter });
  }

  /** What was set aside, in all threads. */
  async letters(): Promise<readonly DeadLetter[]> {
    if (this.#rollbacks.isUnderWay) throw this.#rollbacks.reason();
    return (await this.#current?.letters()) ?? [];
  }

  halted(thread: number, generation: number): void {
    this.#rollbacks.halted(thread, generation);
  }

  /** No record is under way any more. */
  settled(): void {
    this.#rollbacks.settled();
  }

  published(cut: number): void {
    this.#rollbacks.published();
    this.#careful.published();
    this.#current?.runtime.published();
    this.#place.options.border?.published(cut);
  }

  /** Resolves when no rollback is under way; null when there is none now. */
  rest(): Promise<void> | null {
    return this.#rollbacks.rest();
  }

  /** From now on there is no rollback: what happens ends the system. */
  noMore(): void {
    this.#goesBack = false;
  }

  /** None any more. */
  stop(reason: Error): void {
    this.#rollbacks.over();
    this.#current?.stop(reason);
  }

  #gone(thread: number, error: Error): void {
    if (this.#mayGoBack(error)) this.#rollbacks.lost(thread, error);
    else this.#place.fail(error);
  }

  /** A system without a store has nothing to go back to. */
  #mayGoBack(error: Error): boolean {
    const { location, extension } = this.#place.options;
    const code = codeOf(error);
    if (location === null || !this.#goesBack) return false;
    if (LATER_RECOVERABLE.has(code)) return (this.#current?.number ?? 0) > 1;
    return RECOVERABLE.has(code) || (extension?.mayRecover(code) ?? false);
  }

  /** Makes all threads' side of a generation and loads it. */
  async #begin(number: number, data: unknown, loads: Loads): Promise<void> {
    const { options, environment, generator, observe } = this.#place;
    const { term, threads, point } = this.#term!;
    const generation = new Generation({
      number,
      term,
      workers: options.workers,
      cut: point.record?.cut ?? 0,
      inlineBytesMax: environment.inlineBytesMax,
      clock: environment.clock,
      peers: threads.connect(number),
      lines: threads.lines,
      fail: (error) => this.hurt(toError(error)),
      log: (text) => observe({ kind: 'log', thread: 0, text, level: 'info', from: 'ctx' }),
      answered: (ask, askTerm, answer, cut) => options.border?.answered(ask, askTerm, answer, cut),
      letter: (letter) => this.letter(0, letter),
      careful: this.#careful.all,
      hungServiceMs: options.threads?.hungServiceMs ?? limits.HUNG_SERVICE_MS,
      hung: (call) => observe({ kind: 'service-hung', thread: 0, ...call }),
      random: environment.random,
      part: (says) => generator()?.part(0, says),
    });
    this.#current = generation;
    await generation.start(data, loads);
  }

  #halt(generation: number, reason: Error): void {
    const { options, generator } = this.#place;
    options.border?.pause();
    this.#current?.stop(reason);
    options.extension?.interrupted(reason);
    for (const line of this.#term!.threads.lines) line.say({ kind: 'halt', generation });
    generator()?.halt(reason);
  }

  /** Back to the newest checkpoint, in a new generation. */
  async #restore(generation: number): Promise<void> {
    const { border, extension } = this.#place.options;
    const { term, point } = this.#term!;
    const { record } = point;
    border?.rollBack(record?.cut ?? 0, this.#lost);
    this.#lost = new Set();
    const parts = await point.parts();
    if (!this.#rollbacks.isRestoring(generation)) return;
    const { data, units } = extension?.rolledBack(record) ?? { data: null, units: [] };
    const checkpoint = record === null ? null : { record, parts };
    await this.#begin(generation, data, loadsOf(this.#place.options, checkpoint, units, term));
  }

  #failedToRestore(error: Error): void {
    // The store may be there again when it is asked next.
    if (error instanceof StoreError && error.kind !== 'fatal') this.#rollbacks.hurt(error);
    else this.hurt(error);
  }

  #go(number: number, back: RolledBack | null): void {
    const { options, generator, observe } = this.#place;
    const { border, extension } = options;
    const generation = this.#current!;
    if (back !== null) {
      const { position = null, cut = 0 } = this.#term?.point.record ?? {};
      const { cause, durationMs } = back;
      const { message } = cause;
      observe({ kind: 'rolled-back', generation: number, position, cut, code: codeOf(cause), message, durationMs });
      // Whoever was told may have ended the system.
      if (!this.running) return;
    }
    // First, so that what a line brings to a worker comes after its `go`.
    generation.go();
    border?.use(generation.runtime);
    extension?.running();
    if (back !== null) generator()?.resume();
  }
}

function whyGone(thread: number, cause: unknown): Error {
  const error = toError(cause);
  const code = codeOf(error);
  const options = { cause };
  if (code === 'WORKER_STUCK') return error;
  if (code === 'MEMORY_SPENT') return new ActorError(code, `worker ${thread} ${error.message}`, options);
  return new ActorError('WORKER_LOST', `worker ${thread} is gone: ${error.message}`, options);
}
