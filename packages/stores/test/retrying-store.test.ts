import {
  type CallOptions,
  MemoryStore,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreErrorKind,
} from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { Repeater, RETRY_POLICY, RetryingStore, type RetryPolicy } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';
import { HandClock } from './support/hand-clock.ts';

const bytes = new TextEncoder().encode('body');

describe('a retrying store over a memory store keeps the contract', () => {
  for (const { name, run } of storeConformance(async () => retrying(new MemoryStore()).store)) test(name, run);
});

describe('a retrying store over one of which every third call fails keeps the contract', () => {
  const makeStore = async () => retrying(failingNowAndThen(), { attemptsMax: 100, budget: 10_000 }).store;
  for (const { name, run } of storeConformance(makeStore)) test(name, run);
});

describe('a call that failed is made again', () => {
  const calls: Record<string, (store: Store, options?: CallOptions) => Promise<unknown>> = {
    put: (store, options) => store.put('new', bytes, options),
    putIfAbsent: (store, options) => store.putIfAbsent('new', bytes, options),
    replace: (store, options) => store.replace('new', bytes, options),
    get: (store, options) => store.get('there', options),
    list: (store, options) => store.list('', options),
    delete: (store, options) => store.delete('there', options),
  };

  test.each(Object.entries(calls))('%s, until it succeeds', async (_, call) => {
    const { store: bare, attempts } = failing({ times: 3 });
    const { store, clock } = retrying(bare);
    await call(store);
    expect(attempts()).toBe(4);
    expect(clock.slept).toEqual([100, 200, 400]);
  });

  test.each(Object.entries(calls))('%s, and its last error comes through', async (_, call) => {
    const { store: bare, attempts } = failing({ times: 99, code: 'STORE_BUSY' });
    const { store } = retrying(bare);
    await expect(call(store)).rejects.toMatchObject({ kind: 'retry', code: 'STORE_BUSY', message: 'failure 5' });
    expect(attempts()).toBe(RETRY_POLICY.attemptsMax);
  });

  test('after a wait between nothing and twice the one before, at most the longest', async () => {
    const { store: bare } = failing({ times: 7 });
    const { store, clock } = retrying(bare, { attemptsMax: 8, longestMs: 1_000 }, new HandClock([0.5, 0, 1]));
    await store.list('');
    expect(clock.slept).toEqual([50, 0, 400, 400, 0, 1_000, 500]);
  });

  test('with the time that is left, and not when none is left', async () => {
    const given: unknown[] = [];
    const { store: bare, attempts } = failing({
      times: 99,
      before: (options) => {
        given.push(options.deadlineMs);
        clock.pass(100);
      },
    });
    const { store, clock } = retrying(bare);
    await expect(store.get('there', { deadlineMs: 1_000 })).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    // Waits of 100 and 200 ms; one of 400 ms would end at 1,000.
    expect(given).toEqual([1_000, 800, 500]);
    expect(attempts()).toBe(3);
  });

  test('not for longer than 30 seconds, where the caller named no deadline', async () => {
    const { store: bare, attempts } = failing({ times: 99, before: () => clock.pass(14_900) });
    const { store, clock } = retrying(bare);
    await expect(store.list('')).rejects.toMatchObject({ kind: 'retry' });
    expect(attempts()).toBe(2);
  });

  test('also later, when it moves many bytes', async () => {
    const { store: bare, attempts } = failing({ times: 3, before: () => clock.pass(60_000) });
    const { store, clock } = retrying(bare);
    await store.put('large', new Uint8Array(100_000));
    expect(attempts()).toBe(4);
  });

  test('no more once the caller aborts', async () => {
    const abort = new AbortController();
    const { store: bare, attempts } = failing({ times: 99, before: () => abort.abort() });
    const { store } = retrying(bare);
    await expect(store.get('there', { signal: abort.signal })).rejects.toMatchObject({ code: 'STORE_ABORTED' });
    expect(attempts()).toBe(2);
  });

  test('once only for clocks that differ', async () => {
    const { store: bare, attempts } = failing({ times: 99, code: 'STORE_CLOCK_SKEW' });
    const { store } = retrying(bare);
    await expect(store.list('')).rejects.toMatchObject({ code: 'STORE_CLOCK_SKEW' });
    expect(attempts()).toBe(2);
  });

  test('as long as the budget of all calls lasts; successes fill it again', async () => {
    const { store: bare, attempts, fail } = failing({ times: 99 });
    const { store } = retrying(bare, { budget: 6 });
    await expect(store.list('')).rejects.toMatchObject({ kind: 'retry' });
    await expect(store.list('')).rejects.toMatchObject({ kind: 'retry' });
    await expect(store.list('')).rejects.toMatchObject({ kind: 'retry' });
    expect(attempts()).toBe(5 + 3 + 1);
    fail(0);
    for (let call = 0; call < 11; call++) await store.list('');
    fail(99);
    await expect(store.list('')).rejects.toMatchObject({ kind: 'retry' });
    expect(attempts()).toBe(9 + 11 + 2);
  });
});

describe('a call is made once', () => {
  test.each<[StoreErrorKind, StoreErrorCode]>([
    ['absent', 'STORE_ABSENT'],
    ['lost', 'STORE_OUTCOME_UNKNOWN'],
    ['denied', 'STORE_CREDENTIALS'],
    ['corrupt', 'STORE_CORRUPT'],
    ['fatal', 'STORE_BAD_ANSWER'],
    ['retry', 'STORE_ABORTED'],
  ])('when it failed with %s %s', async (kind, code) => {
    const { store: bare, attempts } = failing({ times: 99, kind, code });
    await expect(retrying(bare).store.get('there')).rejects.toMatchObject({ kind, code });
    expect(attempts()).toBe(1);
  });

  test('when something else than a store error was thrown', async () => {
    const { store } = retrying(new MemoryStore());
    await expect(store.get('there', { offset: -1 })).rejects.toThrow(RangeError);
  });

  test('when its body is streamed', async () => {
    const { store: bare, attempts } = failing({ times: 99 });
    const { store, clock } = retrying(bare);
    async function* body() {
      yield bytes;
    }
    await expect(store.put('new', body())).rejects.toMatchObject({ kind: 'retry' });
    expect(attempts()).toBe(1);
    expect(clock.slept).toEqual([]);
  });
});

test('when an object was stored is asked again, where the store tells it', async () => {
  let attempts = 0;
  const storedAt = async (name: string) => {
    if (++attempts < 3) throw new StoreError('retry', 'STORE_UNREACHABLE', name);
    return 5_000;
  };
  expect(await retrying(Object.assign(new MemoryStore(), { storedAt })).store.storedAt?.('there')).toBe(5_000);
  expect(attempts).toBe(3);
  expect(retrying(new MemoryStore()).store.storedAt).toBeUndefined();
});

test('traffic is that of the store, where it counts', async () => {
  const traffic = { requests: { PutObject: 3 }, bytesSent: 10, bytesReceived: 20 };
  const counting = Object.assign(new MemoryStore(), { traffic: () => traffic });
  expect(retrying(counting).store.traffic?.()).toEqual(traffic);
  expect(retrying(new MemoryStore()).store.traffic).toBeUndefined();
});

function retrying(bare: Store, policy: Partial<RetryPolicy> = {}, clock = new HandClock()) {
  return { clock, store: new RetryingStore(bare, new Repeater(clock, { ...RETRY_POLICY, ...policy })) };
}

interface Failures {
  readonly times: number;
  readonly kind?: StoreErrorKind;
  readonly code?: StoreErrorCode;
  readonly before?: (options: CallOptions) => void;
}

/** A memory store that holds `there`, and of which the first `times` calls fail before anything is done. */
function failing({ times, kind = 'retry', code = 'STORE_UNREACHABLE', before }: Failures) {
  const memory = new MemoryStore();
  let attempts = 0;
  let left = times;
  const store = disturbed(memory, async (options) => {
    attempts++;
    if (attempts === 1) await memory.replace('there', bytes);
    if (options.signal?.aborted === true) return;
    before?.(options);
    if (left-- > 0) throw new StoreError(kind, code, `failure ${attempts}`);
  });
  return { store, attempts: () => attempts, fail: (more: number) => (left = more) };
}

/** A memory store of which every third call fails before anything is done, streamed puts left out. */
function failingNowAndThen(): Store {
  let calls = 0;
  return disturbed(new MemoryStore(), async (_, body) => {
    if (body !== undefined && !(body instanceof Uint8Array)) return;
    if (++calls % 3 === 0) throw new StoreError('retry', 'STORE_BUSY', 'now and then');
  });
}

/** `store`, with something to do before each call. */
function disturbed(store: Store, before: (options: CallOptions, body?: unknown) => Promise<void>): Store {
  return {
    url: store.url,
    supports: store.supports,
    put: async (name, body, options = {}) => (await before(options, body), store.put(name, body, options)),
    putIfAbsent: async (name, body, options = {}) => (
      await before(options, body), store.putIfAbsent(name, body, options)
    ),
    replace: async (name, body, options = {}) => (await before(options, body), store.replace(name, body, options)),
    get: async (name, options = {}) => (await before(options), store.get(name, options)),
    list: async (prefix, options = {}) => (await before(options), store.list(prefix, options)),
    delete: async (name, options = {}) => (await before(options), store.delete(name, options)),
    close: () => store.close(),
  };
}
