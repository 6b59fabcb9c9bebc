import { MESSAGE_BYTES_GUESS, MESSAGE_BYTES_HELD } from './limits.ts';

/** Messages that what was measured before counts for. */
const WEIGHT = 64;

/**
 * About how many bytes a waiting message takes, as learnt from the frames that were packed or have arrived: what waits
 * unpacked cannot be measured for nothing.
 */
export class MessageSize {
  #bytes = MESSAGE_BYTES_GUESS;
  /** Measured since somebody wanted to know: there are many messages between two looks. */
  #newCount = 0;
  #newBytes = 0;

  /** Never less than what the smallest one takes in memory. Whole, so that sums of it come back to nothing. */
  get bytes(): number {
    if (this.#newCount > 0) {
      const mean = (this.#bytes * WEIGHT + this.#newBytes) / (WEIGHT + this.#newCount);
      this.#bytes = Math.max(MESSAGE_BYTES_GUESS, mean);
      this.#newCount = 0;
      this.#newBytes = 0;
    }
    return Math.round(this.#bytes);
  }

  /** About the memory that messages of so many bytes take while they wait. */
  memoryOf(waitingBytes: number): number {
    return (waitingBytes * (this.bytes + MESSAGE_BYTES_HELD)) / this.bytes;
  }

  /** So many messages had so many bytes together. */
  measured(count: number, bytes: number): void {
    this.#newCount += count;
    this.#newBytes += bytes;
  }
}
