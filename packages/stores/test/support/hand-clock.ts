import type { Clock } from '@tidemark/stores/internal';

/** A clock that stands still until somebody sleeps; a sleep moves it on at once. */
export class HandClock implements Clock {
  readonly slept: number[] = [];
  readonly #chances: readonly number[];
  #now = 0;
  #draws = 0;

  /** `chances` come round and round. */
  constructor(chances: readonly number[] = [1]) {
    this.#chances = chances;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#chances[this.#draws++ % this.#chances.length] ?? 0;
  }

  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.#now += ms;
  }

  after(): () => void {
    throw new Error('nothing here sets a timer');
  }

  /** Time that passes while something else happens. */
  pass(ms: number): void {
    this.#now += ms;
  }
}
