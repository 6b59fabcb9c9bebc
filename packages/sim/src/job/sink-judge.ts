import { createHash } from 'node:crypto';
import type { DiskWatcher } from '../disk.ts';

/** A batch that a checkpoint still carries, under the name that it has or will have. */
export interface CarriedBatch {
  readonly position: number;
  readonly task: number;
  readonly bytes: Uint8Array;
}

const NAME = /^(\d{20})-(\d+)\.ndjson$/;

/**
 * Looks at one output folder of a job, at every instant.
 *
 * - K1 A batch is visible only when the record of its position stands.
 * - K2 Each record is visible once: no other file holds it.
 * - K3 What a name holds is fixed for ever, also where a power cut took the file and it is put again.
 * - K4 In the reader's order (of names, then of lines) the records of a key come in the order in which they were made.
 * - K5 Nothing is ever overwritten or removed.
 */
export class SinkJudge implements DiskWatcher {
  readonly #folder: string;
  readonly #isPublished: (position: number) => boolean;
  readonly #violation: (what: string) => void;
  /** Lines of visible files, by name. */
  readonly #files = new Map<string, readonly string[]>();
  readonly #hashes = new Map<string, string>();
  /** Where each visible line is. */
  readonly #at = new Map<string, string>();

  constructor(folder: string, isPublished: (position: number) => boolean, violation: (what: string) => void) {
    this.#folder = folder;
    this.#isPublished = isPublished;
    this.#violation = violation;
  }

  stored(name: string, bytes: Uint8Array, by: string): void {
    const place = `${this.#folder}/${name}`;
    const match = NAME.exec(name);
    if (match === null) {
      this.#violation(`K1 ${by} put ${place}, which is no name of a batch`);
      return;
    }
    if (this.#files.has(name)) this.#violation(`K5 ${by} overwrote ${place}`);
    if (!this.#isPublished(Number(match[1])))
      this.#violation(`K1 ${by} put ${place}; no checkpoint ${Number(match[1])} is published`);
    const hash = createHash('sha256').update(bytes).digest('hex');
    if ((this.#hashes.get(name) ?? hash) !== hash)
      this.#violation(`K3 ${by} put other bytes as ${place} than were there before`);
    this.#hashes.set(name, hash);
    const lines = linesOf(bytes);
    for (const line of lines) {
      const other = this.#at.get(line);
      if (other !== undefined) this.#violation(`K2 ${by} put ${line} into ${place}; it is in ${other} already`);
      this.#at.set(line, name);
    }
    this.#files.set(name, lines);
  }

  deleted(name: string, by: string): void {
    this.#violation(`K5 ${by} removed ${this.#folder}/${name}`);
  }

  lost(name: string): void {
    for (const line of this.#files.get(name) ?? []) this.#at.delete(line);
    this.#files.delete(name);
  }

  /** All lines that are visible, in the reader's order. */
  visible(): readonly string[] {
    return [...this.#files.keys()].sort().flatMap((name) => this.#files.get(name)!);
  }

  /**
   * All lines that a checkpoint has made so far, in the reader's order: those that are visible, and those that it carries.
   * What both have is the same.
   */
  linesAt(carried: readonly CarriedBatch[]): readonly string[] {
    const files = new Map(this.#files);
    const batches = new Map<string, Uint8Array[]>();
    for (const { position, task, bytes } of carried) {
      const name = `${String(position).padStart(20, '0')}-${task}.ndjson`;
      batches.set(name, [...(batches.get(name) ?? []), bytes]);
    }
    for (const [name, chunks] of batches) {
      const bytes = Buffer.concat(chunks);
      const known = this.#hashes.get(name);
      if (known !== undefined && known !== createHash('sha256').update(bytes).digest('hex'))
        throw new Error(`K3 the checkpoint carries other bytes for ${this.#folder}/${name} than that file has had`);
      files.set(name, linesOf(bytes));
    }
    return [...files.keys()].sort().flatMap((name) => files.get(name)!);
  }
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes).toString('utf8').split('\n').slice(0, -1);
}
