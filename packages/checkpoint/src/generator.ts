import { assertNever } from '@tidemark/actors/internal';
import { StoreError } from '@tidemark/stores';
import { Collector } from './collector.ts';
import { CheckpointError, codeOf, toError } from './errors.ts';
import { PartCache } from './part-cache.ts';
import type { GeneratorOptions, Published } from './generator-options.ts';
import { cutHistory, failedAttempt, type TimedPart } from './history.ts';
import { CUT_OVERDUE_MS, FAILED_TOLD_MAX, SETTLE_MS } from './limits.ts';
import { tellingWhenLate } from './late-record.ts';
import { overdue } from './overdue.ts';
import { Pace } from './pace.ts';
import type { PartSays } from './participant.ts';
import type { CheckpointRecord, CutHistory, FailedAttempt, FileRef, PartRef, PublishedBefore } from './record.ts';
import { TrafficMeter } from './traffic.ts';
import { step, type GeneratorEffect, type GeneratorEvent, type GeneratorState } from './step.ts';

/**
 * The checkpoint generator: starts cuts on schedule, gathers the threads' parts, publishes the record, and only then
 * releases. The shell around `step`: it turns what happens into events and effects into calls.
 *
 * Outlives generations. Invariants: C7–C10, R1 of SPEC.md.
 */
export class Generator {
  readonly #options: GeneratorOptions;
  #state: GeneratorState;
  #collector: Collector | null = null;
  #parts = new Map<number, TimedPart>();
  /** Of each thread, the files that the newest published record names: what the next part may build on. */
  readonly #chains = new Map<number, readonly FileRef[]>();
  /** Monotonic, and by the wall clock. */
  #beganAt = 0;
  #beganAtWall = 0;
  /** Threads that have entered the cut. */
  #flipped = new Set<number>();
  #before: PublishedBefore | null = null;
  readonly #traffic: TrafficMeter;
  readonly #pace: Pace | null;
  readonly #timeLimitMs: number;
  #failedInARow = 0;
  #cancelOverdue: () => void = () => undefined;
  #lastError: Error | null = null;
  /** The record that is put lets something out. */
  #releases = false;
  readonly #failed: FailedAttempt[] = [];
  /** Resolved by the first publication of a cut that began after they asked. */
  #waiting: {
    readonly minCut: number;
    readonly resolve: (published: Published) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  /** Who waits for the end of a step: the cut may be over then. */
  #idle: (() => void)[] = [];
  /** Open while cuts may begin. */
  #gate: Promise<void> = Promise.resolve();
  /** Nobody but who asks gets a checkpoint any more. */
  #held = false;
  readonly #inbox: GeneratorEvent[] = [];
  #handling = false;

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#state = { phase: 'idle', next: options.nextCut, published: 0 };
    const { schedule, clock, work } = options;
    this.#traffic = new TrafficMeter(options.store, clock);
    this.#timeLimitMs = schedule?.timeLimitMs ?? CUT_OVERDUE_MS;
    this.#pace = schedule === null ? null : new Pace(schedule, clock, work, () => this.#handle({ kind: 'due' }));
  }

  start(): void {
    this.#pace?.start();
  }

  /** No more cuts by schedule; resolves when none is under way. */
  async hold(): Promise<void> {
    this.#held = true;
    this.#pace?.stop();
    await this.#noneUnderWay();
  }

  /** Runs `work` while no cut is under way and none begins, also not one that somebody asks for: those wait. */
  async withoutCuts<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#gate;
    let open: () => void = () => undefined;
    this.#gate = new Promise((resolve) => (open = resolve));
    await before;
    this.#pace?.stop();
    await this.#noneUnderWay();
    try {
      return await work();
    } finally {
      open();
    }
  }

  async #noneUnderWay(): Promise<void> {
    while (UNDER_WAY.has(this.#state.phase)) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  /** No more cuts by schedule. */
  stop(): void {
    this.#pace?.stop();
    this.#cancelOverdue();
  }

  /**
   * What runs is over: no cut begins, the one under way is given up unless its record is already on its way, and whoever
   * wants one of what is undone hears `reason`. `settled` is called when nothing is under way any more.
   */
  halt(reason: Error): void {
    this.#lastError = reason;
    const state = this.#state;
    this.#handle({ kind: 'generation-over' });
    // Who asked between two generations wants what comes after.
    if (state.phase === 'settling' || state.phase === 'halted') return;
    const settling = state.phase === 'publishing' ? state.cut : 0;
    const undone = this.#waiting.filter(({ minCut }) => minCut > settling);
    this.#waiting = this.#waiting.filter(({ minCut }) => minCut <= settling);
    for (const asked of undone) asked.reject(reason);
  }

  /** The next generation runs: cuts may begin. */
  resume(): void {
    this.#pace?.stop();
    if (!this.#held) this.#pace?.start();
    this.#handle({ kind: 'generation-began' });
  }

  /** Takes a checkpoint of everything up to now; resolves when it is published, rejects when the attempt failed. */
  async checkpoint(): Promise<Published> {
    // Whoever asks may be in the middle of a turn, and a flip never is (C1): by then the turn is over.
    for (let gate: Promise<void> | null = null; gate !== this.#gate; ) await (gate = this.#gate);
    const state = this.#state;
    if (state.phase === 'ended') throw this.#lastError ?? new CheckpointError('SYSTEM_FAILED', 'the system has ended');
    const minCut = 'next' in state ? state.next : state.cut + 1;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ minCut, resolve, reject });
      this.#handle({ kind: 'wanted' });
    });
  }

  /** A thread reports of its part. */
  part(thread: number, says: PartSays): void {
    if (says.kind !== 'flipped') this.#collector?.take(thread, says);
    else if (this.#state.phase === 'gathering' && this.#state.cut === says.cut) this.#flipped.add(thread);
  }

  /** The system cannot go on: whoever waits for a checkpoint hears why. */
  workerLost(error: Error): void {
    if (this.#state.phase === 'ended') return;
    this.#lastError = error;
    this.#handle({ kind: 'worker-lost' });
  }

  #handle(event: GeneratorEvent): void {
    // Effects cause events: one at a time, in order.
    this.#inbox.push(event);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const { state, effects } = step(this.#state, next, this.#options.threads);
      this.#state = state;
      try {
        for (const effect of effects) this.#perform(effect);
      } catch (error) {
        // An effect that was carried out by half: nothing that follows could be trusted.
        this.workerLost(toError(error));
      }
    }
    this.#handling = false;
    for (const look of this.#idle.splice(0)) look();
  }

  #perform(effect: GeneratorEffect): void {
    switch (effect.kind) {
      case 'begin':
        this.#begin(effect.cut, effect.published);
        return;
      case 'publish':
        void this.#publish(effect.cut);
        return;
      case 'release':
        this.#release(effect.cut, effect.position);
        return;
      case 'abandon':
        this.#abandon(effect.cut, effect.why);
        return;
      case 'settled':
        this.#options.settled();
        return;
      case 'end':
        this.#end();
        return;
      default:
        assertNever(effect);
    }
  }

  #begin(cut: number, published: number): void {
    const { store, job, term, clock, newId, compressor, captureBytesMax, inlineBytesMax } = this.#options;
    const parts = new Map<number, TimedPart>();
    this.#parts = parts;
    this.#flipped = new Set();
    this.#beganAt = clock.monotonic();
    this.#beganAtWall = clock.now();
    this.#collector = new Collector(
      {
        store,
        job,
        term,
        cut,
        newId,
        compressor,
        captureBytesMax,
        inlineBytesMax,
        cache: this.#options.cache ?? NO_CACHE,
        spent: this.#options.spent ?? (() => undefined),
      },
      (thread, part) => {
        parts.set(thread, { ...part, storedAt: clock.monotonic() });
        this.#handle({ kind: 'part-stored', cut, thread });
      },
      (error) => {
        this.#lastError = error;
        this.#handle(isFatal(error.cause) ? { kind: 'store-lost' } : { kind: 'part-failed', cut });
      },
    );
    this.#cancelOverdue = clock.after(this.#timeLimitMs, () => {
      const { threads } = this.#options;
      this.#lastError = overdue(cut, this.#timeLimitMs, { threads, flipped: this.#flipped, parts });
      this.#handle({ kind: 'overdue', cut });
    });
    this.#pace?.began();
    this.#options.begin(cut, published);
  }

  async #publish(cut: number): Promise<void> {
    const { log, term, clock } = this.#options;
    let event: GeneratorEvent;
    try {
      const putAt = clock.monotonic();
      const position = await tellingWhenLate(this.#options, cut, async () => {
        const put = await log.put(this.#record(cut), term);
        await this.#assertOwner(put);
        return put;
      });
      this.#before = { position, publishMs: Math.round((clock.monotonic() - putAt) * 1000) / 1000 };
      event = { kind: 'published', cut, position };
    } catch (error) {
      // What was under way at the end fails because of it: that is not the reason.
      if (this.#state.phase === 'ended') return;
      this.#lastError = toError(error);
      event = whatFailed(error, cut);
    }
    this.#handle(event);
  }

  /** Waits for a word of the store: the record is there, but whether it is ours to release, only a listing tells (C19). */
  async #assertOwner(position: number): Promise<void> {
    const { retention, clock } = this.#options;
    const until = clock.monotonic() + SETTLE_MS;
    for (;;) {
      try {
        await retention.assertOwner(position);
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || isFatal(error) || this.#state.phase === 'ended') throw error;
        if (clock.monotonic() >= until) {
          const message = `record ${position} was put, but the store does not say whether a later owner is there`;
          throw new CheckpointError('LOG_UNSETTLED', message, { cause: error });
        }
        await new Promise<void>((resolve) => void clock.after(SETTLE_DELAY_MS, resolve));
      }
    }
  }

  #record(
    cut: number,
  ): Omit<CheckpointRecord, 'format' | 'job' | 'position' | 'previous' | 'term' | 'putId' | 'createdAt'> {
    const { app, finished } = this.#options.app();
    const answersWait = this.#options.answersWait?.(cut) ?? false;
    this.#releases = answersWait || [...this.#parts.values()].some((part) => part.stats.releases);
    return {
      kind: 'checkpoint',
      cut,
      definitions: this.#options.definitions,
      parts: this.#partRefs(),
      releases: this.#releases,
      finished,
      app,
      history: this.#recordHistory(),
      failed: this.#failed,
      before: this.#before,
    };
  }

  /** Each thread's files: those that its new one builds on, and that one. */
  #partRefs(): PartRef[] {
    return [...this.#parts]
      .sort(([a], [b]) => a - b)
      .map(([thread, { ref, base }]) => {
        const chain = this.#chains.get(thread) ?? [];
        return { thread, files: [...chain.filter(({ cut }) => cut <= base), ref] };
      });
  }

  /** With what the record alone tells: counts go on, and the next record tells of what comes after this one. */
  #recordHistory(): CutHistory {
    const traffic = this.#traffic.take();
    return traffic === null ? this.#history() : { ...this.#history(), traffic };
  }

  #history(): CutHistory {
    return cutHistory(this.#beganAt, this.#options.clock.monotonic(), this.#parts);
  }

  #release(cut: number, position: number): void {
    const { threads: _threads, slowest: _slowest, ...history } = this.#history();
    const published: Published = { cut, position, releases: this.#releases, ...history };
    for (const { thread, files } of this.#partRefs()) this.#chains.set(thread, files);
    this.#over();
    this.#failed.length = 0;
    this.#failedInARow = 0;
    this.#options.release(published);
    this.#options.retention.published();
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((asked) => asked.minCut > cut);
    for (const asked of waiting) if (asked.minCut <= cut) asked.resolve(published);
  }

  #abandon(cut: number, why: string): void {
    const error = this.#lastError ?? new CheckpointError('CHECKPOINT_ABANDONED', `cut ${cut} was abandoned: ${why}`);
    this.#collector?.abandon();
    this.#over();
    this.#noteFailed(cut, error);
    this.#options.abandon(cut);
    this.#options.failed(cut, error);
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((asked) => asked.minCut > cut);
    for (const asked of waiting) if (asked.minCut <= cut) asked.reject(error);
    // What a rollback has ended says nothing of checkpoints.
    if (why === 'generation-over') return;
    this.#failedInARow++;
    const tolerated = this.#options.schedule?.toleratedFailures ?? Number.POSITIVE_INFINITY;
    if (this.#failedInARow > tolerated) this.#failing(error);
  }

  #noteFailed(cut: number, error: Error): void {
    const { clock, threads } = this.#options;
    const times = { beganAtWall: this.#beganAtWall, durationMs: clock.monotonic() - this.#beganAt };
    this.#failed.push(failedAttempt(cut, error, times, { threads, flipped: this.#flipped, parts: this.#parts }));
    if (this.#failed.length > FAILED_TOLD_MAX) this.#failed.shift();
  }

  #failing(cause: Error): void {
    const what = `${this.#failedInARow} attempts at a checkpoint in a row have failed; the last one: ${codeOf(cause)}: ${cause.message}`;
    const help = 'The next start goes on from the last checkpoint that was published.';
    this.#lastError = new CheckpointError('CHECKPOINTS_FAILING', `${what}. ${help}`, { cause });
    this.#handle({ kind: 'failing' });
  }

  #end(): void {
    const error = this.#lastError ?? new CheckpointError('SYSTEM_FAILED', 'the system has ended');
    this.#collector?.abandon();
    this.#over();
    this.stop();
    for (const asked of this.#waiting) asked.reject(error);
    this.#waiting = [];
    this.#options.end(error);
  }

  #over(): void {
    this.#cancelOverdue();
    this.#pace?.over();
    this.#collector = null;
  }
}

const SETTLE_DELAY_MS = 200;

const NO_CACHE = new PartCache(0);

const UNDER_WAY: ReadonlySet<GeneratorState['phase']> = new Set(['gathering', 'publishing', 'settling']);

/** What an error of the log means: only a store that surely did nothing lets the attempt be given up (C12). */
function whatFailed(error: unknown, cut: number): GeneratorEvent {
  if (error instanceof CheckpointError && error.code === 'FENCED') return { kind: 'fenced' };
  if (error instanceof StoreError && !isFatal(error)) return { kind: 'publish-failed', cut };
  return { kind: 'store-lost' };
}

/** The store says that trying again cannot help: a system that takes no more checkpoints ends, rather than run on without. */
function isFatal(error: unknown): boolean {
  return error instanceof StoreError && error.kind === 'fatal';
}
