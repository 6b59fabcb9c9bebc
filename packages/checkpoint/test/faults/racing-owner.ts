import {
  CheckpointError,
  type Environment,
  Log,
  nodeEnvironment,
  parseKeep,
  Retention,
  takeOver,
} from '@tidemark/checkpoint/internal';
import type { Store } from '@tidemark/stores';
import type { ManualClock } from '../../../actors/test/support/manual-clock.ts';
import { bodyOf } from '../support/job-log.ts';
import { fileRef, writePart } from '../support/parts.ts';
import { JOB } from './history.ts';

const KEEP = 2;
const RECORDS_PER_PASS = 3;

/** A checkpoint that its owner let the world see. */
export interface Released {
  readonly owner: string;
  readonly term: number;
  readonly position: number;
}

/**
 * An owner as the engine has one, without threads: it takes over, puts parts and records, releases, and removes old
 * checkpoints. It believes that nobody else lives, so that nothing but the log keeps it back.
 */
export class RacingOwner {
  /** A digit of hexadecimal: names of parts end with it. */
  readonly name: string;
  /** Oldest first. */
  readonly released: Released[] = [];
  term = 0;
  /** Position of the checkpoint that it went on from. */
  from: number | 'fresh' = 'fresh';
  /** Why it ended. */
  ended: CheckpointError | null = null;
  readonly warnings: string[] = [];
  /** Looks for a boundary after each put, as owners must (C19). */
  looks = true;
  readonly #store: Store;
  readonly #environment: Environment;

  constructor(name: string, store: Store, clock: ManualClock) {
    this.name = name;
    this.#store = store;
    let id = 0;
    this.#environment = {
      ...nodeEnvironment,
      clock,
      randomId: () => `${name}${(++id).toString(16)}`,
      processes: { ...nodeEnvironment.processes, isAlive: () => false },
    };
  }

  /** Lives until it hears that another one owns the job, or until `enough`. */
  async live(enough: () => boolean): Promise<void> {
    try {
      await this.#live(enough);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      this.ended = error;
    }
  }

  async #live(enough: () => boolean): Promise<void> {
    const place = { store: this.#store, job: JOB, environment: this.#environment };
    const own = await takeOver(place, CHOOSE, async () => 'prepared');
    if (own === null) throw new Error('nothing to run');
    const { log, choice, owner, term } = own;
    this.term = term;
    this.from = choice.checkpoint?.record.position ?? 'fresh';
    const warn = (code: string): void => void this.warnings.push(code);
    const { clock } = this.#environment;
    const given = { store: this.#store, job: JOB, log, clock, keep: KEEP, recordsPerPass: RECORDS_PER_PASS, warn };
    const retention = new Retention(given);
    try {
      for (let cut = choice.cut + 1; !enough(); cut++) await this.#checkpoint(log, retention, cut);
    } finally {
      owner.stop();
      await retention.idle();
    }
  }

  async #checkpoint(log: Log, retention: Retention, cut: number): Promise<void> {
    const { bytes } = writePart((writer) => writer.unit('counter', this.name, '', null, { cut }));
    const path = `part/${this.term}-${cut}-0-${this.#environment.randomId()}`;
    await this.#store.put(`${JOB}/${path}`, bytes);
    const position = await log.put(bodyOf({ cut, parts: [fileRef(path, bytes)] }), this.term);
    if (this.looks) await retention.assertOwner(position);
    this.released.push({ owner: this.name, term: this.term, position });
    retention.published();
  }
}

const CHOOSE = {
  fresh: false,
  from: null,
  acceptDuplicates: false,
  command: String,
  warn: () => undefined,
  keep: parseKeep(KEEP),
};
