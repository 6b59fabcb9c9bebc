import {
  type GcReport,
  logName,
  nodeEnvironment,
  Owner,
  parseKeep,
  pinCheckpoint,
  planGc,
  runGc,
  unpinCheckpoint,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner, type ChainOptions } from './support/chain-owner.ts';
import { chosen, JOB } from './support/job-log.ts';

const OPTIONS: ChainOptions = { keep: 3, recordsPerPass: Number.POSITIVE_INFINITY, fullEvery: 4 };
const HOUR_MS = 3_600_000;

let store: MemoryStore;
let clock: ManualClock;
const place = (): Parameters<typeof planGc>[0] => ({ store, job: JOB, environment: nodeEnvironment });

/** A term at 1, and checkpoints from 2 to 13, of which 5 is pinned. */
beforeEach(async () => {
  store = new MemoryStore('gc');
  clock = new ManualClock();
  const owner = await ChainOwner.start(store, clock, OPTIONS);
  await owner.checkpoints(12, clock, HOUR_MS / 2);
  await pinCheckpoint({ store, job: JOB, now: () => clock.now() }, 5, { label: null, wish: null, verify: 'whole' });
});

const why = (report: GcReport): string[] =>
  report.kept.map(({ position, because }) => `${position} ${because.join(' ')}`);

describe('a pass without an owner', () => {
  it('is told beforehand, object by object, and nothing is changed by asking', async () => {
    const policy = parseKeep({ last: 2, hourly: 3, daily: 1 });
    const before = await store.list('');
    const planned = await planGc(place(), policy);
    expect(await store.list('')).toEqual(before);
    expect(planned).toMatchObject({ policyOf: 'caller', doubt: null, boundary: 12 });
    // The chain of 13 began at 10. Hours end at 3, 5, 7, 9, 11, 13.
    expect(why(planned)).toEqual(['13 newest hourly daily', '12 newest', '11 hourly', '9 hourly spare', '5 pinned']);
    const done = await runGc(place(), policy);
    expect(done.removed).toEqual(planned.removed);
    const after = new Set(await store.list(''));
    const gone = before.filter((name) => !after.has(name));
    expect(planned.removed.map(({ object }) => `${JOB}/${object}`).sort()).toEqual(gone);
    expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
  });

  it('says how many bytes each object has', async () => {
    const sizes = new Map<string, number>();
    for (const name of await store.list('')) sizes.set(name, (await store.get(name)).length);
    await store.put(`${JOB}/part/1-1-7-00ff`, new Uint8Array(99));
    const { removed } = await planGc(place(), parseKeep(2));
    expect(removed).toContainEqual({
      object: 'part/1-1-7-00ff',
      position: null,
      kind: 'part',
      takenAt: null,
      bytes: 99,
    });
    for (const { object, bytes } of removed) {
      if (object !== 'part/1-1-7-00ff') expect(bytes, object).toBe(sizes.get(`${JOB}/${object}`));
    }
    expect(removed.map(({ kind }) => kind)).toContain('term');
  });

  it('keeps what the job keeps: as its last start said, also when only the boundary still tells', async () => {
    expect(await planGc(place(), null)).toMatchObject({ policyOf: 'default', policy: parseKeep(undefined) });
    const said = { last: 2, hourly: 0, daily: 4, weekly: 0, timezone: 'UTC' };
    const { log } = await ChainOwner.start(store, clock, OPTIONS);
    await log.put({ kind: 'term', from: 13, host: 'here', pid: 1, keep: said }, 3);
    expect(await planGc(place(), null)).toMatchObject({ policyOf: 'job', policy: said });
    const owner = await ChainOwner.start(store, clock, { ...OPTIONS, keep: { last: 2, daily: 5 }, recordsPerPass: 1 });
    await owner.checkpoints(6);
    expect(await store.list(logName(JOB, 16))).toEqual([]);
    expect(await planGc(place(), null)).toMatchObject({ policyOf: 'job', policy: { last: 2, daily: 5 } });
  });

  it('is refused while the job runs, and changes nothing', async () => {
    const owner = new Owner(store, JOB, nodeEnvironment.clock, nodeEnvironment.processes);
    await owner.own(1);
    const before = await store.list('');
    await expect(runGc(place(), parseKeep(2))).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: expect.stringContaining('--dry-run'),
    });
    expect(await store.list('')).toEqual(before);
    expect((await planGc(place(), parseKeep(2))).removed.length).toBeGreaterThan(0);
    await owner.release();
    await runGc(place(), parseKeep(2));
  });

  it('fences an owner that slept, and leaves the next start where it was', async () => {
    const sleeper = await ChainOwner.start(store, clock, OPTIONS);
    await runGc(place(), parseKeep(2));
    await expect(sleeper.checkpoint()).rejects.toMatchObject({ code: 'FENCED' });
    const choice = await chosen(store);
    expect(choice.checkpoint?.record.position).toBe(13);
    expect(choice.term).toBe(3);
    const next = await ChainOwner.start(store, clock, OPTIONS);
    await next.checkpoints(3);
  });

  it('takes no term where there is nothing to remove', async () => {
    const before = await store.list('');
    expect(await runGc(place(), parseKeep(50))).toMatchObject({ removed: [], boundary: null });
    expect(await runGc(place(), parseKeep(Number.POSITIVE_INFINITY))).toMatchObject({ removed: [] });
    expect(await store.list('')).toEqual(before);
  });

  it('removes what was unpinned, also when the line is too short for another boundary', async () => {
    await runGc(place(), parseKeep(2));
    await unpinCheckpoint(store, JOB, 5);
    const { removed } = await runGc(place(), parseKeep(50));
    expect(removed.map(({ position }) => position)).toContain(5);
    expect(await store.list(logName(JOB, 5))).toEqual([]);
    expect(await verifyLog(store, JOB, null)).toMatchObject({ findings: [], unnamed: 0 });
  });
});
