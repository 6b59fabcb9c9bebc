import type { Store } from '@tidemark/stores';
import { type Boundary, boundaryName, boundaryPositions, encodeBoundary } from './boundary.ts';
import { CheckpointError } from './errors.ts';
import type { Log } from './log.ts';
import { filesOf } from './record.ts';

export interface RetentionOptions {
  readonly store: Store;
  readonly job: string;
  readonly log: Log;
  /** Checkpoints kept at least; Infinity keeps all. */
  readonly keep: number;
  /** Records put between two passes: a pass lists what lies there. */
  readonly recordsPerPass: number;
  readonly warn: (code: string, message: string) => void;
}

/**
 * Removes checkpoints that no restore needs any more, and the parts that only they name.
 *
 * - C19 A boundary is put before anything below it is removed, and the highest one is never removed: an owner that was
 *   asleep finds it after its next put, before it releases anything, and knows that it is fenced, even where the name
 *   that it should have lost was removed meanwhile.
 * - C20 Nothing at or above the boundary is removed; it is the `keep`-th newest checkpoint of this owner's own line.
 * - C21 A pass may end anywhere: the next one does the rest. It never fails the job.
 */
export class Retention {
  readonly #options: RetentionOptions;
  /** Records since the last pass, by whomever they were put: a process may never live for a whole interval. */
  #records: number;
  #passing: Promise<void> | null = null;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#records = options.log.last - options.log.first;
  }

  /**
   * After a put at `position`, before anything is released (C19).
   *
   * @throws CheckpointError `FENCED`
   */
  async assertOwner(position: number): Promise<void> {
    const { store, job } = this.#options;
    const highest = (await boundaryPositions(store, job)).at(-1) ?? 0;
    if (highest <= position) return;
    throw new CheckpointError(
      'FENCED',
      `${boundaryName(job, highest)} was put by a later owner while this process slept: it owns the job no longer and stops`,
    );
  }

  /** A checkpoint was published: now and then, a pass begins. */
  published(): void {
    this.#records++;
    const { keep, recordsPerPass, warn } = this.#options;
    if (this.#records < recordsPerPass || !Number.isFinite(keep) || this.#passing !== null) return;
    this.#records = 0;
    this.#passing = this.#pass()
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        warn('RETENTION_FAILED', `old checkpoints were not removed this time: ${why}`);
      })
      .finally(() => (this.#passing = null));
  }

  /** Resolves when no pass is under way. */
  async idle(): Promise<void> {
    await this.#passing;
  }

  async #pass(): Promise<void> {
    const { store, job } = this.#options;
    const oldest = await this.#oldestKept();
    if (oldest === null) return;
    const { position, hash, term, cut } = oldest;
    await store.putIfAbsent(boundaryName(job, position), encodeBoundary({ position, hash, term, cut }));
    for (const name of await store.list(`${job}/log/`)) {
      if (Number(name.slice(-20)) >= position) break;
      await store.delete(name);
    }
    const named = new Set(oldest.files.map((path) => `${job}/${path}`));
    for (const name of await store.list(`${job}/part/`)) {
      if (isBelow(name, oldest) && !named.has(name)) await store.delete(name);
    }
    for (const other of await boundaryPositions(store, job)) {
      if (other < position) await store.delete(boundaryName(job, other));
    }
  }

  /** The `keep`-th newest checkpoint of the line that ends at the log's last record; null when there are fewer. */
  async #oldestKept(): Promise<Oldest | null> {
    const { log, keep } = this.#options;
    let kept = 0;
    for (let position = log.last; position >= log.first; ) {
      const found = await log.read(position);
      if (!found.ok) throw found.error;
      const { record } = found;
      if (record.kind === 'term') {
        if (record.from === 'fresh') return null;
        position = record.from;
        continue;
      }
      kept++;
      if (kept === keep)
        return { position, hash: found.hash, term: record.term, cut: record.cut, files: filesOf(record) };
      position--;
    }
    return null;
  }
}

/** The oldest checkpoint that is kept, with the files that it names: no later record names an older file that it does not (C20). */
interface Oldest extends Boundary {
  readonly files: readonly string[];
}

/** Whether a file was written for a cut before the boundary's. */
function isBelow(name: string, boundary: Boundary): boolean {
  const found = /\/part\/(\d+)-(\d+)-\d+-[0-9a-f]+$/.exec(name);
  if (found === null) return false;
  const term = Number(found[1]);
  return term < boundary.term || (term === boundary.term && Number(found[2]) < boundary.cut);
}
