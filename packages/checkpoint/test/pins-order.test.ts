import {
  CheckpointError,
  isMarked,
  keptName,
  listMarks,
  Log,
  pinCheckpoint,
  readCheckpoint,
  Retention,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner } from './support/chain-owner.ts';
import { JOB } from './support/job-log.ts';
import { Stepped } from './support/stepped.ts';

const HOUR_MS = 3_600_000;
const KEEP = { last: 2, hourly: 3 };

/** Objects of a store that a test begins with, again and again. */
type Objects = readonly (readonly [string, Uint8Array])[];

async function objectsOf(store: Store): Promise<Objects> {
  const names = await store.list('');
  return Promise.all(names.map(async (name) => [name, await store.get(name)] as const));
}

async function storeOf(objects: Objects): Promise<MemoryStore> {
  const store = new MemoryStore('order');
  for (const [name, bytes] of objects) await store.putIfAbsent(name, bytes);
  return store;
}

async function pass(store: Store, clock: ManualClock): Promise<void> {
  const log = await Log.open(store, JOB, clock);
  const warn = (code: string, message: string): void => expect.fail(`${code}: ${message}`);
  const retention = new Retention({ store, job: JOB, log, keep: KEEP, clock, recordsPerPass: 1, warn });
  retention.published();
  await retention.idle();
}

interface Told {
  readonly objects: Objects;
  readonly position: number;
}

/** How a pass and a person that pins may come between each other: how many were granted, and how many refused. */
async function everyOrder({ objects, position }: Told): Promise<{ granted: number; refused: number }> {
  const clock = new ManualClock(NOW);
  const seen = { granted: 0, refused: 0 };
  for (let first = 0; ; first++) {
    let passEnded = false;
    for (let person = 1; ; person++) {
      let personEnded = false;
      for (let second = 1; ; second += 3) {
        const store = await storeOf(objects);
        const owner = new Stepped(store);
        const other = new Stepped(store);
        const passing = owner.begin(() => pass(owner.store, clock));
        await owner.step(first);
        passEnded = owner.ended;
        let granted = false;
        const pinning = other.begin(async () => {
          const place = { store: other.store, job: JOB, now: () => clock.now() };
          await pinCheckpoint(place, position, { label: null, wish: null, verify: 'whole' });
          granted = true;
        });
        const refusal = pinning.catch((error: unknown) => error);
        await other.step(person);
        personEnded = other.ended;
        await owner.step(second);
        const all = owner.ended;
        await other.step(Number.POSITIVE_INFINITY);
        await owner.step(Number.POSITIVE_INFINITY);
        await passing;
        const error = await refusal;
        if (granted) {
          seen.granted++;
          const { parts } = await readCheckpoint(store, { job: JOB, position });
          expect(
            parts.every((part) => part.ok),
            `${first} ${person} ${second}`,
          ).toBe(true);
          expect(isMarked(await listMarks(store, JOB), position)).toBe(true);
        } else {
          seen.refused++;
          expect(error).toBeInstanceOf(CheckpointError);
          expect(['PIN_REFUSED', 'CHECKPOINT_UNKNOWN']).toContain((error as CheckpointError).code);
          expect((await listMarks(store, JOB)).pinned.size, `${first} ${person} ${second}`).toBe(0);
        }
        expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
        if (all || personEnded || passEnded) break;
      }
      if (personEnded || passEnded) break;
    }
    if (passEnded) return seen;
  }
}

const NOW = Date.parse('2026-01-01T12:30:00Z');

describe('a pass, and a person who pins what it is about to remove', () => {
  let unkept: Told;
  let kept: Told;

  beforeAll(async () => {
    const store = new MemoryStore('order');
    const clock = new ManualClock(NOW - 3 * HOUR_MS);
    const options = { keep: KEEP, recordsPerPass: Number.POSITIVE_INFINITY, fullEvery: 2 };
    const owner = await ChainOwner.start(store, clock, options);
    // 2 at 9:30, then 3 and 4, 5 and 6, 7 at 12:00.
    await owner.checkpoints(6, clock, HOUR_MS / 2);
    unkept = { objects: await objectsOf(store), position: 2 };
    await pass(store, clock);
    // 4 is kept for its hour, 5 as a spare; now later hours come.
    expect(await store.list(`${JOB}/pin/`)).toEqual([keptName(JOB, 4), keptName(JOB, 5)]);
    const heir = await ChainOwner.start(store, clock, options);
    await heir.checkpoints(4, clock, HOUR_MS / 2);
    kept = { objects: await objectsOf(store), position: 4 };
  });

  it('never both succeed, in every order of three turns (C31)', async () => {
    const { granted, refused } = await everyOrder(unkept);
    expect(granted).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(10);
  });

  it('nor where it was kept for its hour until now (C32)', async () => {
    const { granted, refused } = await everyOrder(kept);
    expect(granted).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(10);
  });
});
