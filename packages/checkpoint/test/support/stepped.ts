import type { Store } from '@tidemark/stores';
import { PacedStore } from './paced-store.ts';

/** One that works over a store, each of whose calls the test lets through. */
export class Stepped {
  readonly store: Store;
  /** Calls made so far. */
  calls = 0;
  ended = false;
  /** Calls that wait, oldest first. */
  readonly #waiting: (() => void)[] = [];

  constructor(store: Store) {
    this.store = new PacedStore(store, () => {
      this.calls++;
      return new Promise((resolve) => void this.#waiting.push(resolve));
    });
  }

  begin(work: () => Promise<void>): Promise<void> {
    return work().finally(() => (this.ended = true));
  }

  /** Lets so many calls through, each with all that follows from it; answers when the next one waits, or all is done. */
  async step(calls: number): Promise<void> {
    await this.#settle();
    for (let left = calls; left > 0 && !this.ended; left--) {
      this.#waiting.shift()?.();
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    while (this.#waiting.length === 0 && !this.ended) await Promise.resolve();
  }
}
