import type { Clock } from '@tidemark/actors/internal';
import { StoreError, type Store } from '@tidemark/stores';
import { type Boundary, boundaryName, boundaryPositions, decodeBoundary } from './boundary.ts';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import { SETTLE_DELAY_MS_MAX, SETTLE_MS } from './limits.ts';
import { randomId } from './random.adapter.ts';
import { decodeRecord, encodeRecord, positionAfter, RECORD_FORMAT, type LogRecord, type RecordBody } from './record.ts';

/** Name of a position: sorts as numbers do. */
export function logName(job: string, position: number): string {
  return `${job}/log/${String(position).padStart(20, '0')}`;
}

/** A record's own name; anything else that lies there was put by a person. */
export const POSITION = /\/\d{20}$/;

const SETTLE_DELAY_MS = 200;

/** A record that is being put. */
interface Attempt {
  readonly position: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What stands at a position: a record, or the reason why it cannot be read. */
export type Found =
  | { readonly ok: true; readonly record: LogRecord; readonly hash: string }
  | { readonly ok: false; readonly error: CheckpointError; readonly hash: string };

/**
 * The log of one job: the only commit point.
 *
 * Owns: the next position, the hash chain, the put under way until its outcome is known. Does not own: what records mean.
 * Invariants: C11, C12, C16 of SPEC.md.
 */
export class Log {
  /** Below it, records may be gone; null when none was ever removed. */
  readonly boundary: Boundary | null;
  readonly #store: Store;
  readonly #job: string;
  readonly #clock: Clock;
  readonly #newId: () => string;
  #last: number;
  #lastHash: string | null = null;
  /** It is the hash of a whole record. One that was damaged when it was read may have been put right since. */
  #lastWasWhole = false;
  #written: LogRecord | null = null;
  /** Where the next record belongs, as the last one says. */
  #next: number | null = null;
  /** The two newest positions when the log was opened. */
  readonly #newestTwo: readonly number[];
  /** Why nothing is put any more, ever: fenced, an outcome that nobody can tell, or the end of the system. */
  #closed: CheckpointError | null = null;
  #endWait: () => void = () => undefined;
  /** What a record read says of its predecessor. */
  readonly #expected = new Map<number, string>();

  private constructor(
    store: Store,
    job: string,
    clock: Clock,
    newId: () => string,
    boundary: Boundary | null,
    positions: readonly number[],
  ) {
    this.boundary = boundary;
    this.#newId = newId;
    this.#store = store;
    this.#job = job;
    this.#clock = clock;
    this.#last = positions.at(-1) ?? 0;
    this.#newestTwo = positions.slice(-2);
  }

  /**
   * Lists the log. A failed listing is an error, never "empty" (C16).
   *
   * @throws CheckpointError `CHECKPOINT_DAMAGED` when the record of the boundary is gone
   */
  static async open(store: Store, job: string, clock: Clock, newId: () => string = randomId): Promise<Log> {
    const boundary = await readBoundary(store, job);
    const names = await store.list(
      `${job}/log/`,
      boundary === null ? {} : { after: logName(job, boundary.position - 1) },
    );
    const positions = names.flatMap((name) => (POSITION.test(name) ? [Number(name.slice(-20))] : []));
    if (positions.length > 0 || boundary === null) return new Log(store, job, clock, newId, boundary, positions);
    const missing = logName(job, boundary.position);
    throw new CheckpointError('CHECKPOINT_DAMAGED', `${missing} and all newer records are gone from ${store.url}`);
  }

  /** Oldest position that must be there. */
  get first(): number {
    return this.boundary?.position ?? 1;
  }

  /** Newest position that this owner has read or written; 0 when the log is empty. */
  get last(): number {
    return this.#last;
  }

  /** The record that this owner has put last; null for none. */
  get written(): LogRecord | null {
    return this.#written;
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
    // Who has written a record knows what it was, whatever is found there later.
    if (position === this.#last && !this.#lastWasWhole) this.#lastHash = hash;
    try {
      const record = decodeRecord(bytes, name);
      if (record.position !== position || record.job !== this.#job) {
        const found = `position ${record.position} of job '${record.job}'`;
        throw new CheckpointError('CHECKPOINT_DAMAGED', `${name} says that it is ${found}: it was moved or copied`);
      }
      // What comes after a gap was written after another record, which is left out here.
      if (record.kind !== 'gap' && (this.#expected.get(position) ?? hash) !== hash) {
        throw new CheckpointError(
          'CHECKPOINT_DAMAGED',
          `${name} is not the record that its successor was written after`,
        );
      }
      if (record.previous !== null) this.#expected.set(position - 1, record.previous);
      if (position === this.#last) {
        this.#next = positionAfter(record);
        this.#lastWasWhole = true;
      }
      return { ok: true, record, hash };
    } catch (error) {
      if (error instanceof CheckpointError) return { ok: false, error, hash };
      throw error;
    }
  }

  /** The position to look at after this one, on the way down: copies leave positions out, and a gap record says so. */
  async below(position: number): Promise<number> {
    const [gap = 0, newest] = this.#newestTwo;
    if (position !== newest || gap === position - 1) return position - 1;
    const found = await this.read(gap);
    return found.ok && found.record.kind === 'gap' && found.record.next === position ? gap : position - 1;
  }

  /** No put after this one, and none goes on trying. */
  close(): void {
    this.#closed ??= new CheckpointError('SYSTEM_FAILED', 'the system has ended');
    this.#endWait();
  }

  /**
   * Puts a record at the next position, if absent. Returns or throws only when the outcome is known, or never will be.
   *
   * @returns its position
   * @throws CheckpointError `FENCED` when another owner has put there, `LOG_UNSETTLED` when the store would not say
   * whether the record is there: for ever after, only a new start can settle it
   * @throws StoreError when the store surely did nothing
   */
  async put(body: RecordBody, term: number): Promise<number> {
    if (this.#closed !== null) throw this.#closed;
    if (this.#last > 0 && this.#lastHash === null) await this.read(this.#last);
    const position = this.#next ?? this.#last + 1;
    const record: LogRecord = {
      format: RECORD_FORMAT,
      job: this.#job,
      position,
      previous: this.#lastHash,
      term,
      putId: this.#newId(),
      createdAt: new Date(this.#clock.now()).toISOString(),
      ...body,
    };
    const bytes = encodeRecord(record);
    await this.#putSurely({ position, name: logName(this.#job, position), bytes });
    this.#last = position;
    this.#written = record;
    this.#next = null;
    this.#lastHash = sha256(bytes);
    this.#lastWasWhole = true;
    // Only a walk that is under way needs it; a log that lives for years must not remember all its positions.
    this.#expected.clear();
    return position;
  }

  /**
   * Puts until the outcome is known (C12). It is always the same bytes: an earlier try that the store carries out late
   * is this record all the same, and no other record of ours can meet it at its position.
   */
  async #putSurely(attempt: Attempt): Promise<void> {
    const until = this.#clock.monotonic() + SETTLE_MS;
    for (let tries = 1; ; tries++) {
      try {
        if ((await this.#store.putIfAbsent(attempt.name, attempt.bytes)) === 'stored') return;
      } catch (error) {
        if (tries === 1 && surelyNothing(error)) throw error;
      }
      let doubt: unknown;
      try {
        const found = await this.#store.get(attempt.name);
        if (sha256(found) === sha256(attempt.bytes)) return;
        throw (this.#closed = fencedBy(found, attempt.name));
      } catch (error) {
        if (error instanceof CheckpointError) throw error;
        doubt = error;
      }
      const hopeless = doubt instanceof StoreError && doubt.kind === 'fatal';
      if (hopeless || this.#clock.monotonic() >= until) throw (this.#closed = unsettled(attempt.name, doubt));
      if (this.#closed === null) await this.#wait(Math.min(SETTLE_DELAY_MS * tries, SETTLE_DELAY_MS_MAX));
      if (this.#closed !== null) throw this.#closed;
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** The highest boundary; null when there is none. */
export async function readBoundary(store: Store, job: string): Promise<Boundary | null> {
  for (let before = 0; ; ) {
    const highest = (await boundaryPositions(store, job)).at(-1);
    if (highest === undefined) return null;
    const name = boundaryName(job, highest);
    try {
      return decodeBoundary(await store.get(name), name);
    } catch (error) {
      // Removed after it was listed: then a higher one is there (C19).
      if (!(error instanceof StoreError) || error.kind !== 'absent' || highest <= before) throw error;
      before = highest;
    }
  }
}

/** The store has answered, and the answer is no. An error that is none of a store's tells nothing. */
function surelyNothing(error: unknown): boolean {
  return error instanceof StoreError && error.kind !== 'lost';
}

function unsettled(name: string, cause: unknown): CheckpointError {
  return new CheckpointError(
    'LOG_UNSETTLED',
    `${name}: the store does not say whether this record is there, so nothing more may be written or released; a new start finds out`,
    { cause },
  );
}

function fencedBy(found: Uint8Array, name: string): CheckpointError {
  let holder = 'another owner';
  try {
    const record = decodeRecord(found, name);
    holder =
      record.kind === 'term'
        ? `term ${record.term} (${record.host}, pid ${record.pid}, since ${record.createdAt})`
        : `term ${record.term}`;
  } catch {
    // Whoever wrote it, it is not ours.
  }
  return new CheckpointError(
    'FENCED',
    `${name} was written by ${holder}: this process owns the job no longer and stops`,
  );
}
