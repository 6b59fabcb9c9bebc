import {
  CheckpointError,
  choose,
  type ChooseOptions,
  type KeepOptions,
  Log,
  type FileRef,
  Retention,
} from '@tidemark/checkpoint/internal';
import type { Store } from '@tidemark/stores';
import type { ManualClock } from '../../../actors/test/support/manual-clock.ts';
import { bodyOf, JOB } from './job-log.ts';
import { sha256, writePart } from './parts.ts';

export interface ChainOptions {
  readonly keep: number | KeepOptions;
  readonly recordsPerPass: number;
  /** A full file after so many checkpoints. */
  readonly fullEvery: number;
  readonly choose?: Partial<ChooseOptions>;
}

/** An owner that does nothing but put checkpoints, each of which names a full file and the ones that build on it. */
export class ChainOwner {
  readonly log: Log;
  readonly retention: Retention;
  readonly term: number;
  readonly warnings: string[] = [];
  readonly positions: number[] = [];
  readonly #store: Store;
  readonly #options: ChainOptions;
  #cut: number;
  #published = 0;
  #stack: readonly { readonly number: number; readonly ref: FileRef }[] = [];

  private constructor(
    store: Store,
    clock: ManualClock,
    log: Log,
    options: ChainOptions,
    at: { term: number; cut: number },
  ) {
    const { keep, recordsPerPass } = options;
    this.log = log;
    this.term = at.term;
    this.#cut = at.cut;
    this.#store = store;
    this.#options = options;
    const warn = (code: string, message: string): void => void this.warnings.push(`${code}: ${message}`);
    this.retention = new Retention({ store, job: JOB, log, keep, clock, recordsPerPass, warn });
  }

  static async start(store: Store, clock: ManualClock, options: ChainOptions): Promise<ChainOwner> {
    const log = await Log.open(store, JOB, clock);
    const choice = await choose(log, store, JOB, { ...CHOOSE, ...options.choose });
    const from = choice.checkpoint?.record.position ?? 'fresh';
    const term = choice.term + 1;
    await log.put({ kind: 'term', from, host: 'here', pid: 1 }, term);
    return new ChainOwner(store, clock, log, options, { term, cut: choice.cut });
  }

  /** The same owner over another way to the store. */
  static async resume(
    store: Store,
    clock: ManualClock,
    options: ChainOptions,
    at: { readonly position: number; readonly term: number; readonly cut: number },
  ): Promise<ChainOwner> {
    const log = await Log.open(store, JOB, clock);
    if (log.last !== at.position) throw new CheckpointError('FENCED', 'somebody was quicker');
    return new ChainOwner(store, clock, log, options, at);
  }

  get lastCut(): number {
    return this.#cut;
  }

  /** Answers its position. A pass that it causes is waited for. */
  async checkpoint(): Promise<number> {
    const cut = ++this.#cut;
    const number = this.#published % this.#options.fullEvery;
    this.#published++;
    // The stack of files, by the lowbit rule (C23).
    const on = number === 0 ? -1 : number - (number & -number);
    const below = this.#stack.filter((file) => file.number <= on);
    const base = below.at(-1)?.ref.cut ?? 0;
    const { bytes } = writePart((writer) => writer.unit('counter', `of-cut-${cut}`, '', null, { n: cut }), cut, base);
    const path = `part/${this.term}-${cut}-0-00ff`;
    await this.#store.put(`${JOB}/${path}`, bytes);
    const ref: FileRef = { cut, length: bytes.length, sha256: sha256(bytes), path };
    this.#stack = [...below, { number, ref }];
    const parts = [{ thread: 0, files: this.#stack.map((file) => file.ref) }];
    const position = await this.log.put(bodyOf({ cut, parts }), this.term);
    await this.retention.assertOwner(position);
    this.positions.push(position);
    this.retention.published();
    await this.retention.idle();
    return position;
  }

  async checkpoints(count: number, clock?: ManualClock, everyMs = 0): Promise<readonly number[]> {
    const made: number[] = [];
    for (let i = 0; i < count; i++) {
      made.push(await this.checkpoint());
      clock?.advance(everyMs);
    }
    return made;
  }
}

const CHOOSE: ChooseOptions = {
  fresh: false,
  from: null,
  acceptDuplicates: false,
  command: (position) => `--from ${position} --accept-duplicates`,
  warn: () => undefined,
};
