import { MemoryStore, type Store } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { systemClock, TimedStore } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';

describe('a timed store keeps the contract', () => {
  for (const { name, run } of storeConformance(async () => new TimedStore(new MemoryStore(), systemClock)))
    test(name, run);
});

const never = new Promise<never>(() => undefined);

/** Time that a test moves on. */
class TestClock {
  #now = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  now = (): number => this.#now;
  random = (): number => 0;
  sleep = (): Promise<void> => never;
  after = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((each) => each !== timer));
  };

  get open(): number {
    return this.#timers.length;
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const timer of this.#timers.filter(({ at }) => at <= this.#now)) {
      this.#timers = this.#timers.filter((each) => each !== timer);
      timer.run();
    }
    await new Promise(setImmediate);
  }
}

/** A store whose calls below never end. */
function hanging(): { readonly store: Store; readonly clock: TestClock } {
  const clock = new TestClock();
  const inner = new Proxy(new MemoryStore(), {
    get: (target, name) => (name === 'url' ? target.url : name === 'storedAt' ? undefined : () => never),
  });
  return { store: new TimedStore(inner, clock), clock };
}

describe('where what is below never answers', () => {
  const calls: readonly (readonly [string, (store: Store, deadlineMs?: number) => Promise<unknown>, string, string])[] =
    [
      ['get', (store, deadlineMs) => store.get('a', given(deadlineMs)), 'retry', 'STORE_TIMEOUT'],
      ['list', (store, deadlineMs) => store.list('a', given(deadlineMs)), 'retry', 'STORE_TIMEOUT'],
      [
        'put',
        (store, deadlineMs) => store.put('a', new Uint8Array(1), given(deadlineMs)),
        'lost',
        'STORE_OUTCOME_UNKNOWN',
      ],
      [
        'putIfAbsent',
        (store, ms) => store.putIfAbsent('a', new Uint8Array(1), given(ms)),
        'lost',
        'STORE_OUTCOME_UNKNOWN',
      ],
      ['replace', (store, ms) => store.replace('a', new Uint8Array(1), given(ms)), 'lost', 'STORE_OUTCOME_UNKNOWN'],
      ['delete', (store, deadlineMs) => store.delete('a', given(deadlineMs)), 'lost', 'STORE_OUTCOME_UNKNOWN'],
      [
        'a streamed put',
        (store, deadlineMs) => store.put('a', empty(), given(deadlineMs)),
        'lost',
        'STORE_OUTCOME_UNKNOWN',
      ],
    ];

  test.each(calls)('%s ends with what is known', async (_, call, kind, code) => {
    for (const deadlineMs of [undefined, 500]) {
      const { store, clock } = hanging();
      let error: unknown = null;
      call(store, deadlineMs).catch((reason: unknown) => (error = reason));
      await clock.pass((deadlineMs ?? 60_000) - 1);
      expect(error).toBeNull();
      await clock.pass(1);
      expect(error).toMatchObject({ kind, code });
      expect(clock.open).toBe(0);
    }
  });

  test('the time of who makes a body does not count, and that of the store does', async () => {
    const clock = new TestClock();
    const inner = new MemoryStore();
    let taken = 0;
    inner.put = async (_name, body) => {
      for await (const _ of body as AsyncIterable<Uint8Array>) if (++taken === 3) await never;
    };
    const store = new TimedStore(inner, clock);
    let next: () => void = () => undefined;
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        await new Promise<void>((resolve) => (next = resolve));
        yield new Uint8Array(1);
      }
    };
    let error: unknown = null;
    store.put('a', body()).catch((reason: unknown) => (error = reason));
    for (let i = 0; i < 3; i++) {
      await clock.pass(1_000_000);
      expect(error).toBeNull();
      next();
      await clock.pass(0);
    }
    expect(taken).toBe(3);
    await clock.pass(60_000);
    expect(error).toMatchObject({ kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' });
  });
});

test('no timer is left when a call has ended', async () => {
  const clock = new TestClock();
  const store = new TimedStore(new MemoryStore(), clock);
  await store.put('a', new Uint8Array(1));
  await store.put('b', empty());
  await expect(store.get('c')).rejects.toMatchObject({ code: 'STORE_ABSENT' });
  expect(clock.open).toBe(0);
});

function given(deadlineMs: number | undefined): { readonly deadlineMs?: number } {
  return deadlineMs === undefined ? {} : { deadlineMs };
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // Nothing comes of it.
}
