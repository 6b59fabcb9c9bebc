import { ActorError } from './errors.ts';
import { MEMORY_WARN_SHARE } from './limits.ts';

/** Bytes of one thread. */
export interface MemoryFigures {
  readonly heapBytes: number;
  /** Buffers, and other memory that objects of the heap hold outside of it. */
  readonly outsideBytes: number;
}

export interface MemoryBudgetOptions {
  readonly bytesMax: number;
  readonly figures: () => MemoryFigures;
  /** Collects the garbage, which counts as memory as long as it lies there; calls `then` before anything else runs. */
  readonly collect: (then: () => void) => void;
  readonly warn: (code: string, message: string) => void;
}

/**
 * A thread's heap and buffers together, held to a budget before the system ends the whole process.
 *
 * Honest about what it is: a look now and then. What one turn takes at once is seen only after it.
 */
export class MemoryBudget {
  readonly #options: MemoryBudgetOptions;
  #warned = false;

  constructor(options: MemoryBudgetOptions) {
    this.#options = options;
  }

  /** @throws ActorError `MEMORY_SPENT`, from within `collect` */
  look(): void {
    const { bytesMax, figures, collect } = this.#options;
    const bytes = sum(figures());
    const isHigh = bytes > bytesMax * MEMORY_WARN_SHARE;
    if (!isHigh) this.#warned = false;
    // Between warning and budget nothing is news any more.
    if (isHigh && (!this.#warned || bytes > bytesMax)) collect(() => this.#judge());
  }

  #judge(): void {
    const { bytesMax, figures, warn } = this.#options;
    const left = figures();
    const text = `holds ${mb(sum(left))} (heap ${mb(left.heapBytes)}, buffers ${mb(left.outsideBytes)})`;
    if (sum(left) > bytesMax)
      throw new ActorError('MEMORY_SPENT', `${text}, more than memoryBytesMax of ${mb(bytesMax)}`);
    if (sum(left) <= bytesMax * MEMORY_WARN_SHARE || this.#warned) return;
    this.#warned = true;
    warn('MEMORY_HIGH', `${text}; with more than memoryBytesMax of ${mb(bytesMax)} it is ended and replaced`);
  }
}

function sum({ heapBytes, outsideBytes }: MemoryFigures): number {
  return heapBytes + outsideBytes;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
