import { BlockPool } from './block-pool.ts';
import { BLOCK_CAPACITY, BLOCK_COPIED_BELOW, PARTS_IN_MEMORY_BYTES_MAX } from './limits.ts';

/**
 * Files of parts in memory, by their sha256: those that the newest checkpoint names, and those that the next one may.
 *
 * Owns: the bound of all of them together. Does not own: which checkpoint is the newest (RestorePoint). Invariant: C45.
 */
export class PartCache {
  readonly #files = new Map<string, readonly Uint8Array[]>();
  /** Files that somebody was given, and may look at as long as they like. */
  readonly #given = new Set<string>();
  readonly #pool = new BlockPool((bytes) => new SharedArrayBuffer(bytes));
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax = PARTS_IN_MEMORY_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that still have room. */
  get room(): number {
    return this.#bytesMax - this.#bytes;
  }

  /** A copy of a block of a file that may be added, in memory that all threads may read. */
  copy(block: Uint8Array): Uint8Array {
    const { length } = block;
    const memory =
      length < BLOCK_COPIED_BELOW || length > BLOCK_CAPACITY
        ? new Uint8Array(new SharedArrayBuffer(length))
        : this.#pool.take().subarray(0, length);
    memory.set(block);
    return memory;
  }

  /** Copies that are not to be added. */
  letGo(blocks: readonly Uint8Array[]): void {
    this.#pool.add(blocks.map(({ buffer }) => buffer as SharedArrayBuffer));
  }

  /** Keeps a file, if there is room for it. Its blocks are copies that were made here. */
  add(sha256: string, blocks: readonly Uint8Array[]): void {
    const length = lengthOf(blocks);
    if (length > this.room || this.#files.has(sha256)) {
      this.letGo(blocks);
      return;
    }
    this.#files.set(sha256, blocks);
    this.#bytes += length;
  }

  get(sha256: string): readonly Uint8Array[] | undefined {
    const file = this.#files.get(sha256);
    if (file !== undefined) this.#given.add(sha256);
    return file;
  }

  /** All others are of no use any more. */
  keepOnly(named: ReadonlySet<string>): void {
    for (const [sha256, blocks] of this.#files) {
      if (named.has(sha256)) continue;
      this.#files.delete(sha256);
      this.#bytes -= lengthOf(blocks);
      if (!this.#given.delete(sha256)) this.letGo(blocks);
    }
  }
}

function lengthOf(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, block) => sum + block.length, 0);
}
