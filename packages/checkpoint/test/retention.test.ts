import { boundaryName, boundaryPositions, choose, Log, logName, Retention } from '@tidemark/checkpoint/internal';
import { systemClock } from '@tidemark/actors/internal';
import { MemoryStore, type Store, StoreError } from '@tidemark/stores';
import { describe, expect, it } from 'vitest';

const JOB = 'job';
const KEEP = 3;
const PER_PASS = 5;
/** Calls of the store in five checkpoints with one pass: a listing for each, then the pass's own. */
const CALLS_OF_A_PASS = 20;

const CHOOSE = { fresh: false, from: null, acceptDuplicates: false, command: String, warn: () => undefined };

/** An owner that does nothing but put checkpoints whose only part is a file. */
class Owner {
  readonly log: Log;
  readonly retention: Retention;
  readonly term: number;
  readonly warnings: string[] = [];
  readonly #store: Store;
  #cut: number;

  private constructor(store: Store, retentionStore: Store, log: Log, term: number, cut: number) {
    this.log = log;
    this.term = term;
    this.#store = store;
    this.#cut = cut;
    const warn = (code: string): void => void this.warnings.push(code);
    this.retention = new Retention({
      store: retentionStore,
      job: JOB,
      log,
      keep: KEEP,
      clock: systemClock,
      recordsPerPass: PER_PASS,
      warn,
    });
  }

  static async start(store: Store, retentionStore: Store = store): Promise<Owner> {
    const log = await Log.open(store, JOB, systemClock);
    const choice = await choose(log, store, JOB, CHOOSE);
    const record = choice.checkpoint?.record ?? null;
    const term = choice.term + 1;
    await log.put({ kind: 'term', from: record?.position ?? 'fresh', host: 'here', pid: 1 }, term);
    return new Owner(store, retentionStore, log, term, choice.cut);
  }

  async checkpoint(): Promise<number> {
    const cut = ++this.#cut;
    const path = `part/${this.term}-${cut}-0-00ff`;
    await this.#store.put(`${JOB}/${path}`, PART.bytes);
    const position = await this.log.put(
      {
        kind: 'checkpoint',
        cut,
        definitions: {},
        parts: [{ thread: 0, files: [{ cut, length: PART.bytes.length, sha256: PART.sha256, path }] }],
        releases: false,
        finished: false,
        app: null,
        history: { durationMs: 0, pauseMs: 0, skewMs: 0, units: 0, messages: 0, frames: 0, bytes: 0 },
        failed: [],
      },
      this.term,
    );
    await this.retention.assertOwner(position);
    this.retention.published();
    await this.retention.idle();
    return position;
  }
}

/** A part without entries, and its sha256. */
const PART = {
  bytes: new TextEncoder().encode('TMPART01'),
  sha256: 'a9a52338d186ab71f04315fb2e0a3c1df57d3e5fd5b3b1bba839e2c2dd0fc765',
};

describe('retention', () => {
  it('keeps the newest checkpoints and what they name, and removes the rest (C20)', async () => {
    const store = new MemoryStore();
    const owner = await Owner.start(store);
    const positions: number[] = [];
    for (let i = 0; i < 23; i++) positions.push(await owner.checkpoint());
    const [boundary, ...others] = await boundaryPositions(store, JOB);
    expect(others).toEqual([]);
    expect(positions.length - positions.indexOf(boundary)).toBeGreaterThanOrEqual(KEEP);
    expect(await store.list(`${JOB}/log/`)).toEqual(positions.filter((p) => p >= boundary).map((p) => logName(JOB, p)));
    expect(await store.list(`${JOB}/part/`)).toHaveLength(positions.filter((p) => p >= boundary).length);
  });

  it('lets a start choose the newest checkpoint, and go on with higher numbers', async () => {
    const store = new MemoryStore();
    const first = await Owner.start(store);
    let newest = 0;
    for (let i = 0; i < 12; i++) newest = await first.checkpoint();
    const log = await Log.open(store, JOB, systemClock);
    const choice = await choose(log, store, JOB, CHOOSE);
    expect(choice.checkpoint?.record.position).toBe(newest);
    const second = await Owner.start(store);
    expect(second.term).toBe(2);
    for (let i = 0; i < 12; i++) await second.checkpoint();
    expect((await boundaryPositions(store, JOB)).length).toBe(1);
  });

  it('fences an owner that slept while its name was taken and removed again (C19)', async () => {
    const store = new MemoryStore();
    const sleeper = await Owner.start(store);
    for (let i = 0; i < 4; i++) await sleeper.checkpoint();
    const later = await Owner.start(store);
    for (let i = 0; i < 12; i++) await later.checkpoint();
    // The sleeper's next name is free: only the boundary tells it that it is fenced.
    expect(await store.list(`${JOB}/log/`)).not.toContain(logName(JOB, sleeper.log.last + 1));
    await expect(sleeper.checkpoint()).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('may end at any call of the store: nothing that is needed is gone, and the next pass does the rest (C21)', async () => {
    for (let failing = 1; failing <= CALLS_OF_A_PASS; failing++) {
      const store = new MemoryStore();
      const flaky = new FailingStore(store);
      const owner = await Owner.start(store, flaky);
      for (let i = 0; i < 2 * PER_PASS; i++) await owner.checkpoint();
      flaky.failAt(failing);
      let newest = 0;
      for (let i = 0; i < PER_PASS; i++) newest = await owner.checkpoint().catch(() => owner.log.last);
      expect(flaky.failed).toBe(true);
      const choice = await choose(await Log.open(store, JOB, systemClock), store, JOB, CHOOSE);
      expect(choice.checkpoint?.record.position).toBe(newest);
      for (let i = 0; i < 2 * PER_PASS; i++) newest = await owner.checkpoint();
      const left = await store.list(`${JOB}/log/`);
      expect(left.length).toBeLessThanOrEqual(KEEP + PER_PASS);
      expect(await store.list(`${JOB}/part/`)).toHaveLength(left.length);
    }
  });

  it('calls a log that lost all its records above the boundary damaged, never empty (C16)', async () => {
    const store = new MemoryStore();
    const owner = await Owner.start(store);
    for (let i = 0; i < 12; i++) await owner.checkpoint();
    for (const name of await store.list(`${JOB}/log/`)) await store.delete(name);
    await expect(Log.open(store, JOB, systemClock)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });

  it('calls a damaged boundary damage', async () => {
    const store = new MemoryStore();
    const owner = await Owner.start(store);
    for (let i = 0; i < 12; i++) await owner.checkpoint();
    const [position] = await boundaryPositions(store, JOB);
    const bytes = (await store.get(boundaryName(JOB, position))).slice();
    bytes[3] ^= 1;
    await store.replace(boundaryName(JOB, position), bytes);
    await expect(Log.open(store, JOB, systemClock)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });
});

/** Fails the n-th call from now on, counted over all methods that a pass uses. */
class FailingStore implements Store {
  readonly #inner: Store;
  #left = 0;
  failed = false;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  failAt(call: number): void {
    this.#left = call;
  }

  get url(): string {
    return this.#inner.url;
  }

  get supports(): Store['supports'] {
    return this.#inner.supports;
  }

  put: Store['put'] = (...args) => this.#inner.put(...args);
  replace: Store['replace'] = (...args) => this.#inner.replace(...args);
  close: Store['close'] = () => this.#inner.close();
  putIfAbsent: Store['putIfAbsent'] = (...args) => this.#try(() => this.#inner.putIfAbsent(...args));
  get: Store['get'] = (...args) => this.#try(() => this.#inner.get(...args));
  list: Store['list'] = (...args) => this.#try(() => this.#inner.list(...args));
  delete: Store['delete'] = (...args) => this.#try(() => this.#inner.delete(...args));

  #try<T>(call: () => Promise<T>): Promise<T> {
    if (this.#left === 0 || --this.#left > 0) return call();
    this.failed = true;
    return Promise.reject(new StoreError('retry', 'STORE_IO', 'as told'));
  }
}
