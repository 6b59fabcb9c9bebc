import type { Ref } from '@tidemark/actors';
import { Border, encodeValue, loadModule, systemClock, type UnitData } from '@tidemark/actors/internal';
import {
  type CheckpointRecord,
  type EngineEvent,
  type HostExtension,
  type Prepared,
  type Published,
  startEngine,
  type Engine,
  workersOf,
} from '@tidemark/checkpoint/internal';
import { COLLECTOR, type Collector } from './collector.ts';
import type { InputPlan } from './input/input-plan.ts';
import type { Collected } from './job.ts';
import { assertSameInputs, planInputs } from './job-inputs.ts';
import { type JobSpec, jobSpec } from './job-spec.ts';
import { checkpointSurely, quiet } from './last-steps.ts';
import { DISCARDED, JOB_TASK } from './job-task.ts';
import {
  assertOutputsEmpty,
  assertOutputsWritable,
  goOnWriting,
  NO_OUTPUTS,
  type Outputs,
  outputsOf,
} from './outputs.ts';
import { jobPlacement } from './placement.ts';
import type { JobResult, JobRun, Progress, RunEvent, RunOptions } from './run-events.ts';
import { firstState } from './source.ts';
import { rowReader } from './source-format.ts';
import { type JobHostSays, type JobWorkerData, type JobWorkerSays, PROGRESS_FIELDS } from './worker-messages.ts';

const clock = systemClock;
const DEFAULT_STORE = '.tidemark';
const DEFAULT_SCHEDULE = '1s';

/** What a job keeps in each checkpoint record, beside its units. */
interface JobRecord {
  readonly plan: InputPlan;
  readonly outputs: Outputs;
  /** The last word of each key was said. */
  readonly ended: boolean;
  readonly rows: number;
  readonly badRows: number;
  readonly result: JobResult | null;
}

/**
 * Runs the job of a file: goes on from its newest checkpoint, or begins.
 *
 * @returns when the job runs; `done` tells the end
 * @throws an error with a `code` when it cannot start; nothing was changed then
 */
export async function runJob(file: URL, options: RunOptions, observe: (event: RunEvent) => void): Promise<JobRun> {
  const run = new RunningJob(file, options, observe);
  await run.start();
  return run;
}

class RunningJob implements JobRun, HostExtension {
  readonly workerModule = new URL('./job-entry.js', import.meta.url);
  readonly done: Promise<void>;
  readonly #file: URL;
  readonly #options: RunOptions;
  readonly #observe: (event: RunEvent) => void;
  readonly #border = new Border(clock);
  readonly #workers: number;
  readonly #beganAt = clock.monotonic();
  readonly #progress: Float64Array;
  #settle: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  #engine: Engine | null = null;
  #spec: JobSpec | null = null;
  #plan: InputPlan | null = null;
  #outputs: Outputs = NO_OUTPUTS;
  #record: JobRecord | null = null;
  #restored: CheckpointRecord | null = null;
  #ended = false;
  #result: JobResult | null = null;
  #finishing = false;
  #stopping = false;
  #firstRecordSeen = false;
  readonly #drained = new Set<number>();
  readonly #counters = new Map<number, Readonly<Record<string, number>>>();
  readonly #applied = new Map<number, number>();
  readonly #watching = new Set<() => void>();

  constructor(file: URL, options: RunOptions, observe: (event: RunEvent) => void) {
    this.#file = file;
    this.#options = options;
    this.#observe = observe;
    this.#workers = workersOf(options.workers);
    this.#progress = new Float64Array(new SharedArrayBuffer(8 * PROGRESS_FIELDS * (this.#workers + 1)));
    this.done = new Promise((resolveDone, reject) => (this.#settle = { resolve: resolveDone, reject }));
    this.done.catch(() => undefined);
  }

  get placement(): HostExtension['placement'] {
    return jobPlacement(() => this.#plan?.splits.length ?? 1, rowReader(this.#spec!.format).keyOf);
  }

  async start(): Promise<void> {
    const options = this.#options;
    await loadModule(this.#file.href);
    const spec = jobSpec(this.#file.href, options.input?.[0] ?? '', options.key ?? null);
    this.#spec = spec;
    rowReader(spec.format);
    const engine = await startEngine({
      modules: [this.#file.href],
      location: options.store ?? spec.checkpoint?.location ?? DEFAULT_STORE,
      job: spec.name,
      workers: this.#workers,
      schedule: options.schedule ?? spec.checkpoint?.schedule ?? DEFAULT_SCHEDULE,
      timezone: options.schedule === undefined ? spec.checkpoint?.timezone : undefined,
      inline: options.inline ?? false,
      fresh: options.fresh ?? false,
      from: options.from ?? null,
      acceptDuplicates: options.acceptDuplicates ?? false,
      command: (position) => `tidemark run ${this.#file.pathname} … --from ${position} --accept-duplicates`,
      observe: (event) => this.#pass(event),
      border: this.#border,
      extension: this,
    });
    this.#engine = engine;
    if (engine.alreadyFinished) {
      this.#tellFinished(true, this.#restored!.position);
      this.#settle.resolve();
      return;
    }
    engine.done.then(
      () => this.#settle.resolve(),
      (error: Error) => this.#settle.reject(error),
    );
    engine.go();
    this.#sayAll({ kind: 'begin' });
  }

  progress(): Progress {
    const sum = (field: number): number => {
      let total = 0;
      for (let at = field; at < this.#progress.length; at += PROGRESS_FIELDS) total += this.#progress[at];
      return total;
    };
    const bytesTotal = this.#plan?.splits.reduce((total, split) => total + split.end - split.start, 0) ?? 0;
    return { rows: sum(0), badRows: sum(1), bytesRead: sum(2), bytesTotal };
  }

  async stop(): Promise<void> {
    const engine = this.#engine;
    if (engine === null || this.#stopping) {
      await engine?.kill();
      this.#settle.resolve();
      return;
    }
    this.#stopping = true;
    let position: number | null = null;
    try {
      position = (await engine.checkpoint()).position;
      await this.#waitApplied(position);
    } finally {
      await engine.stop(false);
    }
    this.#observe({ event: 'stopped', position, rows: this.progress().rows });
  }

  // ── HostExtension ────────────────────────────────────────────────────────────────────────────────────────────

  async prepare(record: CheckpointRecord | null): Promise<Prepared> {
    this.#restored = record;
    this.#record = (record?.app ?? null) as JobRecord | null;
    if (record !== null && this.#record !== null) {
      this.#plan = this.#record.plan;
      this.#ended = this.#record.ended;
      this.#result = this.#record.result;
      if (record.finished) return { kind: 'finished' };
      this.#outputs = goOnWriting(this.#options, this.#record.outputs, (code, message) => {
        this.#observe({ event: 'warning', code, message });
      });
      await assertSameInputs(this.#plan, this.#options.input ?? []);
    } else {
      this.#plan = await planInputs(this.#spec!, this.#options.input ?? [], this.#file);
      this.#outputs = outputsOf(this.#options);
      await assertOutputsEmpty(this.#outputs);
    }
    await assertOutputsWritable(this.#outputs);
    return { kind: 'run', data: this.#workerData(this.#plan), units: record === null ? firstUnits(this.#plan) : [] };
  }

  receive(thread: number, data: unknown): void {
    const says = data as JobWorkerSays;
    switch (says.kind) {
      case 'drained':
        this.#drained.add(thread);
        if (this.#drained.size === this.#workers) this.#finish();
        break;
      case 'first-record':
        if (this.#firstRecordSeen) return;
        this.#firstRecordSeen = true;
        this.#observe({ event: 'first-record', sinceStartMs: Math.round(clock.monotonic() - this.#beganAt) });
        break;
      case 'ended':
        this.#counters.set(thread, says.counters);
        break;
      case 'applied':
        this.#applied.set(thread, says.position);
        break;
      case 'checkpoint-wanted':
        this.#engine?.checkpoint().catch(() => undefined);
        break;
      case 'warning':
        this.#observe({ event: 'warning', code: says.code, message: says.message });
        break;
    }
    for (const look of this.#watching) look();
  }

  record(): { readonly app: JobRecord; readonly finished: boolean } {
    const { rows, badRows } = this.progress();
    const app: JobRecord = {
      plan: this.#plan!,
      outputs: this.#outputs,
      ended: this.#ended,
      rows,
      badRows,
      result: this.#result,
    };
    return { app, finished: this.#result !== null };
  }

  published(published: Published): void {
    if (this.#result === null) return;
    this.#tellFinished(false, published.position);
    void this.#engine?.stop(false);
  }

  // ── the end of a bounded job ─────────────────────────────────────────────────────────────────────────────────

  #finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#runOut().catch((error: unknown) => {
      this.#settle.reject(error instanceof Error ? error : new Error(String(error)));
      void this.#engine?.kill();
    });
  }

  /** All sources are dry: lets everything run through, says the last word, and ends with two checkpoints (§8). */
  async #runOut(): Promise<void> {
    await quiet(this.#engine!);
    await this.#engine?.hold();
    if (!this.#ended) {
      this.#sayAll({ kind: 'end-of-stream' });
      await this.#until(() => this.#counters.size === this.#workers);
      await quiet(this.#engine!);
      this.#ended = true;
    } else await this.#collectCounters();
    const { position } = await checkpointSurely(this.#engine!);
    await this.#waitApplied(position);
    this.#result = await this.#makeResult();
    await checkpointSurely(this.#engine!);
  }

  /** Counters after a restore past the end: the last word was said, it is not said again. */
  async #collectCounters(): Promise<void> {
    this.#sayAll({ kind: 'counters' });
    await this.#until(() => this.#counters.size === this.#workers);
  }

  async #waitApplied(position: number): Promise<void> {
    await this.#until(() => {
      for (let thread = 1; thread <= this.#workers; thread++)
        if ((this.#applied.get(thread) ?? 0) < position) return false;
      return true;
    });
  }

  async #makeResult(): Promise<JobResult> {
    const counters = sumOf([...this.#counters.values()]);
    const collector: Ref<typeof Collector> = { type: COLLECTOR, key: '' };
    const all = await this.#border.ask(collector).all();
    const collected = [...all].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const { job } = this.#spec!;
    return { counters, collected: job.summarize === undefined ? flat(collected) : job.summarize(collected, counters) };
  }

  #tellFinished(already: boolean, position: number): void {
    const { rows, badRows } = already ? this.#record! : this.progress();
    this.#observe({ event: 'finished', position, already, rows, badRows, result: this.#result! });
  }

  /** Resolves when `condition` holds; looked at whenever a worker has said something. */
  #until(condition: () => boolean): Promise<void> {
    return new Promise((done) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watching.delete(look);
        done();
      };
      this.#watching.add(look);
      look();
    });
  }

  #workerData(plan: InputPlan): JobWorkerData {
    const options = this.#options;
    const { output, badRows } = this.#outputs;
    return {
      url: this.#file.href,
      files: plan.files,
      splits: plan.splits.length,
      key: options.key ?? null,
      output,
      badRows:
        badRows === null ? { kind: options.badRows === 'skip' ? 'skip' : 'stop' } : { kind: 'file', path: badRows },
      rowsPerSecond: (options.rate ?? 0) / this.#workers,
      restored: this.#restored?.position ?? 0,
      progress: this.#progress,
    };
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────────────────────

  #pass(event: EngineEvent): void {
    switch (event.kind) {
      case 'term': {
        const { name } = this.#spec!;
        const { term, from, location: store } = event;
        this.#observe({ event: 'started', job: name, term, workers: this.#workers, store, from, pid: process.pid });
        return;
      }
      case 'restored':
        this.#observe({
          event: 'restored',
          cut: event.cut,
          position: event.position,
          rows: this.#record?.rows ?? 0,
          durationMs: event.durationMs,
        });
        return;
      case 'checkpoint': {
        const { cut, position, durationMs, pauseMs, skewMs, bytes } = event;
        this.#observe({ event: 'checkpoint', cut, position, durationMs, pauseMs, skewMs, bytes });
        return;
      }
      case 'checkpoint-failed':
        this.#observe({ event: 'checkpoint-failed', cut: event.cut, code: event.code, message: event.message });
        return;
      case 'warning':
        this.#observe({ event: 'warning', code: event.code, message: event.message });
        return;
      case 'log':
        return;
    }
  }

  #sayAll(data: JobHostSays): void {
    for (let thread = 1; thread <= this.#workers; thread++) this.#engine?.say(thread, { kind: 'extension', data });
  }
}

function firstUnits(plan: InputPlan): UnitData[] {
  return plan.splits.map((split, index) => ({
    type: JOB_TASK,
    key: '',
    table: 'splits',
    tableKey: index,
    value: encodeValue(firstState(split)),
  }));
}

/** Collected values as rows: an object's fields beside its key. */
function flat(collected: readonly Collected[]): unknown {
  return collected.map(({ key, value }) =>
    typeof value === 'object' && value !== null ? { key, ...value } : { key, value },
  );
}

/** Counters of all workers, by name, in the order of names. */
function sumOf(each: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const names = [...new Set(each.flatMap(Object.keys))].filter((name) => name !== DISCARDED).sort();
  return Object.fromEntries(
    names.map((name) => [name, each.reduce((sum, counters) => sum + (counters[name] ?? 0), 0)]),
  );
}
