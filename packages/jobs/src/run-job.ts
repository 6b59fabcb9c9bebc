import type { Ref } from '@tidemark/actors';
import { Border } from '@tidemark/actors/internal';
import {
  type CheckpointRecord,
  type EngineEvent,
  type HostExtension,
  type Prepared,
  CAPTURE_BYTES_MAX,
  KEEP_CHECKPOINTS,
  mergedSchedule,
  type Published,
  type ToRun,
  type Engine,
  threadSettings,
  workersOf,
} from '@tidemark/checkpoint/internal';
import { allowNetworkFolder } from '@tidemark/stores';
import { COLLECTOR, type Collector } from './collector.ts';
import { commandText } from './command-text.ts';
import { JobError } from './errors.ts';
import type { Naming } from './file-sink.ts';
import type { InputPlan } from './input/input-plan.ts';
import { verifyInputs } from './input/verify-inputs.ts';
import { toRunEvent } from './engine-events.ts';
import { nodeJobEnvironment } from './job-environment.adapter.ts';
import { type JobEnvironment, onNetworkToo } from './job-environment.ts';
import { assertSamePaths, firstFile, firstUnits, planInputs } from './job-inputs.ts';
import type { JobRecord } from './job-record.ts';
import { jobFormat, type JobSpec, jobSpec } from './job-spec.ts';
import { lastCheckpoint, wasRolledBack } from './last-steps.ts';
import { jobResult } from './job-result.ts';
import { DEFAULT_SCHEDULE, DEFAULT_STORES, NAMINGS_MAX } from './limits.ts';
import {
  assertNothingLost,
  assertOutputsEmpty,
  assertOutputsWritable,
  goOnWriting,
  NO_OUTPUTS,
  type Outputs,
  outputsOf,
  sinksOf,
} from './outputs.ts';
import { isNewFolder } from './new-folder.ts';
import { jobPlacement } from './placement.ts';
import { progressNow, rowsAtCut, sharedProgress } from './progress.ts';
import type { JobResult, JobRun, Progress, RunEvent, RunOptions } from './run-events.ts';
import { runOut } from './run-out.ts';
import { rowReader } from './source-format.ts';
import { WorkerReports } from './worker-reports.ts';
import type { JobHostSays, JobWorkerData, JobWorkerSays } from './worker-messages.ts';

/**
 * Runs the job of a file: goes on from its newest checkpoint, or begins.
 *
 * @returns when the job runs; `done` tells the end
 * @throws an error with a `code` when it cannot start; nothing was changed then
 */
export async function runJob(
  file: URL,
  options: RunOptions,
  observe: (event: RunEvent) => void,
  environment: JobEnvironment = nodeJobEnvironment,
): Promise<JobRun> {
  const run = new RunningJob(file, options, observe, environment);
  await run.start();
  return run;
}

class RunningJob implements JobRun, HostExtension {
  readonly workerModule = new URL('./job-entry.js', import.meta.url);
  readonly done: Promise<void>;
  readonly #file: URL;
  readonly #options: RunOptions;
  readonly #observe: (event: RunEvent) => void;
  readonly #environment: JobEnvironment;
  readonly #border: Border;
  readonly #workers: number;
  readonly #beganAt: number;
  readonly #progress: Float64Array;
  #key: string | null;
  #settle: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  #engine: Engine | null = null;
  #spec: JobSpec | null = null;
  #plan: InputPlan | null = null;
  #outputs: Outputs = NO_OUTPUTS;
  #record: JobRecord | null = null;
  #restored: CheckpointRecord | null = null;
  #ended = false;
  #result: JobResult | null = null;
  #namings: readonly Naming[] = [];
  #finishing = false;
  #finished = false;
  #stopping = false;
  #firstRecordSeen = false;
  #reports: WorkerReports;

  constructor(file: URL, options: RunOptions, observe: (event: RunEvent) => void, environment: JobEnvironment) {
    this.#environment = options.allowNfs === true ? onNetworkToo(environment) : environment;
    this.#border = new Border(environment.clock);
    this.#beganAt = environment.clock.monotonic();
    this.#file = file;
    this.#options = options;
    this.#observe = observe;
    this.#workers = workersOf(options.workers);
    this.#key = options.key ?? null;
    this.#reports = new WorkerReports(this.#workers);
    this.#progress = sharedProgress(this.#workers);
    this.done = new Promise((resolveDone, reject) => (this.#settle = { resolve: resolveDone, reject }));
    this.done.catch(() => undefined);
  }

  get placement(): HostExtension['placement'] {
    return jobPlacement(() => this.#plan?.splits.length ?? 1, rowReader(this.#spec!.format).keyOf);
  }

  get #location(): string {
    return this.#options.store ?? this.#spec!.checkpoint?.location ?? `${DEFAULT_STORES}/${this.#spec!.name}`;
  }

  async start(): Promise<void> {
    const options = this.#options;
    const { files, loadJob, startEngine } = this.#environment;
    this.#outputs = outputsOf(options);
    await loadJob(this.#file);
    const spec = jobSpec(this.#file.href, await firstFile(files, options.input ?? []), options.key ?? null);
    this.#spec = spec;
    if (isNewFolder(files, this.#location)) await this.#begin();
    const { schedule = DEFAULT_SCHEDULE, timezone } = spec.checkpoint ?? {};
    const engine = await startEngine({
      modules: [this.#file.href],
      location: options.allowNfs === true ? allowNetworkFolder(this.#location) : this.#location,
      job: spec.name,
      workers: this.#workers,
      schedule: mergedSchedule(schedule, options.schedule ?? {}, timezone),
      keep: options.keep ?? spec.checkpoint?.keep ?? KEEP_CHECKPOINTS,
      compression: options.compression ?? spec.checkpoint?.compression ?? 'none',
      captureBytesMax: options.captureBytesMax ?? spec.checkpoint?.captureBytesMax ?? CAPTURE_BYTES_MAX,
      copies: options.copies ?? spec.checkpoint?.copies ?? [],
      inline: options.inline ?? false,
      threads: threadSettings(options),
      fresh: options.fresh ?? false,
      from: options.from ?? null,
      acceptDuplicates: options.acceptDuplicates ?? false,
      ifRunning: options.ifRunning ?? 'fail',
      mapping: { drop: options.drop ?? [], rename: options.rename ?? {} },
      command: (position) => commandText(this.#file, options, position),
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
    // From here on the figures of `progress` are those of the run, what was restored included.
    await Promise.race([this.#allBegun(), engine.done]);
  }

  async #allBegun(): Promise<void> {
    for (;;) {
      const reports = this.#reports;
      try {
        await reports.until(() => reports.allBegun);
        return;
      } catch (error) {
        if (!wasRolledBack(error)) throw error;
      }
    }
  }

  progress(): Progress {
    const bytesTotal = this.#plan?.splits.reduce((total, split) => total + split.end - split.start, 0) ?? 0;
    return { ...progressNow(this.#progress), bytesTotal };
  }

  async stop(): Promise<void> {
    const engine = this.#engine;
    if (engine === null || this.#stopping) {
      await engine?.kill();
      this.#settle.resolve();
      return;
    }
    this.#stopping = true;
    // It ends by itself, and has said so.
    if (this.#finished) return;
    let position: number | null = null;
    try {
      ({ position } = await lastCheckpoint(engine, this.#environment.clock, (last) => {
        const reports = this.#reports;
        return reports.until(() => reports.haveAllApplied(last));
      }));
    } catch (error) {
      if (!this.#finished) throw error;
    } finally {
      await engine.stop(false);
    }
    if (!this.#finished) this.#observe({ event: 'stopped', position, rows: rowsAtCut(this.#progress).rows });
  }

  // ── HostExtension ────────────────────────────────────────────────────────────────────────────────────────────

  async prepare(record: CheckpointRecord | null): Promise<Prepared> {
    this.#restored = record;
    this.#record = (record?.app ?? null) as JobRecord | null;
    if (record !== null && this.#record !== null) {
      this.#plan = this.#record.plan;
      this.#ended = this.#record.ended;
      this.#result = this.#record.result;
      assertSamePaths(this.#plan, this.#options.input ?? []);
      if (record.finished) return { kind: 'finished' };
      this.#useFormatOf(this.#plan, this.#record.key);
      this.#outputs = goOnWriting(this.#options, this.#record.outputs, (code, message) => {
        this.#observe({ event: 'warning', code, message });
      });
      await verifyInputs(this.#environment.files, this.#plan);
      if (this.#options.from === undefined) await this.#assertNothingLost(record.position);
    } else if (this.#plan === null) await this.#begin();
    await assertOutputsWritable(this.#environment, this.#outputs);
    const plan = this.#plan!;
    return { kind: 'run', data: this.#workerData(plan), units: record === null ? firstUnits(plan) : [] };
  }

  /** All that a run from nothing may refuse; without a side effect, so that it may come before the store is made. */
  async #begin(): Promise<void> {
    // Refuses an input without a key.
    rowReader(this.#spec!.format);
    this.#plan = await planInputs(this.#environment.files, this.#spec!, this.#options.input ?? [], this.#file);
    await assertOutputsEmpty(this.#environment, this.#outputs);
  }

  /** Goes on reading as before: neither the inputs nor `--key` need be given again. */
  #useFormatOf(plan: InputPlan, key: string | null): void {
    const { key: now = key } = this.#options;
    if (now !== key) {
      throw new JobError(
        'JOB_CHANGED',
        `--key ${now}: the checkpoint was taken with ${key === null ? 'no --key' : `--key ${key}`}, and its states belong to those keys. Give the same, or begin again with --fresh.`,
      );
    }
    this.#key = key;
    this.#spec = { ...this.#spec!, format: jobFormat(this.#spec!.job, plan.files[0]?.path ?? '', key) };
  }

  #assertNothingLost(position: number): Promise<void> {
    const { name: job } = this.#spec!;
    const command = commandText(this.#file, this.#options, position);
    return assertNothingLost(this.#environment, this.#outputs, { position, location: this.#location, job, command });
  }

  mayRecover(code: string): boolean {
    return code === 'PROCESS_THREW';
  }

  interrupted(reason: Error): void {
    const reports = this.#reports;
    this.#reports = new WorkerReports(this.#workers);
    this.#finishing = false;
    reports.end(reason);
  }

  rolledBack(record: CheckpointRecord | null): ToRun {
    this.#restored = record;
    this.#record = (record?.app ?? null) as JobRecord | null;
    this.#ended = this.#record?.ended ?? false;
    this.#result = null;
    const plan = this.#plan!;
    return { data: this.#workerData(plan), units: record === null ? firstUnits(plan) : [] };
  }

  running(): void {
    this.#sayAll({ kind: 'begin' });
  }

  receive(thread: number, data: unknown): void {
    const says = data as JobWorkerSays;
    const { clock } = this.#environment;
    const reports = this.#reports;
    switch (says.kind) {
      case 'begun':
        reports.begun++;
        break;
      case 'drained':
        reports.drained.add(thread);
        if (reports.allDrained) this.#finish();
        break;
      case 'first-record':
        if (this.#firstRecordSeen) return;
        this.#firstRecordSeen = true;
        this.#observe({ event: 'first-record', sinceStartMs: Math.round(clock.monotonic() - this.#beganAt) });
        break;
      case 'ended':
        reports.counters.set(thread, says.counters);
        break;
      case 'applied':
        reports.applied.set(thread, says.position);
        break;
      case 'checkpoint-wanted':
        this.#engine?.checkpoint().catch(() => undefined);
        break;
      case 'warning':
        this.#observe({ event: 'warning', code: says.code, message: says.message });
        break;
    }
    reports.look();
  }

  record(): { readonly app: JobRecord; readonly finished: boolean } {
    const app: JobRecord = {
      plan: this.#plan!,
      outputs: this.#outputs,
      namings: this.#namings,
      key: this.#key,
      ended: this.#ended,
      ...rowsAtCut(this.#progress),
      result: this.#result,
    };
    return { app, finished: this.#result !== null };
  }

  published(published: Published): void {
    const { cut, position } = published;
    this.#namings = [...this.#namings, { cut, position }].slice(-NAMINGS_MAX);
    if (this.#result === null) return;
    this.#tellFinished(false, position);
    void this.#engine?.stop(false);
  }

  // ── the end of a bounded job ─────────────────────────────────────────────────────────────────────────────────

  #finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    const reports = this.#reports;
    runOut({
      clock: this.#environment.clock,
      engine: this.#engine!,
      reports,
      isCurrent: () => reports === this.#reports,
      stopping: () => this.#stopping,
      sayAll: (says) => this.#sayAll(says),
      ended: () => this.#ended,
      noteEnded: () => (this.#ended = true),
      makeResult: () => this.#makeResult(reports),
    }).catch((error: unknown) => {
      // A stop in the last steps ends them; after a rollback they are taken again when the sources are dry again.
      if (this.#stopping || wasRolledBack(error)) return;
      this.#settle.reject(error instanceof Error ? error : new Error(String(error)));
      void this.#engine?.kill();
    });
  }

  async #makeResult(reports: WorkerReports): Promise<() => void> {
    const collector: Ref<typeof Collector> = { type: COLLECTOR, key: '' };
    const gathered = await this.#border.ask(collector).all();
    const result = jobResult(this.#spec!.job, [...reports.counters.values()], gathered);
    return () => (this.#result = result);
  }

  #tellFinished(already: boolean, position: number): void {
    this.#finished = true;
    const { rows, badRows } = already ? this.#record! : this.progress();
    this.#observe({ event: 'finished', position, already, rows, badRows, result: this.#result! });
  }

  #workerData(plan: InputPlan): JobWorkerData {
    return {
      url: this.#file.href,
      files: plan.files,
      splits: plan.splits.length,
      key: this.#key,
      ...sinksOf(this.#outputs, this.#options),
      rowsPerSecond: (this.#options.rate ?? 0) / this.#workers,
      restored: { position: this.#restored?.position ?? 0, namings: this.#record?.namings ?? [] },
      progress: this.#progress,
    };
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────────────────────

  #pass(event: EngineEvent): void {
    const facts = { job: this.#spec!.name, workers: this.#workers, rows: this.#record?.rows ?? 0 };
    const said = toRunEvent(event, facts);
    if (said !== null) this.#observe(said);
  }

  #sayAll(data: JobHostSays): void {
    for (let thread = 1; thread <= this.#workers; thread++) this.#engine?.say(thread, { kind: 'extension', data });
  }
}
