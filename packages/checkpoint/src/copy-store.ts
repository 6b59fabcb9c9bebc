import type { Clock } from '@tidemark/actors/internal';
import { StoreError, type Store } from '@tidemark/stores';
import { boundaryName, boundaryPositions, decodeBoundary, encodeBoundary } from './boundary.ts';
import type { CopySource } from './copy-source.ts';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import { CLAIM_TRIES } from './limits.ts';
import { logName, POSITION } from './log.ts';
import {
  type CheckpointRecord,
  decodeRecord,
  encodeRecord,
  filesOf,
  type LogRecord,
  positionAfter,
  RECORD_FORMAT,
} from './record.ts';

export interface CopyStoreOptions {
  readonly store: Store;
  readonly job: string;
  /** URL of the store that is copied. */
  readonly of: string;
  readonly newId: () => string;
  readonly clock: Clock;
  /** Ends every call that is under way. */
  readonly signal: AbortSignal;
}

/** What is at the end of the copied log. */
interface End {
  /** Where the next record belongs. */
  readonly next: number;
  /** sha256 of the last record; null when there is none. */
  readonly hash: string | null;
}

/**
 * The other store of copies: a log with gaps. Every step may be the last one, and may be done again, by whomever.
 *
 * Owns: the order of what is put there, and what is removed. Invariants: C40, C41, C43.
 *
 * - C43 Nothing is removed but what lies below the newest copy: records and boundaries, and files that no kept record names
 *   and that are no newer than the newest kept one. Where somebody has started from the copies, nothing is.
 */
export class CopyStore {
  readonly #options: CopyStoreOptions;
  /** Records below the newest copy, as they were read. */
  readonly #known = new Map<number, LogRecord>();

  constructor(options: CopyStoreOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.store.url;
  }

  /**
   * Makes the copy: files, a gap, the record, a boundary. Answers null when it is there already, or a newer one.
   *
   * @throws CheckpointError `COPY_TAKEN_OVER` when somebody has started from the copies here
   */
  async take(source: CopySource): Promise<{ readonly files: number; readonly bytes: number } | null> {
    const { position } = source.record;
    // A store that goes its own way is left alone, files included.
    if ((await this.#end()).next > position) return null;
    const put = await this.#putFiles(source);
    for (let tries = 1; ; tries++) {
      const end = await this.#end();
      // A copier of a later owner was here.
      if (end.next > position) return null;
      if (await this.#putRecord(source, end)) break;
      if (tries === CLAIM_TRIES) throw this.#busy();
    }
    // What a copier that was asleep has removed meanwhile is put again.
    const again = await this.#putFiles(source);
    return { files: put.files + again.files, bytes: put.bytes + again.bytes + source.bytes.length };
  }

  /**
   * Removes what is older than the `keep` newest copies. An older one that is not whole goes as well: a copier that was
   * asleep may have put its record after its files had been removed.
   *
   * @throws CheckpointError `COPY_TAKEN_OVER` when somebody has started from the copies here, before anything is removed
   */
  async removeOld(keep: number): Promise<void> {
    const { store, job, signal } = this.#options;
    const boundary = await this.#boundary();
    const positions = (await this.#positions()).toReversed();
    const files = await this.#files();
    const records: LogRecord[] = [];
    for (const position of positions) {
      const record = await this.#record(position);
      // One below the boundary is of an owner that was fenced by it.
      if (record?.kind === 'term' && position > boundary) throw this.#takenOver(logName(job, position));
      if (record !== null) records.push(record);
    }
    const kept: CheckpointRecord[] = [];
    for (const record of records) {
      const isWhole = record.kind === 'checkpoint' && this.#names(record).every((name) => files.has(name));
      if (isWhole && kept.length < keep) kept.push(record);
      // Above the newest copy a gap may be what keeps another from beginning there.
      else if (kept.length > 0) await this.#removeRecord(record.position);
    }
    for (const position of this.#known.keys()) if (!positions.includes(position)) this.#known.delete(position);
    const [newest] = kept;
    if (newest === undefined) return;
    const named = new Set(kept.flatMap((record) => this.#names(record)));
    for (const name of files) if (!named.has(name) && isOfCut(name, newest)) await store.delete(name, { signal });
    for (const position of await boundaryPositions(store, job)) {
      if (position < newest.position) await store.delete(boundaryName(job, position), { signal });
    }
  }

  async #removeRecord(position: number): Promise<void> {
    const { store, job, signal } = this.#options;
    await store.delete(logName(job, position), { signal });
    // Somebody else may put another one there.
    this.#known.delete(position);
  }

  async #putFiles(source: CopySource): Promise<{ files: number; bytes: number }> {
    const { store, job, signal } = this.#options;
    const there = await this.#files();
    const put = { files: 0, bytes: 0 };
    for (const file of source.files) {
      const name = `${job}/${file.path}`;
      if (there.has(name)) continue;
      try {
        await store.put(name, source.read(file), { signal });
      } catch (error) {
        // Its name is of one file only: another copier has put it.
        if (!(error instanceof StoreError) || error.code !== 'STORE_NAME_TAKEN') throw error;
      }
      put.files++;
      put.bytes += file.length;
    }
    return put;
  }

  /** Answers whether the record is there with its boundary; else the log has gone on, and is to be looked at again. */
  async #putRecord(source: CopySource, end: End): Promise<boolean> {
    const { store, job, signal } = this.#options;
    const { position, term } = source.record;
    if (end.next < position) {
      const gap = encodeRecord({
        format: RECORD_FORMAT,
        job,
        position: end.next,
        previous: end.hash,
        term,
        putId: this.#options.newId(),
        createdAt: new Date(this.#options.clock.now()).toISOString(),
        kind: 'gap',
        next: position,
      });
      if ((await store.putIfAbsent(logName(job, end.next), gap, { signal })) === 'taken') return false;
    }
    const name = logName(job, position);
    const isStored = (await store.putIfAbsent(name, source.bytes, { signal })) === 'stored';
    const isOurs = isStored || (await this.#hash(name)) === source.hash;
    if (isOurs) await this.#putBoundary(source.record, source.hash);
    return isOurs;
  }

  async #putBoundary({ position, term, cut }: CopySource['record'], hash: string): Promise<void> {
    const { store, job, of, signal } = this.#options;
    const bytes = encodeBoundary({ position, hash, term, cut, copyOf: of });
    await store.putIfAbsent(boundaryName(job, position), bytes, { signal });
  }

  /**
   * Where the log ends. A copy that was left without its boundary gets it.
   *
   * @throws CheckpointError `COPY_TAKEN_OVER`
   */
  async #end(): Promise<End> {
    for (let tries = 1; tries <= CLAIM_TRIES; tries++) {
      try {
        return await this.#endNow();
      } catch (error) {
        // Another copier has removed it since it was listed.
        if (!isAbsent(error)) throw error;
      }
    }
    throw this.#busy();
  }

  async #endNow(): Promise<End> {
    const { store, job, signal } = this.#options;
    const boundary = await this.#boundary();
    let end: End = { next: 1, hash: null };
    for (const position of await this.#positions()) {
      if (position < boundary) continue;
      const name = logName(job, position);
      const bytes = await store.get(name, { signal });
      const record = decodeRecord(bytes, name);
      if (record.kind === 'term') throw this.#takenOver(name);
      const hash = sha256(bytes);
      if (record.kind === 'checkpoint' && position > boundary) await this.#putBoundary(record, hash);
      end = { next: positionAfter(record), hash };
    }
    return end;
  }

  /**
   * Position of the highest boundary; 0 for none.
   *
   * @throws CheckpointError `COPY_TAKEN_OVER` when it is none of a copier's
   */
  async #boundary(): Promise<number> {
    const { store, job, signal } = this.#options;
    const position = (await boundaryPositions(store, job)).at(-1) ?? 0;
    if (position === 0) return 0;
    const name = boundaryName(job, position);
    if (decodeBoundary(await store.get(name, { signal }), name).copyOf === undefined) throw this.#takenOver(name);
    return position;
  }

  async #positions(): Promise<readonly number[]> {
    const { store, job, signal } = this.#options;
    const names = await store.list(`${job}/log/`, { signal });
    return names.flatMap((name) => (POSITION.test(name) ? [Number(name.slice(-20))] : []));
  }

  async #files(): Promise<ReadonlySet<string>> {
    const { store, job, signal } = this.#options;
    return new Set(await store.list(`${job}/part/`, { signal }));
  }

  #names(record: CheckpointRecord): readonly string[] {
    return filesOf(record).map((path) => `${this.#options.job}/${path}`);
  }

  /** Null when another copier has removed it. */
  async #record(position: number): Promise<LogRecord | null> {
    const { store, job, signal } = this.#options;
    const name = logName(job, position);
    const known = this.#known.get(position);
    if (known !== undefined) return known;
    try {
      const record = decodeRecord(await store.get(name, { signal }), name);
      this.#known.set(position, record);
      return record;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  /** Of what stands under a name; null when another copier has removed it. */
  async #hash(name: string): Promise<string | null> {
    const { store, signal } = this.#options;
    try {
      return sha256(await store.get(name, { signal }));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  #busy(): StoreError {
    return new StoreError('retry', 'STORE_BUSY', `${this.url}: somebody else copies there at the same time`);
  }

  #takenOver(name: string): CheckpointError {
    return new CheckpointError(
      'COPY_TAKEN_OVER',
      `${name} in ${this.url} is not of a copy: somebody has started from the copies there, and nothing more is copied into it. Give another location for copies.`,
    );
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof StoreError && error.kind === 'absent';
}

/** Whether a file is of a record's own cut, or older. */
function isOfCut(name: string, record: { readonly term: number; readonly cut: number }): boolean {
  const found = /\/part\/(\d+)-(\d+)-\d+-[0-9a-f]+$/.exec(name);
  if (found === null) return false;
  const term = Number(found[1]);
  return term < record.term || (term === record.term && Number(found[2]) <= record.cut);
}
