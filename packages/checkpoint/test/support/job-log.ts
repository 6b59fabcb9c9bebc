import {
  type CheckpointRecord,
  type Choice,
  choose,
  type ChooseOptions,
  Log,
  type PartRef,
  type RecordBody,
  type TermRecord,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { ManualClock } from '../../../actors/test/support/manual-clock.ts';
import { fileRef, writePart } from './parts.ts';
import { recordOf } from './records.ts';

export const JOB = 'main';

/** A log as owners would have left it: terms and checkpoints, written one after the other. */
export class JobLog {
  readonly store: MemoryStore;
  readonly log: Log;
  #term = 0;
  #cut = 0;

  private constructor(store: MemoryStore, log: Log) {
    this.store = store;
    this.log = log;
  }

  static async open(): Promise<JobLog> {
    const store = new MemoryStore('test');
    return new JobLog(store, await Log.open(store, JOB, new ManualClock()));
  }

  /** A new owner. Answers its position. */
  term(from: TermRecord['from']): Promise<number> {
    return this.log.put({ kind: 'term', from, host: 'somewhere', pid: 1 }, ++this.#term);
  }

  /** A checkpoint with one part that is a file, unless the test says otherwise. Answers its position. */
  async checkpoint(given: Partial<CheckpointRecord> = {}): Promise<number> {
    const cut = ++this.#cut;
    return this.log.put(bodyOf({ cut, parts: given.parts ?? [await this.part(cut)], ...given }), this.#term);
  }

  /** Stores a part that holds one unit, named after the cut. */
  async part(cut: number): Promise<PartRef> {
    const { bytes } = writePart((writer) => writer.unit('counter', `of-cut-${cut}`, '', null, { n: cut }));
    const path = `part/${this.#term}-${cut}-0-00ff`;
    await this.store.put(`${JOB}/${path}`, bytes);
    return fileRef(path, bytes);
  }
}

/** What the log's caller gives of a checkpoint record. */
export function bodyOf(given: Partial<CheckpointRecord> = {}): RecordBody {
  const { kind, cut, definitions, parts, releases, finished, app, history, failed } = recordOf(given);
  return { kind, cut, definitions, parts, releases, finished, app, history, failed };
}

/** A start's choice over what a store holds now, and what it warned of. */
export async function chosen(
  store: Store,
  options: Partial<ChooseOptions> = {},
): Promise<Choice & { readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const log = await Log.open(store, JOB, new ManualClock());
  const choice = await choose(log, store, JOB, {
    fresh: false,
    from: null,
    acceptDuplicates: false,
    command: (position) => `tidemark run --from ${position} --accept-duplicates`,
    warn: (code, message) => warnings.push(`${code}: ${message}`),
    ...options,
  });
  return { ...choice, warnings };
}
