import {
  boundaryPositions,
  choose,
  copyCheckpoint,
  CopyStore,
  type CopySource,
  Log,
  logName,
  readCheckpoint,
  readLog,
  readSource,
  Retention,
  storedFiles,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { Chance } from '@tidemark/actors/testing/internal';
import { bodyOf, chosen, JOB, JobLog } from './support/job-log.ts';
import { refused, replyLost, ScriptedStore } from './support/scripted-store.ts';
import { Steps } from './support/stepped-store.ts';

vi.setConfig({ testTimeout: 60_000 });

const NEVER = new AbortController().signal;
let ids = 0;

/** Whoever copies into a store: what it knows is forgotten with it. */
function copying(store: Store): CopyStore {
  const newId = (): string => String(ids++);
  return new CopyStore({ store, job: JOB, of: 'memory:test', newId, clock: new ManualClock(), signal: NEVER });
}

const ACCEPTED = { fresh: false, from: null, acceptDuplicates: true } as const;

/** A job with checkpoints at 2 to 6 and 8 to 12; the part of 6 is that of 5 as well. */
let job: JobLog;
let target: MemoryStore;
beforeEach(async () => {
  target = new MemoryStore('copies');
  job = await JobLog.open();
  await job.term('fresh');
  for (let position = 2; position <= 4; position++) await job.checkpoint();
  const shared = [await job.part(77)];
  await job.checkpoint({ parts: shared });
  await job.checkpoint({ parts: [...shared, await job.part(78)] });
  await job.term(6);
  for (let position = 8; position <= 12; position++) await job.checkpoint();
});

function source(position: number): Promise<CopySource> {
  return readSource(job.store, JOB, position);
}

/** One copy, and what is to be removed after it. */
async function copy(position: number, { store, keep = 2 }: { store?: Store; keep?: number } = {}): Promise<void> {
  const into = copying(store ?? target);
  await into.take(await source(position));
  await into.removeOld(keep);
}

async function positions(): Promise<number[]> {
  return (await target.list(`${JOB}/log/`)).map((name) => Number(name.slice(-20)));
}

/** Nothing is wrong there, and everything that a kept record names is there. */
async function expectWhole(): Promise<void> {
  expect((await verifyLog(target, JOB, null)).findings).toEqual([]);
}

/** The position that a start from the copies chooses. */
async function newestCopy(store: Store = target): Promise<number | undefined> {
  return (await chosen(store, { acceptDuplicates: true })).checkpoint?.record.position;
}

describe('a copy', () => {
  it('is the same record with the same files under the same names; what is left out, a gap says', async () => {
    await copy(4);
    expect(await positions()).toEqual([4]);
    expect(await target.get(logName(JOB, 4))).toEqual(await job.store.get(logName(JOB, 4)));
    const [file] = (await source(4)).files;
    expect(await target.get(`${JOB}/${file.path}`)).toEqual(await job.store.get(`${JOB}/${file.path}`));
    expect(await boundaryPositions(target, JOB)).toEqual([4]);
    await expectWhole();
    await copying(target).take(await source(6));
    // Between two copies, and before the first: records of the copier.
    expect(await positions()).toEqual([4, 5, 6]);
    await expectWhole();
    await copying(target).take(await source(12));
    expect(await positions()).toEqual([4, 5, 6, 7, 12]);
    await expectWhole();
    expect((await readLog(target, JOB)).lines.map(({ kind, position }) => `${kind} ${position}`)).toEqual([
      'checkpoint 12',
      'checkpoint 6',
      'checkpoint 4',
    ]);
  });

  it('takes no file that is there already, and of one copy only what it names', async () => {
    await copy(5);
    const puts = new ScriptedStore(target);
    expect(await copying(puts).take(await source(6))).toMatchObject({ files: 1 });
    expect(puts.count('put')).toBe(1);
    expect(await target.list(`${JOB}/part/`)).toHaveLength(2);
    await expectWhole();
  });

  it('that is there already is nothing to do, also for an owner that is behind', async () => {
    await copy(6);
    const calls = new ScriptedStore(target);
    expect(await copying(calls).take(await source(6))).toBeNull();
    expect(await copying(calls).take(await source(3))).toBeNull();
    expect(calls.count('putIfAbsent')).toBe(0);
    expect(await positions()).toEqual([6]);
  });

  it('of what is damaged is not made', async () => {
    const damaged = await source(6);
    const name = `${JOB}/${damaged.files[0].path}`;
    const bytes = Uint8Array.from(await job.store.get(name));
    bytes[bytes.length >> 1] ^= 1;
    await job.store.replace(name, bytes);
    await expect(copying(target).take(damaged)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    await job.store.replace(name, bytes.subarray(0, 9));
    await expect(copying(target).take(damaged)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    expect(await target.list('')).toEqual([]);
  });

  it('is kept as often as was said, with all files that the kept ones name', async () => {
    for (const position of [2, 3, 4, 5, 6, 8, 9]) await copy(position, { keep: 3 });
    expect(await positions()).toEqual([6, 8, 9]);
    await expectWhole();
    const kept = await Promise.all([6, 8, 9].map((position) => readCheckpoint(target, { job: JOB, position })));
    const named = kept.flatMap(({ record }) => storedFiles(record).map(({ path }) => `${JOB}/${path}`));
    expect(await target.list(`${JOB}/part/`)).toEqual([...new Set(named)].toSorted());
    expect(await boundaryPositions(target, JOB)).toEqual([9]);
    for (const position of [10, 11, 12]) await copy(position, { keep: Number.POSITIVE_INFINITY });
    expect(await positions()).toEqual([6, 8, 9, 10, 11, 12]);
  });
});

describe('a start from the copies', () => {
  it('is refused until somebody says that what was released since may come again', async () => {
    await copy(4);
    await copy(6);
    await expect(chosen(target)).rejects.toMatchObject({
      code: 'DUPLICATES_NOT_ACCEPTED',
      message: expect.stringContaining('tidemark run --from 6 --accept-duplicates') as string,
    });
    await expect(chosen(target, { from: 6 })).rejects.toMatchObject({ code: 'DUPLICATES_NOT_ACCEPTED' });
    const choice = await chosen(target, { from: 6, acceptDuplicates: true });
    expect(choice.checkpoint?.record).toMatchObject({ position: 6 });
    expect(choice).toMatchObject({ term: 1, warnings: [] });
  });

  it('makes the log its own: nothing more is copied into it, and the next start goes on as ever', async () => {
    await copy(6);
    const log = await Log.open(target, JOB, new ManualClock());
    await log.put({ kind: 'term', from: 6, host: 'elsewhere', pid: 2 }, 2);
    await expect(copying(target).take(await source(9))).rejects.toMatchObject({ code: 'COPY_TAKEN_OVER' });
    await log.put(bodyOf({ cut: 100, parts: [] }), 2);
    await expect(copying(target).take(await source(12))).rejects.toMatchObject({ code: 'COPY_TAKEN_OVER' });
    expect(await positions()).toEqual([6, 7, 8]);
    expect((await chosen(target)).checkpoint?.record).toMatchObject({ position: 8, cut: 100 });
    // Its retention puts boundaries of its own.
    const warn = (code: string, message: string): never => {
      throw new Error(`${code} ${message}`);
    };
    const retention = new Retention({
      store: target,
      job: JOB,
      log,
      keep: 2,
      clock: new ManualClock(),
      recordsPerPass: 1,
      warn,
    });
    for (let cut = 101; cut < 104; cut++) {
      await log.put(bodyOf({ cut, parts: [] }), 2);
      retention.published();
      await retention.idle();
    }
    expect(await boundaryPositions(target, JOB)).toEqual([10]);
    await expect(copying(target).take(await source(12))).rejects.toMatchObject({ code: 'COPY_TAKEN_OVER' });
    await expectWhole();
  });

  it('is never one from nothing: where no copy is complete it says so', async () => {
    const broken = new ScriptedStore(target);
    broken.next('putIfAbsent', (carryOut) => carryOut(), refused('denied'));
    await expect(copying(broken).take(await source(6))).rejects.toMatchObject({ kind: 'denied' });
    expect(await positions()).toEqual([1]);
    await expect(chosen(target, { acceptDuplicates: true })).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });

  it('puts where the copier would have: at the position that a gap names', async () => {
    await copy(4);
    const broken = new ScriptedStore(target);
    broken.next('putIfAbsent', (carryOut) => carryOut(), refused('denied'));
    await expect(copying(broken).take(await source(9))).rejects.toMatchObject({ kind: 'denied' });
    expect(await positions()).toEqual([4, 5]);
    expect(await newestCopy()).toBe(4);
    const log = await Log.open(target, JOB, new ManualClock());
    await chosen(target, { acceptDuplicates: true });
    expect(await log.put({ kind: 'term', from: 4, host: 'elsewhere', pid: 2 }, 2)).toBe(9);
    await expect(copying(target).take(await source(9))).rejects.toMatchObject({ code: 'COPY_TAKEN_OVER' });
    await expectWhole();
  });

  it('with the newest copy damaged says that older ones may be there, and one of them can be made a store of', async () => {
    await copy(4);
    await copy(6);
    const [file] = (await source(6)).files;
    await target.replace(`${JOB}/${file.path}`, Uint8Array.of(1));
    await expect(chosen(target, { acceptDuplicates: true, from: 6 })).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining('tidemark copy') as string,
    });
    expect((await readCheckpoint(target, { job: JOB, position: 4 })).parts.every((part) => part.ok)).toBe(true);
  });
});

describe('an older copy', () => {
  it('is made a store of its own, which goes on from it as ever', async () => {
    for (const position of [4, 6, 9]) await copy(position, { keep: 3 });
    const own = new MemoryStore('own');
    const older = await readCheckpoint(target, { job: JOB, position: 6 });
    expect(await copyCheckpoint(older, target, own)).toMatchObject({ position: 6, parts: 2 });
    expect((await verifyLog(own, JOB, null)).findings).toEqual([]);
    expect((await chosen(own)).checkpoint?.record).toMatchObject({ position: 6 });
  });
});

describe('verifying copies', () => {
  it('finds what is wrong with older ones, too', async () => {
    for (const position of [4, 6, 9]) await copy(position, { keep: 3 });
    await expectWhole();
    const [file] = (await source(4)).files;
    await target.delete(`${JOB}/${file.path}`);
    const { findings } = await verifyLog(target, JOB, null);
    expect(findings).toMatchObject([{ position: 4, object: `${JOB}/${file.path}` }]);
  });
});

describe('a copier that ends at any call of the store', () => {
  it.each([
    ['before it is carried out', refused('lost')],
    ['after it was carried out', replyLost],
  ])('(%s) leaves copies that are whole, and the next one goes on', async (_, doing) => {
    let calls = 0;
    let all = 1;
    for (let failing = 0; failing <= all; failing++) {
      target = new MemoryStore('copies');
      await copy(4);
      calls = 0;
      const counted = (carryOut: () => Promise<unknown>): Promise<unknown> =>
        ++calls === failing ? doing(carryOut) : carryOut();
      const store = new ScriptedStore(target);
      for (const method of ['put', 'putIfAbsent', 'get', 'list', 'delete'] as const) store.always(method, counted);
      const done = await copy(9, { store, keep: 1 }).then(
        () => true,
        () => false,
      );
      expect(done, `call ${failing}`).toBe(failing === 0);
      if (failing === 0) all = calls;
      await expectWhole();
      expect([4, 9]).toContain(await newestCopy());
      await copy(12, { keep: 1 });
      await expectWhole();
      expect(await newestCopy()).toBe(12);
      expect(await positions()).toEqual([12]);
      expect(await target.list(`${JOB}/part/`)).toHaveLength(1);
    }
    expect(all).toBeGreaterThan(10);
  });
});

describe('two at one store', () => {
  it('of which both copy leave it whole, whoever is behind (100 orders)', async () => {
    for (let seed = 0; seed < 100; seed++) {
      target = new MemoryStore('copies');
      const chance = new Chance(seed);
      const steps = new Steps(chance);
      const ends: unknown[] = [];
      const run = async (all: readonly number[]): Promise<void> => {
        for (const position of all) await copy(position, { store: steps.of(target), keep: 2 });
      };
      const runs = [run([2, 5, 9, 12]), run([3, 6, 8, 12])].map((each) => each.catch((error) => void ends.push(error)));
      await steps.all(new ManualClock());
      await Promise.all(runs);
      expect(ends, `seed ${seed}`).toEqual([]);
      expect((await verifyLog(target, JOB, null)).findings, `seed ${seed}`).toEqual([]);
      expect(await newestCopy()).toBe(12);
    }
  });

  it('of which one copies and one starts: what that one has released is never undone (200 orders)', async () => {
    const seen = { released: 0, fenced: 0 };
    for (let seed = 0; seed < 200; seed++) {
      target = new MemoryStore('copies');
      await copy(4);
      const chance = new Chance(seed);
      const steps = new Steps(chance);
      const clock = new ManualClock();
      let released: number | null = null;
      const start = async (): Promise<void> => {
        const own = steps.of(target);
        for (let wait = chance.below(12); wait > 0; wait--) await own.list('nothing/');
        const log = await Log.open(own, JOB, clock);
        const choice = await choose(log, own, JOB, { ...ACCEPTED, command: String, warn: () => undefined });
        const from = choice.checkpoint?.record.position ?? 'fresh';
        await log.put({ kind: 'term', from, host: 'elsewhere', pid: 2 }, choice.term + 1);
        const retention = new Retention({
          store: own,
          job: JOB,
          log,
          keep: 5,
          clock,
          recordsPerPass: 9,
          warn: () => undefined,
        });
        for (let cut = 100; cut < 103; cut++) {
          const position = await log.put(bodyOf({ cut, parts: [] }), choice.term + 1);
          await retention.assertOwner(position);
          released = position;
        }
      };
      const copies = async (): Promise<void> => {
        for (const position of [6, 9, 12]) await copy(position, { store: steps.of(target), keep: 1 });
      };
      const ends = [start(), copies()].map((each) => each.catch((error: { code: unknown }) => error.code));
      await steps.all(clock);
      const [started, copied] = await Promise.all(ends);
      expect((await verifyLog(target, JOB, null)).findings, `seed ${seed}`).toEqual([]);
      const newest = (await chosen(target, { acceptDuplicates: true })).checkpoint?.record;
      if (released === null) {
        seen.fenced++;
        // Damaged: what it was about to read was removed, and it begins again (take-over.ts).
        expect(['FENCED', 'CHECKPOINT_DAMAGED'], `seed ${seed}`).toContain(started);
        expect(copied, `seed ${seed}`).toBeUndefined();
        expect(newest?.position).toBe(12);
      } else {
        seen.released++;
        expect(started, `seed ${seed}`).toBeUndefined();
        expect(newest, `seed ${seed}`).toMatchObject({ position: released, cut: 102 });
      }
    }
    expect(Math.min(seen.released, seen.fenced)).toBeGreaterThan(10);
  });
});
