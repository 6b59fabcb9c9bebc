import { MESSAGE_BYTES_GUESS } from './limits.ts';

/** Messages that what was measured before counts for. */
const WEIGHT = 64;

/**
 * About how many bytes a waiting message takes, as learnt from the frames that were packed or have arrived: what waits
 * unpacked cannot be measured for nothing.
 */
export class MessageSize {
  #bytes = MESSAGE_BYTES_GUESS;

  /** Never less than what the smallest one takes in memory. Whole, so that sums of it come back to nothing. */
  get bytes(): number {
    return Math.round(this.#bytes);
  }

  /** A frame of so many messages was so large. */
  measured(count: number, bytes: number): void {
    this.#bytes = Math.max(MESSAGE_BYTES_GUESS, (this.#bytes * WEIGHT + bytes) / (WEIGHT + count));
  }
}
