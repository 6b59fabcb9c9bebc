import type { Clock } from '@tidemark/actors/internal';
import { StoreError, type Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import { SETTLE_TRIES } from './limits.ts';
import { randomId } from './random.adapter.ts';
import { decodeRecord, encodeRecord, RECORD_FORMAT, type LogRecord, type RecordBody } from './record.ts';

/** Name of a position: sorts as numbers do. */
export function logName(job: string, position: number): string {
  return `${job}/log/${String(position).padStart(20, '0')}`;
}

const SETTLE_DELAY_MS = 200;

/** What stands at a position: a record, or the reason why it cannot be read. */
export type Found =
  | { readonly ok: true; readonly record: LogRecord; readonly hash: string }
  | { readonly ok: false; readonly error: CheckpointError; readonly hash: string };

/**
 * The log of one job: the only commit point.
 *
 * Owns: the next position, the hash chain, the put that is not settled. Does not own: what records mean.
 * Invariants: C11, C12, C16 of SPEC.md.
 */
export class Log {
  readonly #store: Store;
  readonly #job: string;
  readonly #clock: Clock;
  #last: number;
  #lastHash: string | null = null;
  #unsettled: { readonly position: number; readonly bytes: Uint8Array; readonly putId: string } | null = null;
  #fenced: CheckpointError | null = null;
  /** What a record read says of its predecessor. */
  readonly #expected = new Map<number, string>();

  private constructor(store: Store, job: string, clock: Clock, last: number) {
    this.#store = store;
    this.#job = job;
    this.#clock = clock;
    this.#last = last;
  }

  /** Lists the log. A failed listing is an error, never "empty" (C16). */
  static async open(store: Store, job: string, clock: Clock): Promise<Log> {
    const names = await store.list(`${job}/log/`);
    const newest = names.at(-1);
    return new Log(store, job, clock, newest === undefined ? 0 : Number(newest.slice(-20)));
  }

  /** Newest position that this owner has read or written; 0 when the log is empty. */
  get last(): number {
    return this.#last;
  }

  /** Reads and verifies what stands at a position. A record that should be there and is not is damage. */
  async read(position: number): Promise<Found> {
    const name = logName(this.#job, position);
    let bytes: Uint8Array;
    try {
      bytes = await this.#store.get(name);
    } catch (cause) {
      if (!(cause instanceof StoreError) || cause.kind !== 'absent') throw cause;
      const error = new CheckpointError('CHECKPOINT_DAMAGED', `${name} is missing in ${this.#store.url}`, { cause });
      return { ok: false, error, hash: '' };
    }
    const hash = sha256(bytes);
    if (position === this.#last) this.#lastHash = hash;
    try {
      const record = decodeRecord(bytes, name);
      if (record.position !== position || record.job !== this.#job) {
        const found = `position ${record.position} of job '${record.job}'`;
        throw new CheckpointError('CHECKPOINT_DAMAGED', `${name} says that it is ${found}: it was moved or copied`);
      }
      if ((this.#expected.get(position) ?? hash) !== hash) {
        throw new CheckpointError(
          'CHECKPOINT_DAMAGED',
          `${name} is not the record that its successor was written after`,
        );
      }
      if (record.previous !== null) this.#expected.set(position - 1, record.previous);
      return { ok: true, record, hash };
    } catch (error) {
      if (error instanceof CheckpointError) return { ok: false, error, hash };
      throw error;
    }
  }

  /**
   * Puts a record at the next position, if absent.
   *
   * @returns its position
   * @throws CheckpointError `FENCED` when another owner has put there, for ever after; `LOG_UNSETTLED` when the store
   * would not say whether the record is there (the next call settles that first)
   * @throws StoreError when the store surely did nothing
   */
  async put(body: RecordBody, term: number): Promise<number> {
    if (this.#fenced !== null) throw this.#fenced;
    if (this.#unsettled !== null) {
      // The open put may be there: it is decided before anything else is written.
      const settled = await this.#settle(this.#unsettled);
      if (settled === 'ours')
        throw new CheckpointError('LOG_UNSETTLED', 'the previous record was found stored, later than believed');
    }
    if (this.#last > 0 && this.#lastHash === null) await this.read(this.#last);
    const position = this.#last + 1;
    const putId = randomId();
    const bytes = encodeRecord({
      format: RECORD_FORMAT,
      job: this.#job,
      position,
      previous: this.#lastHash,
      term,
      putId,
      createdAt: new Date(this.#clock.now()).toISOString(),
      ...body,
    });
    const attempt = { position, bytes, putId };
    let answer: 'stored' | 'taken' | 'unknown';
    try {
      answer = await this.#store.putIfAbsent(logName(this.#job, position), bytes);
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'lost') throw error;
      answer = 'unknown';
    }
    if (answer === 'stored') {
      this.#advance(attempt);
      return position;
    }
    this.#unsettled = attempt;
    if ((await this.#settle(attempt)) === 'ours') return position;
    throw new CheckpointError('LOG_UNSETTLED', `${logName(this.#job, position)} was not stored`);
  }

  /** Reads back an attempt whose outcome is not known, and compares the put id. */
  async #settle(attempt: {
    readonly position: number;
    readonly bytes: Uint8Array;
    readonly putId: string;
  }): Promise<'ours' | 'absent'> {
    const name = logName(this.#job, attempt.position);
    for (let tries = 1; ; tries++) {
      try {
        const found = await this.#store.get(name);
        if (sha256(found) !== sha256(attempt.bytes)) throw this.#fence(found, name);
        this.#advance(attempt);
        this.#unsettled = null;
        return 'ours';
      } catch (error) {
        if (error instanceof CheckpointError) throw error;
        if (error instanceof StoreError && error.kind === 'absent') {
          this.#unsettled = null;
          return 'absent';
        }
        if (tries >= SETTLE_TRIES) {
          throw new CheckpointError('LOG_UNSETTLED', `${name}: the store does not say whether the record is there`, {
            cause: error,
          });
        }
        await new Promise<void>((resolve) => this.#clock.after(SETTLE_DELAY_MS * tries, resolve));
      }
    }
  }

  #fence(found: Uint8Array, name: string): CheckpointError {
    let holder = 'another owner';
    try {
      const record = decodeRecord(found, name);
      if (record.kind === 'term')
        holder = `term ${record.term} (${record.host}, pid ${record.pid}, since ${record.createdAt})`;
      else holder = `term ${record.term}`;
    } catch {
      // Whoever wrote it, it is not ours.
    }
    this.#fenced = new CheckpointError(
      'FENCED',
      `${name} was written by ${holder}: this process owns the job no longer and stops`,
    );
    return this.#fenced;
  }

  #advance(attempt: { readonly position: number; readonly bytes: Uint8Array }): void {
    this.#last = attempt.position;
    this.#lastHash = sha256(attempt.bytes);
  }
}
