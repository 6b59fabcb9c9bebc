import { BLOCK_CAPACITY, SPARE_BLOCKS_MAX } from './limits.ts';

/**
 * Memory of blocks that are stored, for the next ones.
 *
 * Blocks are made in one thread and let go of in another, many times in a second: new memory for each would be garbage that V8
 * collects late (what is shared it does not even count), and scatters over the heaps that malloc has for each thread (ADR 0022).
 *
 * - C45 Whoever adds memory here knows that nobody reads it any more.
 *
 * @example
 * const pool = new BlockPool((bytes) => new ArrayBuffer(bytes));
 */
export class BlockPool<B extends ArrayBuffer | SharedArrayBuffer> {
  readonly #make: (bytes: number) => B;
  readonly #spares: B[] = [];

  constructor(make: (bytes: number) => B) {
    this.#make = make;
  }

  get isEmpty(): boolean {
    return this.#spares.length === 0;
  }

  /** Memory of BLOCK_CAPACITY, whatever is in it. */
  take(): Uint8Array<B> {
    return new Uint8Array<B>(this.#spares.pop() ?? this.#make(BLOCK_CAPACITY));
  }

  /** What has another size, or has gone to another thread, is of no use. */
  add(buffers: readonly B[]): void {
    for (const buffer of buffers) {
      if (buffer.byteLength === BLOCK_CAPACITY && this.#spares.length < SPARE_BLOCKS_MAX) this.#spares.push(buffer);
    }
  }
}
