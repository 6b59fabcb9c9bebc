import type { Store } from '@tidemark/stores';
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
   * @throws CheckpointError `CHECKPOINT_DAMAGED`
   * @throws StoreError when the store cannot be read
   */
  parts(): Promise<PartContent[]> {
    const record = this.#record;
    if (record === null) return Promise.resolve([]);
    const inMemory = ({ sha256 }: FileRef): Uint8Array | undefined => this.#cache.get(sha256);
    return Promise.all(record.parts.map((part) => readVerifiedPart(this.#store, this.#job, record, part, inMemory)));
  }

  #keepNamed(): void {
    const files = this.#record?.parts.flatMap((part) => part.files) ?? [];
    this.#cache.keepOnly(new Set(files.map(({ sha256 }) => sha256)));
  }
}
