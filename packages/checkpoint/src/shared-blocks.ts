import { BLOCK_CAPACITY, BLOCK_COPIED_BELOW, SPARE_BLOCKS_MAX } from './limits.ts';

/**
 * Copies of blocks in memory that goes to other threads without being copied again.
 *
 * What is let go of serves the next copies: V8 does not count shared memory, and would collect it when it pleases (ADR 0022).
 *
 * - C45 What somebody was given is never let go of: PartCache knows.
 */
export class SharedBlocks {
  readonly #spares: SharedArrayBuffer[] = [];

  copy(bytes: Uint8Array): Uint8Array {
    const shared = new Uint8Array(this.#memory(bytes.length), 0, bytes.length);
    shared.set(bytes);
    return shared;
  }

  /** Nobody looks at them any more. */
  letGo(blocks: readonly Uint8Array[]): void {
    for (const { buffer } of blocks) {
      if (this.#spares.length === SPARE_BLOCKS_MAX) return;
      if (buffer instanceof SharedArrayBuffer && buffer.byteLength === BLOCK_CAPACITY) this.#spares.push(buffer);
    }
  }

  #memory(length: number): SharedArrayBuffer {
    if (length < BLOCK_COPIED_BELOW || length > BLOCK_CAPACITY) return new SharedArrayBuffer(length);
    return this.#spares.pop() ?? new SharedArrayBuffer(BLOCK_CAPACITY);
  }
}
