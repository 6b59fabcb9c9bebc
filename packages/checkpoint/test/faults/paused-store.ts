import { setImmediate as soon } from 'node:timers/promises';
import type { Store } from '@tidemark/stores';
import { ManualClock } from '../../../actors/test/support/manual-clock.ts';
import type { Chance } from '@tidemark/actors/testing/internal';

interface Waiter {
  readonly owner: string;
  readonly goOn: () => void;
}

const ASLEEP_STEPS_MAX = 120;
const STEPS_MAX = 20_000;
const STEP_MS = 20;

/**
 * Decides who goes on. All calls of all owners stop before they are made and before their answer is heard; one of them goes
 * on at a time, and now and then an owner sleeps while the others do many things.
 */
export class Interleaving {
  readonly #chance: Chance;
  readonly #asleep = new Map<string, number>();
  #waiting: Waiter[] = [];
  #underWay = 0;
  /** Goes on with each step. */
  readonly clock = new ManualClock();
  steps = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** The store as one owner sees it. */
  seenBy(owner: string, store: Store, saw: (call: StoreCall) => void = () => undefined): Store {
    const paused = async <R>(
      what: StoreCall['what'],
      name: string,
      run: () => Promise<R>,
      bytes: Uint8Array | null = null,
    ): Promise<R> => {
      await this.#pause(owner);
      this.#underWay++;
      let answer: R;
      try {
        answer = await run();
        saw({ owner, what, name, bytes, answer });
      } finally {
        this.#underWay--;
      }
      await this.#pause(owner);
      return answer;
    };
    return {
      url: store.url,
      supports: store.supports,
      put: (name, body, options) => paused('put', name, () => store.put(name, body, options)),
      putIfAbsent: (name, bytes, options) =>
        paused('putIfAbsent', name, () => store.putIfAbsent(name, bytes, options), bytes),
      replace: (name, bytes, options) => paused('replace', name, () => store.replace(name, bytes, options)),
      get: (name, options) => paused('get', name, () => store.get(name, options)),
      list: (prefix, options) => paused('list', prefix, () => store.list(prefix, options)),
      delete: (name, options) => paused('delete', name, () => store.delete(name, options)),
      close: () => store.close(),
    };
  }

  /** An owner does nothing for so many steps of the others. */
  sleep(owner: string, steps: number): void {
    this.#asleep.set(owner, this.steps + steps);
  }

  /** Lets one after the other go on, until all that `work` does is done. */
  async run<R>(work: Promise<R>): Promise<R> {
    let over = false;
    const ended = work.finally(() => (over = true));
    ended.catch(() => undefined);
    while (!over) {
      if (this.steps > STEPS_MAX) throw new Error(`after ${STEPS_MAX} steps nobody has won`);
      await soon();
      if (this.#underWay === 0) this.#next();
    }
    return ended;
  }

  #next(): void {
    const awake = this.#waiting.filter(({ owner }) => (this.#asleep.get(owner) ?? 0) <= this.steps);
    const chosen = this.#chance.pick(awake.length > 0 ? awake : this.#waiting);
    this.steps++;
    this.clock.advance(STEP_MS);
    if (chosen === undefined) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter !== chosen);
    if (this.#chance.isTrue(0.05)) this.sleep(chosen.owner, this.#chance.below(ASLEEP_STEPS_MAX));
    chosen.goOn();
  }

  #pause(owner: string): Promise<void> {
    return new Promise((goOn) => this.#waiting.push({ owner, goOn }));
  }
}

/** What was surely done, in the order in which it was. */
export interface StoreCall {
  readonly owner: string;
  readonly what: 'put' | 'putIfAbsent' | 'replace' | 'get' | 'list' | 'delete';
  readonly name: string;
  /** Of a `putIfAbsent`. */
  readonly bytes: Uint8Array | null;
  readonly answer: unknown;
}
