import { decodeValue, holdsMessages, unpackBatch, unpackMessages } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import { type Boundary, boundaryName, boundaryPositions, decodeBoundary, encodeBoundary } from '../boundary.ts';
import { damageOf, isAbsent } from '../damage.ts';
import { CheckpointError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { logName, POSITION, readBoundary } from '../log.ts';
import { type PartFileContent, readPart } from '../part.ts';
import { assertBuildsOn, fileName, readVerifiedFile } from '../part-reading.ts';
import { decodePin, encodePin, keptName, listMarks, type Marks, type Pin, pinName } from '../pin.ts';
import { type FoundRecord, readRecord } from '../read-record.ts';
import type { CheckpointRecord, FileRef, PartRef } from '../record.ts';
import { breaksChain, chainError, readLog } from './log-view.ts';

/** One thing that is wrong. */
export interface Finding {
  readonly object: string;
  /** Position of the record that it belongs to. */
  readonly position: number;
  readonly code: string;
  readonly message: string;
}

export interface Verified {
  readonly job: string;
  readonly records: number;
  readonly parts: number;
  readonly boundaries: number;
  /** Of people, and of retention. */
  readonly pins: number;
  readonly units: number;
  readonly messages: number;
  /** Of records, parts, boundaries and pins. */
  readonly bytes: number;
  readonly findings: readonly Finding[];
  /** Parts that no record names: left by attempts that came to nothing, or of one that is under way. No damage; null when one checkpoint was asked for. */
  readonly unnamed: number | null;
}

/**
 * Verifies every byte of a job's log, or of one checkpoint: sha256 and chain of records, length, sha256 and crc32 of
 * parts, boundaries, pins; and decodes every value. Below the boundary only what is pinned must be there; its pin says which
 * bytes its record has.
 *
 * @throws CheckpointError `CHECKPOINT_UNKNOWN` when `position` is no checkpoint; StoreError when the store cannot be read
 */
export async function verifyLog(store: Store, job: string, position: number | null): Promise<Verified> {
  const verification = new Verification(store, job);
  return position === null ? verification.all() : verification.one(position);
}

class Verification {
  readonly #store: Store;
  readonly #job: string;
  readonly #findings: Finding[] = [];
  readonly #named = new Set<string>();
  /** Files verified, with the cut that each builds on. */
  readonly #files = new Map<string, number | null>();
  readonly #hashes = new Map<number, string>();
  /** Positions that must be there below the boundary, too. */
  readonly #pinned = new Set<number>();
  readonly #count = { records: 0, parts: 0, boundaries: 0, pins: 0, units: 0, messages: 0, bytes: 0 };

  constructor(store: Store, job: string) {
    this.#store = store;
    this.#job = job;
  }

  async all(): Promise<Verified> {
    const log = await readLog(this.#store, this.#job, (found, broken) => this.#record(found, broken));
    for (const line of log.lines) {
      if (line.kind !== 'missing') continue;
      const oldest = Math.max(line.oldest, line.position - MISSING_MAX);
      for (let position = line.position; position >= oldest; position--) {
        this.#find(position, logName(this.#job, position), damaged('is missing'));
      }
    }
    await this.#boundaries();
    await this.#pins(await listMarks(this.#store, this.#job));
    // Below the boundary, things may be gone; but a copy that is there is one that somebody may want.
    if (log.boundary?.copyOf !== undefined) return this.#result(await this.#lowest(log.first), await this.#unnamed());
    return this.#result(log.first, await this.#unnamed());
  }

  /** The oldest record that was read and is there still; the ones below were being removed. */
  async #lowest(first: number): Promise<number> {
    const names = await this.#store.list(`${this.#job}/log/`);
    const lowest = names.find((name) => POSITION.test(name));
    return lowest === undefined ? first : Math.min(first, Number(lowest.slice(-20)));
  }

  async one(position: number): Promise<Verified> {
    const found = await readRecord(this.#store, this.#job, position);
    if (!found.ok && isAbsent(found.error)) {
      const where = `of job '${this.#job}' in ${this.#store.url}`;
      throw new CheckpointError('CHECKPOINT_UNKNOWN', `there is no record at position ${position} ${where}`);
    }
    await this.#record(found, breaksChain(found, await readRecord(this.#store, this.#job, position + 1)));
    const marks = await listMarks(this.#store, this.#job);
    const only = (positions: ReadonlySet<number>): ReadonlySet<number> =>
      new Set(positions.has(position) ? [position] : []);
    await this.#pins({ pinned: only(marks.pinned), kept: only(marks.kept), ending: only(marks.ending) });
    return this.#result(0, null);
  }

  async #record(found: FoundRecord, broken: boolean): Promise<void> {
    const { position } = found;
    const name = logName(this.#job, position);
    this.#count.records++;
    if (!found.ok) {
      this.#find(position, name, found.error);
      return;
    }
    this.#count.bytes += found.bytes;
    this.#hashes.set(position, found.hash);
    if (broken) this.#find(position, name, chainError(this.#job, position));
    if (found.record.kind === 'checkpoint') for (const part of found.record.parts) await this.#part(found.record, part);
  }

  async #part(record: CheckpointRecord, part: PartRef): Promise<void> {
    for (const [i, ref] of part.files.entries()) {
      const base = await this.#file(record, part.thread, ref);
      if (base === null) continue;
      try {
        assertBuildsOn(this.#job, record, part, i, base);
      } catch (error) {
        const name = fileName(this.#job, record, part.thread, ref);
        this.#find(record.position, name, damageOf(error, name));
      }
    }
  }

  /** Verifies one file, the first time that it is named. Answers the cut that it builds on; null when it is damaged. */
  async #file(record: CheckpointRecord, thread: number, ref: FileRef): Promise<number | null> {
    const name = fileName(this.#job, record, thread, ref);
    // Its own hash is that of the record too: later records that name it say the same, or are found out.
    const key = `${name} ${ref.sha256} ${ref.length}`;
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    const base = await this.#newFile(record, thread, ref, name);
    this.#files.set(key, base);
    return base;
  }

  async #newFile(record: CheckpointRecord, thread: number, ref: FileRef, name: string): Promise<number | null> {
    this.#count.parts++;
    if ('path' in ref) this.#named.add(name);
    let content: PartFileContent;
    try {
      content = await readVerifiedFile(this.#store, this.#job, record, thread, ref);
    } catch (error) {
      this.#find(record.position, name, damageOf(error, name));
      return null;
    }
    if ('path' in ref) this.#count.bytes += ref.length;
    try {
      // Once more, with the crc32 of each block: it was written before the sha256 of all.
      readPart(content.bytes);
      this.#decode(content);
    } catch (cause) {
      this.#find(record.position, name, damaged('holds what cannot be decoded', cause));
    }
    return content.base;
  }

  #decode(content: PartFileContent): void {
    for (const unit of [...content.units, ...content.passing]) {
      decodeValue(unit.value);
      this.#count.units++;
    }
    for (const frame of [...content.mail, ...content.channels, ...content.outboxes]) {
      const found = holdsMessages(frame) ? unpackMessages(frame).length : unpackBatch(frame).values.length;
      if (found !== frame.count) throw new RangeError(`a frame says ${frame.count} messages and holds ${found}`);
      this.#count.messages += found;
    }
  }

  async #boundaries(): Promise<void> {
    for (const position of await boundaryPositions(this.#store, this.#job)) {
      const name = boundaryName(this.#job, position);
      try {
        const bytes = await this.#store.get(name);
        this.#count.boundaries++;
        this.#count.bytes += bytes.length;
        this.#boundary(position, decodeBoundary(bytes, name), bytes);
      } catch (error) {
        const damage = damageOf(error, name);
        // A running owner has put a higher one, and removed this one.
        if (!isAbsent(damage)) this.#find(position, name, damage);
      }
    }
  }

  #boundary(position: number, boundary: Boundary, bytes: Uint8Array): void {
    const name = boundaryName(this.#job, position);
    const problem = (what: string): void => this.#find(position, name, damaged(what));
    if (boundary.position !== position) problem(`says that it is boundary ${boundary.position}`);
    if (sha256(encodeBoundary(boundary)) !== sha256(bytes)) problem('has bytes that do not belong to it');
    const hash = this.#hashes.get(position) ?? boundary.hash;
    if (hash !== boundary.hash) problem('names other bytes than those of its record');
  }

  async #pins({ pinned, kept, ending }: Marks): Promise<void> {
    for (const position of pinned) await this.#pin(position, pinName(this.#job, position));
    if (kept.size === 0) return;
    // A damaged boundary was found before.
    const boundary = await readBoundary(this.#store, this.#job).catch(() => null);
    for (const position of boundary?.kept ?? []) {
      // Retention is giving it up, or it is a person's by now.
      if (kept.has(position) && !ending.has(position)) await this.#pin(position, keptName(this.#job, position));
    }
  }

  async #pin(position: number, name: string): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#store.get(name);
      this.#pinned.add(position);
      this.#count.pins++;
      this.#count.bytes += bytes.length;
      this.#pinSays(decodePin(bytes, name), position, name, bytes);
    } catch (error) {
      const damage = damageOf(error, name);
      // It was unpinned meanwhile.
      if (!isAbsent(damage)) this.#find(position, name, damage);
    }
  }

  #pinSays(pin: Pin, position: number, name: string, bytes: Uint8Array): void {
    const problem = (what: string): void => this.#find(position, name, damaged(what));
    if (pin.position !== position) problem(`says that it is of ${pin.position}`);
    if (sha256(encodePin(pin)) !== sha256(bytes)) problem('has bytes that do not belong to it');
    if ((this.#hashes.get(position) ?? pin.hash) !== pin.hash) problem('names other bytes than those of its record');
  }

  async #unnamed(): Promise<number> {
    const names = await this.#store.list(`${this.#job}/part/`);
    return names.filter((name) => !this.#named.has(name)).length;
  }

  #find(position: number, object: string, error: CheckpointError): void {
    const message = error.message.startsWith(object) ? error.message.slice(object.length).trim() : error.message;
    this.#findings.push({ object, position, code: error.code, message: message.replace(/^: /, '') });
  }

  #result(first: number, unnamed: number | null): Verified {
    const findings = this.#findings
      .filter(({ position }) => position >= first || this.#pinned.has(position))
      .sort((a, b) => b.position - a.position);
    return { job: this.#job, ...this.#count, findings, unnamed };
  }
}

/** Missing records of one gap that are named each. */
const MISSING_MAX = 1_000;

function damaged(message: string, cause?: unknown): CheckpointError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new CheckpointError('CHECKPOINT_DAMAGED', `${message}${why}`, { cause });
}
