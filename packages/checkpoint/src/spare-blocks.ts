import { BLOCK_CAPACITY, SPARE_BLOCKS_MAX } from './limits.ts';

/**
 * Memory of blocks that have been stored, for the next ones.
 *
 * Blocks are made in one thread and let go of in another, ten times a second and more: new memory for each would be garbage that
 * V8 collects late, and scatters over the heaps that malloc has for each thread, where it is hardly given back (ADR 0022).
 *
 * - C45 Whoever adds memory here knows that nobody reads it any more.
 */
export class SpareBlocks {
  readonly #spares: ArrayBuffer[] = [];

  get isEmpty(): boolean {
    return this.#spares.length === 0;
  }

  /** Memory of BLOCK_CAPACITY, whatever is in it; new memory when there is none. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#spares.pop() ?? new ArrayBuffer(BLOCK_CAPACITY));
  }

  add(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (buffer.byteLength === BLOCK_CAPACITY && this.#spares.length < SPARE_BLOCKS_MAX) this.#spares.push(buffer);
    }
  }
}
