import { PARTS_IN_MEMORY_BYTES_MAX } from './limits.ts';

/**
 * Files of parts in memory, by their sha256: those that the newest checkpoint names, and those that the next one may.
 *
 * Owns: the bound of all of them together. Does not own: which checkpoint is the newest (RestorePoint).
 */
export class PartCache {
  readonly #files = new Map<string, readonly Uint8Array[]>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax = PARTS_IN_MEMORY_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that still have room. */
  get room(): number {
    return this.#bytesMax - this.#bytes;
  }

  /** Keeps a file, if there is room for it: in memory that all threads may read, as `sharedCopy` makes it. */
  add(sha256: string, blocks: readonly Uint8Array[]): void {
    const length = lengthOf(blocks);
    if (length > this.room || this.#files.has(sha256)) return;
    this.#files.set(sha256, blocks);
    this.#bytes += length;
  }

  get(sha256: string): readonly Uint8Array[] | undefined {
    return this.#files.get(sha256);
  }

  /** All others are of no use any more. */
  keepOnly(named: ReadonlySet<string>): void {
    for (const [sha256, blocks] of this.#files) {
      if (named.has(sha256)) continue;
      this.#files.delete(sha256);
      this.#bytes -= lengthOf(blocks);
    }
  }
}

/** The same bytes in memory that goes to other threads without being copied again. */
export function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

function lengthOf(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, block) => sum + block.length, 0);
}
