import { insideWorker, isProgram } from '@tidemark/checkpoint/internal/worker';
import type { CheckpointConfig } from './checkpoint-config.ts';
import type { InputFormat, Key } from './formats.ts';
import { registerJob } from './registry.ts';
import type { JobResult, RunOptions } from './run-events.ts';

/** What the engine gives a job to work with. */
export interface JobContext {
  emit(key: Key, value: unknown): void;
  collect(key: Key, value: unknown): void;
  count(name: string, by: number): void;
}

/** What `setup()` has said. */
export interface JobSettings {
  checkpoint: CheckpointConfig | null;
  input: InputFormat | null;
}

export interface Collected {
  readonly key: Key;
  readonly value: unknown;
}

/** For the engine only. The same in every copy of this package: a job may have another than the command that runs it. */
export const SETTINGS: unique symbol = Symbol.for('tidemark.job.settings');
export const CONTEXT: unique symbol = Symbol.for('tidemark.job.context');
export const STATE: unique symbol = Symbol.for('tidemark.job.state');

const NO_CONTEXT: JobContext = {
  emit: outside,
  collect: outside,
  count: outside,
};

/**
 * Class form of a job: `process` runs at the home worker of the record's key, and `this.state` is that key's state.
 * All of it is in every checkpoint; what is emitted reaches the output exactly once.
 *
 * @example
 * export class AddOne extends Job<string, number> {
 *   process(key: string, value: number) { this.emit(key, value + 1); }
 * }
 * await AddOne.main(import.meta);
 */
export abstract class Job<K extends Key, V, Out = V, S extends object = object> {
  readonly [SETTINGS]: JobSettings = { checkpoint: null, input: null };
  [CONTEXT]: JobContext = NO_CONTEXT;
  [STATE]: object = NO_STATE;

  /** Called once in each thread, before anything else: settings only. */
  setup(): void {}

  /** One record. Not async: what waits belongs outside of it. */
  abstract process(key: K, value: V): void;

  /** First state of a key; an empty object when not given. */
  initial?(key: K): S;

  /** Called once for each key when the input has ended, with `this.state` of that key. */
  onEndOfStream?(key: K): void;

  /** Makes the job's result of what `collect` gathered, sorted by key. Runs on the host, once, at the end. */
  summarize?(collected: readonly Collected[], counters: Readonly<Record<string, number>>): unknown;

  /** State of the key that is being processed. Change it in place. */
  protected get state(): S {
    return this[STATE] as S;
  }

  /** Writes a record to the job's output, exactly once. */
  protected emit(key: K, value: Out): void {
    this[CONTEXT].emit(key, value);
  }

  /** Gives a value to the host for the job's result; the last one of a key counts. */
  protected collect(key: K, value: unknown): void {
    this[CONTEXT].collect(key, value);
  }

  /** Adds to a counter of the whole job. */
  protected count(name: string, by = 1): void {
    this[CONTEXT].count(name, by);
  }

  protected setCheckpoint(config: CheckpointConfig): void {
    this[SETTINGS].checkpoint = config;
  }

  protected setInput(format: InputFormat): void {
    this[SETTINGS].input = format;
  }

  /**
   * Makes this class the job of its file. `npx tidemark run FILE` runs it, and so does running the file itself, then
   * with `options`. Does nothing more in a worker.
   */
  static async main(this: JobClass, meta: ImportMeta, options: RunOptions = {}): Promise<JobResult | undefined> {
    registerJob(this, meta.url);
    if (insideWorker() || !isProgram(meta)) return undefined;
    const { runHere } = await import('./run-here.ts');
    return runHere(new URL(meta.url), options);
  }
}

// oxlint-disable-next-line no-explicit-any -- what the engine knows of a job: its types were checked at the class
export type AnyJob = Job<any, any, any, any>;
export type JobClass = (new () => AnyJob) & { readonly name: string };

const NO_STATE = Object.freeze({});

function outside(): never {
  throw new TypeError('emit, collect and count belong into process or onEndOfStream');
}
