import {
  boundaryName,
  choose,
  endsName,
  keptName,
  listMarks,
  Log,
  logName,
  type Pin,
  pinCheckpoint,
  Retention,
  readLog,
  unpinCheckpoint,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store, StoreError } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner, type ChainOptions } from './support/chain-owner.ts';
import { chosen, JOB } from './support/job-log.ts';
import { PacedStore } from './support/paced-store.ts';

const HOUR_MS = 3_600_000;
const OPTIONS: ChainOptions = { keep: 2, recordsPerPass: 4, fullEvery: 1 };

let store: MemoryStore;
let clock: ManualClock;
let owner: ChainOwner;

/** A term at 1 and checkpoints 2, 3 and 4. */
beforeEach(async () => {
  store = new MemoryStore('pins');
  clock = new ManualClock();
  owner = await ChainOwner.start(store, clock, OPTIONS);
  await owner.checkpoints(3);
});

function pin(position: number, label: string | null = null): Promise<Pin> {
  return pinCheckpoint({ store, job: JOB, now: () => clock.now() }, position, { label, wish: null, verify: 'whole' });
}

async function damage(name: string, at?: number): Promise<void> {
  const bytes = Uint8Array.from(await store.get(name));
  bytes[at ?? bytes.length >> 1] ^= 1;
  await store.replace(name, bytes);
}

const part = (cut: number, term = 1): string => `${JOB}/part/${term}-${cut}-0-00ff`;

describe('retention by time', () => {
  const hourly: ChainOptions = { keep: { last: 2, hourly: 3 }, recordsPerPass: 4, fullEvery: 1 };

  it('marks what stays, confirms it by the boundary, and gives it up later', async () => {
    const own = await ChainOwner.start(store, clock, hourly);
    const seen: string[] = [];
    for (let hour = 0; hour < 8; hour++) {
      await own.checkpoints(4, clock, HOUR_MS / 4);
      const { lines } = await readLog(store, JOB);
      const kept = lines.flatMap((line) => (line.kind === 'checkpoint' && line.pin?.by === 'retention' ? [line] : []));
      seen.push(kept.map(({ record }) => record.createdAt.slice(11, 16)).join(' '));
      expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
    }
    // Each pass comes with the first checkpoint of an hour: of this one and the last, the newest are above the boundary.
    expect(seen.slice(-3)).toEqual(['03:45', '04:45', '05:45']);
    expect(own.warnings).toEqual([]);
  });

  it('lets go what is unpinned, and pins for good what it has kept', async () => {
    const own = await ChainOwner.start(store, clock, { ...hourly, keep: { last: 2, hourly: 4 } });
    await own.checkpoints(16, clock, HOUR_MS / 4);
    const { kept } = await listMarks(store, JOB);
    const [older = 0, newer = 0] = [...kept];
    await pin(older, 'for-ever');
    expect(await unpinCheckpoint(store, JOB, newer)).toBe('kept');
    await own.checkpoints(40, clock, HOUR_MS / 4);
    const names = await store.list(`${JOB}/log/`);
    expect(names).toContain(logName(JOB, older));
    expect(names).not.toContain(logName(JOB, newer));
    expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
  });

  it('does not give up what a line began at as long as the line is short', async () => {
    const own = await ChainOwner.start(store, clock, { ...hourly, keep: { last: 2, hourly: 4 } });
    await own.checkpoints(16, clock, HOUR_MS / 4);
    // The older one of two, so that the newer one is the spare.
    const [kept = 0] = (await listMarks(store, JOB)).kept;
    const back = { from: kept, acceptDuplicates: true };
    const next = await ChainOwner.start(store, clock, { ...OPTIONS, recordsPerPass: 1, choose: back });
    const position = await next.checkpoint();
    await damage(part(next.lastCut, next.term));
    const choice = await chosen(store);
    expect(choice.checkpoint?.record.position).toBe(kept);
    expect(choice.warnings).toContainEqual(expect.stringContaining(`the older checkpoint ${kept} is used instead`));
    expect(position).toBeGreaterThan(kept);
    await next.checkpoints(2);
    expect((await listMarks(store, JOB)).kept.has(kept)).toBe(false);
  });

  it('may end at any call of the store, and the next pass does the rest (C21)', async () => {
    const before: [string, Uint8Array][] = [];
    const own = await ChainOwner.start(store, clock, { ...hourly, recordsPerPass: Number.POSITIVE_INFINITY });
    await own.checkpoints(16, clock, HOUR_MS / 4);
    // What this pass keeps, the one that ends too early gives up.
    expect(await passOver(store, store)).toEqual([]);
    const [oldest = 0] = (await listMarks(store, JOB)).kept;
    await pin(oldest);
    await own.checkpoints(16, clock, HOUR_MS / 4);
    for (const name of await store.list('')) before.push([name, await store.get(name)]);
    let ended = 0;
    for (let calls = 0; ; calls++) {
      const copy = new MemoryStore('copy');
      for (const [name, bytes] of before) await copy.put(name, bytes);
      let left = calls;
      const dying = new PacedStore(copy, async () => {
        if (left-- <= 0) throw new StoreError('retry', 'STORE_IO', 'as told');
      });
      const warnings = await passOver(dying, copy);
      ended += warnings.length;
      const { findings } = await verifyLog(copy, JOB, null);
      expect(findings, `after ${calls} calls`).toEqual([]);
      expect(await passOver(copy, copy)).toEqual([]);
      expect((await verifyLog(copy, JOB, null)).findings).toEqual([]);
      const { kept, ending } = await listMarks(copy, JOB);
      expect(kept.size, `after ${calls} calls`).toBe(2);
      expect(ending.size, `after ${calls} calls`).toBe(0);
      expect(await copy.list(`${JOB}/gc/`)).toHaveLength(1);
      expect((await copy.list(`${JOB}/log/`)).length).toBe(2 + 1 + 2);
      if (warnings.length === 0) break;
    }
    expect(ended).toBeGreaterThan(30);
  });

  /** One pass of an owner that opened the log over a store that works. */
  async function passOver(over: Store, log: Store): Promise<string[]> {
    const warnings: string[] = [];
    const warn = (code: string, message: string): void => void warnings.push(`${code}: ${message}`);
    const opened = await Log.open(log, JOB, clock);
    const retention = new Retention({
      store: over,
      job: JOB,
      log: opened,
      keep: hourly.keep,
      clock,
      recordsPerPass: 1,
      warn,
    });
    retention.published();
    await retention.idle();
    return warnings;
  }

  it.each([9, 1])(
    'of an owner that slept harms nothing of a later one that keeps %d hours (C31, C32)',
    async (hours) => {
      const sleeper = await ChainOwner.start(store, clock, { ...hourly, recordsPerPass: 1_000 });
      await sleeper.checkpoints(24, clock, HOUR_MS / 4);
      const objects = await Promise.all(
        (await store.list('')).map(async (name) => [name, await store.get(name)] as const),
      );
      for (const stopAt of ['list main/pin/', 'list main/log/', 'put main/pin/', 'list main/gc/', 'put main/gc/']) {
        const log = await Log.open(store, JOB, clock);
        const late: ChainOwner[] = [];
        const slow = new PacedStore(store, async (call) => {
          if (late.length > 0 || !call.startsWith(stopAt)) return;
          // Here it sleeps, and another owner lives a whole life.
          late.push(await ChainOwner.start(store, clock, { ...hourly, keep: { last: 2, hourly: hours } }));
          await late[0].checkpoints(24, clock, HOUR_MS / 4);
        });
        const warn = (): void => undefined;
        const { keep } = hourly;
        const retention = new Retention({ store: slow, job: JOB, log, keep, clock, recordsPerPass: 1, warn });
        retention.published();
        await retention.idle();
        expect(late, stopAt).toHaveLength(1);
        expect((await verifyLog(store, JOB, null)).findings, stopAt).toEqual([]);
        const { boundary } = await Log.open(store, JOB, clock);
        expect(boundary?.kept, stopAt).toHaveLength(Math.max(0, hours - 2));
        for (const position of boundary?.kept ?? []) {
          expect(await store.list(keptName(JOB, position)), stopAt).toHaveLength(1);
        }
        // What it left behind, the next pass removes.
        await late[0].checkpoints(4, clock, HOUR_MS / 4);
        const { kept } = await listMarks(store, JOB);
        expect(kept.size, stopAt).toBe(Math.max(0, hours - 2));
        for (const position of kept) expect(await store.list(logName(JOB, position)), stopAt).toHaveLength(1);
        for (const name of await store.list('')) await store.delete(name);
        for (const [name, bytes] of objects) await store.put(name, bytes);
      }
    },
  );

  it('of an owner that slept puts no boundary that names what a later one has removed (C32)', async () => {
    const sleeper = await ChainOwner.start(store, clock, { ...hourly, recordsPerPass: 1_000 });
    await sleeper.checkpoints(24, clock, HOUR_MS / 4);
    const log = await Log.open(store, JOB, clock);
    const late: ChainOwner[] = [];
    const slow = new PacedStore(store, async (call) => {
      if (late.length > 0 || !call.startsWith('put main/pin/')) return;
      // The boundary of the later one is below the one that the sleeper is about to put.
      late.push(await ChainOwner.start(store, clock, { ...OPTIONS, keep: 10, recordsPerPass: 4 }));
      await late[0].checkpoints(4, clock, HOUR_MS / 4);
    });
    const warnings: string[] = [];
    const warn = (code: string, message: string): void => void warnings.push(`${code}: ${message}`);
    const keep = { last: 1, hourly: 5 };
    const retention = new Retention({ store: slow, job: JOB, log, keep, clock, recordsPerPass: 1, warn });
    retention.published();
    await retention.idle();
    expect(warnings).toEqual([expect.stringMatching(/^RETENTION_FAILED: .*\/gc\/\d+ was put by a later owner$/)]);
    const { boundary } = await Log.open(store, JOB, clock);
    expect(boundary?.position).toBeLessThan(sleeper.log.last);
    expect(boundary?.kept).toEqual([]);
    expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
  });

  it('of an owner that slept gives up none of the marks that a later one has made meanwhile (C32)', async () => {
    const sleeper = await ChainOwner.start(store, clock, { ...hourly, recordsPerPass: 1_000 });
    await sleeper.checkpoints(24, clock, HOUR_MS / 4);
    const log = await Log.open(store, JOB, clock);
    const late: ChainOwner[] = [];
    const slow = new PacedStore(store, async (call) => {
      if (late.length > 0 || !call.startsWith('list main/pin/')) return;
      late.push(
        await ChainOwner.start(store, clock, { ...OPTIONS, keep: { last: 10, hourly: 12 }, recordsPerPass: 4 }),
      );
      await late[0].checkpoints(4, clock, HOUR_MS / 4);
    });
    const warnings: string[] = [];
    const warn = (code: string, message: string): void => void warnings.push(`${code}: ${message}`);
    const keep = { last: 1, hourly: 2 };
    const retention = new Retention({ store: slow, job: JOB, log, keep, clock, recordsPerPass: 1, warn });
    retention.published();
    await retention.idle();
    expect(warnings).toEqual([expect.stringMatching(/^RETENTION_FAILED: .*\/log\/\d+ was put by a later owner$/)]);
    const { boundary } = await Log.open(store, JOB, clock);
    expect(boundary?.kept?.length).toBeGreaterThan(2);
    for (const position of boundary?.kept ?? []) {
      expect(await store.list(keptName(JOB, position))).toHaveLength(1);
      expect(await store.list(logName(JOB, position))).toHaveLength(1);
    }
  });

  it('counts no mark that no boundary confirms (C32)', async () => {
    const own = await ChainOwner.start(store, clock, hourly);
    await own.checkpoints(16, clock, HOUR_MS / 4);
    const log = await Log.open(store, JOB, clock);
    const [kept] = log.boundary?.kept ?? [];
    const record = await store.get(logName(JOB, kept));
    const mark = await store.get(keptName(JOB, kept));
    await own.checkpoints(40, clock, HOUR_MS / 4);
    // As an owner would that slept since it had looked.
    await store.put(logName(JOB, kept), record);
    await store.put(keptName(JOB, kept), mark);
    await expect(pin(kept)).rejects.toMatchObject({ code: 'PIN_REFUSED' });
    expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
    // It would be kept now, if it counted.
    const next = await ChainOwner.start(store, clock, { ...hourly, keep: { last: 2, hourly: 100 } });
    await next.checkpoints(8, clock, HOUR_MS / 4);
    const names = await store.list('');
    for (const name of [logName(JOB, kept), keptName(JOB, kept), endsName(JOB, kept)])
      expect(names).not.toContain(name);
    expect(names.filter((name) => name.includes('/gc/'))).toHaveLength(1);
    expect(names).not.toContain(boundaryName(JOB, log.boundary?.position ?? 0));
    const options = { fresh: false, from: null, acceptDuplicates: false, command: String, warn: () => undefined };
    await choose(await Log.open(store, JOB, clock), store, JOB, options);
  });
});
