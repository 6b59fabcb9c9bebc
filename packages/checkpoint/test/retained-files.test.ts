import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  filesOf,
  Log,
  listMarks,
  markedPositions,
  pinCheckpoint,
  readCheckpoint,
  readLog,
  unpinCheckpoint,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, openStore, type Store } from '@tidemark/stores';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner, type ChainOptions } from './support/chain-owner.ts';
import { JOB } from './support/job-log.ts';

const MINUTE_MS = 60_000;

type Step =
  | { readonly kind: 'checkpoints'; readonly count: number }
  | { readonly kind: 'pin' | 'unpin'; readonly back: number }
  /** A new owner; from an older checkpoint, or from nothing. */
  | { readonly kind: 'start'; readonly from: 'newest' | 'older' | 'fresh' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('checkpoints' as const), count: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pin' as const), back: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unpin' as const), back: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('start' as const), from: fc.constantFrom('newest', 'older', 'fresh') }),
  },
);

const options: fc.Arbitrary<ChainOptions> = fc.record({
  keep: fc.record({ last: fc.integer({ min: 1, max: 4 }), hourly: fc.nat(3), daily: fc.nat(2), weekly: fc.nat(1) }),
  recordsPerPass: fc.integer({ min: 1, max: 5 }),
  fullEvery: fc.integer({ min: 1, max: 5 }),
});

/** A job's life, and what must hold after each step of it. */
class Life {
  readonly #store: Store;
  readonly #clock = new ManualClock();
  readonly #options: ChainOptions;
  readonly #pinned = new Set<number>();
  #owner: ChainOwner | null = null;
  removed = 0;
  /** How often there was an old chain to look for. */
  looked = 0;

  constructor(store: Store, chain: ChainOptions) {
    this.#store = store;
    this.#options = chain;
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#owner = await ChainOwner.start(this.#store, this.#clock, this.#options);
    for (const each of steps) {
      await this.#do(each);
      await this.#assert();
    }
    expect(this.#owner.warnings).toEqual([]);
  }

  async #do(each: Step): Promise<void> {
    switch (each.kind) {
      case 'checkpoints':
        await this.#owner?.checkpoints(each.count, this.#clock, 17 * MINUTE_MS);
        return;
      case 'pin': {
        const position = await this.#some(each.back);
        if (position === null || this.#pinned.has(position)) return;
        const place = { store: this.#store, job: JOB, now: () => this.#clock.now() };
        await pinCheckpoint(place, position, { label: null, wish: null, verify: 'whole' });
        this.#pinned.add(position);
        return;
      }
      case 'unpin': {
        const position = [...this.#pinned].at(each.back);
        if (position === undefined) return;
        await unpinCheckpoint(this.#store, JOB, position);
        this.#pinned.delete(position);
        return;
      }
      case 'start': {
        const older = each.from === 'older' ? await this.#some(7) : null;
        const choose = { from: older, fresh: each.from === 'fresh', acceptDuplicates: true };
        this.#owner = await ChainOwner.start(this.#store, this.#clock, { ...this.#options, choose });
      }
    }
  }

  /** One of the checkpoints that a list shows and that stay; it may be abandoned. */
  async #some(back: number): Promise<number | null> {
    const { lines, first } = await readLog(this.#store, JOB);
    const there = lines.flatMap((line) =>
      line.kind === 'checkpoint' && (line.position >= first || line.pin !== null) ? [line.position] : [],
    );
    return there[back % Math.max(1, there.length)] ?? null;
  }

  async #assert(): Promise<void> {
    // Every byte that should be there is: records from the boundary on, what is marked, and all files that they name.
    expect((await verifyLog(this.#store, JOB, null)).findings).toEqual([]);
    const log = await Log.open(this.#store, JOB, this.#clock);
    const marks = await listMarks(this.#store, JOB);
    expect([...marks.pinned].sort()).toEqual([...this.#pinned].sort());
    const below = markedPositions(marks).filter((position) => position < log.first);
    this.removed += log.first - 1 - below.length;
    if (log.boundary === null) return;
    await this.#assertSpare(log.boundary.position, below);
  }

  /** Of what is kept, one checkpoint shares no file with the newest, as soon as there is one. */
  async #assertSpare(boundary: number, below: readonly number[]): Promise<void> {
    const { fullEvery, recordsPerPass } = this.#options;
    const made = this.#owner?.positions ?? [];
    // By now this owner's passes have seen two chains.
    if (!made.includes(boundary) || made.length < 2 * (fullEvery + recordsPerPass)) return;
    this.looked++;
    const newest = await this.#filesOf(made.at(-1) ?? 0);
    const kept = [...below, ...made.filter((position) => position >= boundary)];
    const files = await Promise.all(kept.map((position) => this.#filesOf(position)));
    expect(files.some((other) => other.every((file) => !newest.includes(file)))).toBe(true);
  }

  async #filesOf(position: number): Promise<readonly string[]> {
    return filesOf((await readCheckpoint(this.#store, { job: JOB, position })).record);
  }
}

describe('the files that checkpoints need', () => {
  it('are all there, for every checkpoint that stays, and one of these shares none with the newest (C33)', async () => {
    let removed = 0;
    let looked = 0;
    const property = fc.asyncProperty(
      options,
      fc.array(step, { minLength: 3, maxLength: 14 }),
      async (chain, steps) => {
        const life = new Life(new MemoryStore('files'), chain);
        await life.run(steps);
        removed += life.removed;
        looked += life.looked;
      },
    );
    await fc.assert(property, { numRuns: 150 });
    expect(removed).toBeGreaterThan(1_000);
    expect(looked).toBeGreaterThan(200);
  }, 120_000);

  it('also in a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-files-'));
    try {
      let lives = 0;
      const property = fc.asyncProperty(
        options,
        fc.array(step, { minLength: 3, maxLength: 8 }),
        async (chain, steps) => {
          const store = await openStore(join(folder, String(lives++)));
          await new Life(store, chain).run(steps);
          await store.close();
        },
      );
      await fc.assert(property, { numRuns: 8 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
