import type { Store } from '@tidemark/stores';
import { type ManualClock, settled } from '../../../actors/test/support/manual-clock.ts';
import type { Chance } from '@tidemark/actors/testing/internal';

/** Calls of several stores' users that are under way, carried out one at a time, in an order that chance picks. */
export class Steps {
  readonly #chance: Chance;
  #waiting: (() => Promise<void>)[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** The same store, for one more user. */
  of(inner: Store): Store {
    const wait = <T>(carryOut: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        this.#waiting.push(async () => {
          try {
            resolve(await carryOut());
          } catch (error) {
            reject(error);
          }
        });
      });
    return {
      url: inner.url,
      supports: inner.supports,
      put: (...call) => wait(() => inner.put(...call)),
      putIfAbsent: (...call) => wait(() => inner.putIfAbsent(...call)),
      replace: (...call) => wait(() => inner.replace(...call)),
      get: (...call) => wait(() => inner.get(...call)),
      list: (...call) => wait(() => inner.list(...call)),
      delete: (...call) => wait(() => inner.delete(...call)),
      close: () => inner.close(),
    };
  }

  /** Until nobody waits any more; while all wait for time to pass, it passes. */
  async all(clock: ManualClock): Promise<void> {
    await settled();
    while (this.#waiting.length > 0 || clock.timersOpen > 0) {
      if (this.#waiting.length === 0) {
        clock.advance(1_000);
        await settled();
        continue;
      }
      const [next] = this.#waiting.splice(this.#chance.below(this.#waiting.length), 1);
      await next();
      await settled();
    }
  }
}
