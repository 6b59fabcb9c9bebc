import type { FileBytes } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import { boundaryName, boundaryPositions } from './boundary.ts';
import { CheckpointError } from './errors.ts';
import type { PartCache } from './part-cache.ts';
import type { PartContent } from './part.ts';
import { readVerifiedPart } from './part-reading.ts';
import type { CheckpointRecord, FileRef } from './record.ts';

/**
 * Where a rollback goes: the newest checkpoint that this term has published, else the one that the term began with, else
 * the beginning (R3). Never an older one: that would abandon what was published, which only a start may (C13).
 */
export class RestorePoint {
  readonly #store: Store;
  readonly #job: string;
  readonly #cache: PartCache;
  #record: CheckpointRecord | null;

  constructor(store: Store, job: string, cache: PartCache, from: CheckpointRecord | null) {
    this.#store = store;
    this.#job = job;
    this.#cache = cache;
    this.#record = from;
  }

  get record(): CheckpointRecord | null {
    return this.#record;
  }

  /** A newer one is published: it is known to be ours, and released. */
  published(record: CheckpointRecord): void {
    this.#record = record;
    this.#keepNamed();
  }

  /** An attempt was given up: what it has left in memory is of no use. */
  abandoned(): void {
    this.#keepNamed();
  }

  /**
   * All parts of the checkpoint: what is not in memory comes from the store, in parallel.
   *
   * @throws CheckpointError `CHECKPOINT_DAMAGED`; `FENCED` when a later owner has removed it
   * @throws StoreError when the store cannot be read
   */
  async parts(): Promise<PartContent[]> {
    const record = this.#record;
    if (record === null) return [];
    const inMemory = ({ sha256 }: FileRef): FileBytes | undefined => this.#cache.get(sha256);
    try {
      return await Promise.all(
        record.parts.map((part) => readVerifiedPart(this.#store, this.#job, record, part, inMemory)),
      );
    } catch (error) {
      if (error instanceof CheckpointError) await this.#assertStillOurs(record.position);
      throw error;
    }
  }

  /** Our own boundary is never above the checkpoint that a restore would choose (C20): one that is, is a later owner's. */
  async #assertStillOurs(position: number): Promise<void> {
    const highest = (await boundaryPositions(this.#store, this.#job)).at(-1) ?? 0;
    if (highest <= position) return;
    throw new CheckpointError(
      'FENCED',
      `${boundaryName(this.#job, highest)} was put by a later owner while this process slept: it owns the job no longer and stops`,
    );
  }

  #keepNamed(): void {
    const files = this.#record?.parts.flatMap((part) => part.files) ?? [];
    this.#cache.keepOnly(new Set(files.map(({ sha256 }) => sha256)));
  }
}
