import {
  type Batch,
  copyValue,
  decodeRowsData,
  type LoadedUnit,
  Mailbox,
  type MailOwner,
  type RowsData,
  type Runtime,
  type Task,
  UnitTable,
} from '@tidemark/actors/internal/worker';
import { COLLECTOR } from './collector.ts';
import { JobError, unitUnknown } from './errors.ts';
import type { ChunkUnit, FileSink, RestoredNames } from './file-sink.ts';
import type { Key } from './formats.ts';
import { type AnyJob, CONTEXT, STATE } from './job.ts';
import type { Source, SplitState } from './source.ts';

/** Name of the task of a class-form job; part of its units' addresses. */
export const JOB_TASK = 'job';

export interface JobTaskOptions {
  readonly job: AnyJob;
  readonly runtime: Runtime;
  readonly source: Source;
  readonly output: FileSink | null;
  readonly badRows: FileSink | null;
  readonly keyOf: ((value: unknown) => Key) | null;
  /** The checkpoint that was restored; its position is 0 for none. */
  readonly restored: RestoredNames;
  readonly firstRecord: () => void;
  /** Called at each flip. */
  readonly flipped: () => void;
}

/**
 * One worker's share of a job: its splits, the keys that live here with their states, and its sinks, fused into one task.
 *
 * A turn is a batch of records (architecture §8). Units: one per split, one per key, one per counter, one per chunk of output.
 */
export class JobTask implements Task, MailOwner<Batch> {
  readonly name = JOB_TASK;
  readonly cut;
  readonly mail: Mailbox<Batch>;
  readonly #options: JobTaskOptions;
  readonly #keyed = new UnitTable<Key, object>();
  readonly #counters = new UnitTable<string, number>();
  #first = true;
  /** A job that says nothing of a first state or a last word has a state only for the keys that it gives one. */
  readonly #keepsEveryKey: boolean;
  /** State of a key that has none yet; kept only if something is put into it. */
  #blank: object = {};
  readonly #firstState = (key: Key): object => {
    const { job } = this.#options;
    return job.initial === undefined ? {} : (job.initial(key) as object);
  };

  constructor(options: JobTaskOptions) {
    this.#options = options;
    this.#keepsEveryKey = options.job.initial !== undefined || options.job.onEndOfStream !== undefined;
    this.cut = options.runtime.cut;
    this.mail = new Mailbox<Batch>(this);
    this.#keyed.attach({ type: JOB_TASK, key: '', table: 'keyed', cut: this.cut });
    this.#counters.attach({ type: JOB_TASK, key: String(options.runtime.thread), table: 'counters', cut: this.cut });
    options.job[CONTEXT] = {
      emit: (key, value) => this.#emit(key, value),
      collect: (key, value) => this.#collect(key, value),
      count: (name, by) => this.#count(name, by),
    };
  }

  get quiet(): boolean {
    return true;
  }

  get drained(): boolean {
    return this.#options.source.drained;
  }

  captureMail(batch: Batch): void {
    this.cut.sink?.batch(batch);
  }

  *captureUnits(): Generator<void, void, void> {
    yield* this.#options.source.captureUnits();
    yield* this.#keyed.captureUnits();
    yield* this.#counters.captureUnits();
  }

  *captureMotion(): Generator<void, void, void> {
    const { output, badRows } = this.#options;
    if (output !== null) yield* output.captureMotion();
    if (badRows !== null) yield* badRows.captureMotion();
    yield* this.mail.capture();
  }

  flip(): boolean {
    this.#options.flipped();
    const output = this.#options.output?.flip() ?? false;
    const bad = this.#options.badRows?.flip() ?? false;
    return output || bad;
  }

  poll(): boolean {
    return this.#options.source.poll();
  }

  turn(batch: Batch): void {
    const { job, keyOf } = this.#options;
    const { keys, values } = batch;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      const key = keys === null ? keyOf!(value) : keys[i];
      this.#process(job, key, value);
    }
    if (this.#first) {
      this.#first = false;
      this.#options.firstRecord();
    }
  }

  /** The input has ended and everything has run through: the last word of each key. */
  endOfStream(): void {
    const { job } = this.#options;
    if (job.onEndOfStream === undefined) return;
    for (const [key] of this.#keyed.entries()) {
      job[STATE] = this.#keyed.touch(key, () => ({})).value;
      try {
        job.onEndOfStream(key);
      } catch (cause) {
        throw processThrew('onEndOfStream', key, cause);
      }
    }
  }

  get counters(): Record<string, number> {
    return Object.fromEntries(this.#counters.entries());
  }

  loadUnit(unit: LoadedUnit): void {
    const { source, output, badRows, restored } = this.#options;
    switch (unit.table) {
      case 'splits':
        source.load(unit.tableKey as number, unit.value as SplitState);
        return;
      case 'keyed':
        this.#keyed.load(unit.tableKey!, unit.value as object);
        return;
      case 'counters':
        this.#loadCounter(String(unit.tableKey), unit.value as number);
        return;
      case 'sink:output':
        output?.load(unit.value as ChunkUnit, restored);
        return;
      case 'sink:bad':
        badRows?.load(unit.value as ChunkUnit, restored);
        return;
      default:
        throw unitUnknown(unit.table);
    }
  }

  loadRows(table: string, rows: RowsData): void {
    if (table === 'keyed') this.#keyed.loadStored(rows);
    else {
      decodeRowsData<Key, unknown>(rows, (tableKey, value) => {
        this.loadUnit({ type: JOB_TASK, key: '', table, tableKey, value });
      });
    }
  }

  #process(job: AnyJob, key: Key, value: unknown): void {
    const known = this.#keepsEveryKey ? this.#keyed.touch(key, this.#firstState) : this.#keyed.touchKnown(key);
    job[STATE] = known === undefined ? this.#blank : known.value;
    let returned: unknown;
    try {
      returned = job.process(key, value);
    } catch (cause) {
      throw processThrew('process', key, cause);
    }
    if (returned !== undefined) assertNoPromise(returned, key);
    if (known === undefined && !isEmpty(this.#blank)) {
      this.#keyed.touch(key, () => this.#blank);
      this.#blank = {};
    }
  }

  #emit(key: Key, value: unknown): void {
    const { output } = this.#options;
    if (output !== null) output.append(JSON.stringify({ key, value }));
    else this.#count(DISCARDED, 1);
  }

  #collect(key: Key, value: unknown): void {
    const args = [key, copyValue(value, `collect(${JSON.stringify(key)})`)];
    this.#options.runtime.send({ type: COLLECTOR, key: '', handler: 'put', args, reply: null });
  }

  #count(name: string, by: number): void {
    this.#counters.touch(name, () => 0).value += by;
  }

  /** Counters of several former workers may come to one. */
  #loadCounter(name: string, value: number): void {
    this.#counters.load(name, value + (this.#counters.get(name) ?? 0));
  }
}

/** Counter of records emitted without an output; kept out of results. */
export const DISCARDED = 'tidemark.discarded';

function isEmpty(state: object): boolean {
  for (const _ in state) return false;
  return true;
}

function assertNoPromise(returned: unknown, key: Key): void {
  if (typeof returned !== 'object' || returned === null || !('then' in returned)) return;
  throw new JobError(
    'PROCESS_ASYNC',
    `process of key ${JSON.stringify(key)} returned a promise: what it did later would be in no checkpoint. Make process not async; work that waits belongs outside of it.`,
  );
}

function processThrew(where: string, key: Key, cause: unknown): JobError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new JobError('PROCESS_THREW', `${where} of key ${JSON.stringify(key)} threw: ${message}`, { cause });
}
