import { boundaryName, encodeBoundary, limits, Log, parseSchedule } from '@tidemark/checkpoint/internal';
import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { Bench, TERM } from './support/bench.ts';
import { bodyOf, JOB } from './support/job-log.ts';
import { Late, refused, replyLost, requestLost } from './support/scripted-store.ts';

const SECOND = parseSchedule('1s');
const HOUR_MS = 3_600_000;

describe('the schedule', () => {
  it('begins a cut at each of its instants, one at a time, each with a new number', async () => {
    const bench = await Bench.open({ schedule: SECOND, nextCut: 7 });
    bench.generator.start();
    await bench.clock.pass(999);
    expect(bench.told).toEqual([]);
    await bench.clock.pass(1);
    expect(bench.told).toEqual(['begin 7 after 0']);
    // Two more instants come and go while it is under way.
    await bench.clock.pass(2_500);
    await bench.parts(7);
    await bench.clock.pass(500);
    expect(bench.told).toEqual(['begin 7 after 0', 'release 7 at 2', 'begin 8 after 7']);
  });

  it('of every five minutes begins cuts at second 0 of every fifth minute', async () => {
    const clock = new ManualClock(Date.parse('2026-05-05T12:01:30.250Z'));
    const begun: string[] = [];
    const bench = await Bench.open(
      {
        schedule: parseSchedule('0 */5 * * * *', 'UTC'),
        begin: () => begun.push(new Date(clock.now()).toISOString().slice(11)),
      },
      clock,
    );
    bench.generator.start();
    for (let cut = 1; cut <= 3; cut++) {
      await clock.pass(5 * 60_000, 10_000);
      await bench.parts(cut);
    }
    expect(begun).toEqual(['12:05:00.000Z', '12:10:00.000Z', '12:15:00.000Z']);
  });

  it('that is a month away comes at its instant, and is looked at all the while', async () => {
    const clock = new ManualClock(Date.parse('2026-01-01T00:00:01Z'));
    const delays: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (delayMs, run) => (delays.push(delayMs), after(delayMs, run));
    const begun: number[] = [];
    const bench = await Bench.open(
      { schedule: parseSchedule('0 0 0 1 * *', 'UTC'), begin: () => begun.push(clock.now()) },
      clock,
    );
    bench.generator.start();
    await clock.pass(40 * 24 * HOUR_MS, HOUR_MS * 12);
    expect(begun).toEqual([Date.parse('2026-02-01T00:00:00Z')]);
    expect(Math.max(...delays.filter((delayMs) => delayMs !== limits.CUT_OVERDUE_MS))).toBe(limits.WALL_LOOK_MS);
  });

  it('without any more instants begins nothing', async () => {
    const timetable = { kind: 'cron', delayMs: () => Number.POSITIVE_INFINITY } as const;
    const bench = await Bench.open({ schedule: { ...SECOND, timetable } });
    bench.generator.start();
    await bench.clock.pass(3 * limits.WAIT_MS_MAX, limits.WAIT_MS_MAX / 2);
    expect(bench.told).toEqual([]);
  });

  it('ends with stop and with hold, which waits for the cut under way', async () => {
    const bench = await Bench.open({ schedule: SECOND });
    bench.generator.start();
    await bench.clock.pass(1_000);
    const held: string[] = [];
    void bench.generator.hold().then(() => held.push('one'));
    void bench.generator.hold().then(() => held.push('two'));
    await bench.clock.pass(5_000);
    expect(held).toEqual([]);
    await bench.parts(1);
    expect(held).toEqual(['one', 'two']);
    await bench.clock.pass(5_000);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);

    const other = await Bench.open({ schedule: SECOND });
    other.generator.start();
    other.generator.stop();
    expect(other.clock.timersOpen).toBe(0);
  });
});

describe('a checkpoint that was asked for', () => {
  it('is published when all parts are there, and tells what it took', async () => {
    const bench = await Bench.open();
    const asked = await bench.ask();
    expect(bench.told).toEqual(['begin 1 after 0']);
    const counts = { units: 2, messages: 3, frames: 1, bytes: 100 };
    bench.part(2, 1, { stats: { ...counts, flippedAt: 30.5, pauseMs: 0.25, releases: true } });
    await bench.clock.pass(200);
    bench.part(0, 1, { stats: { ...counts, flippedAt: 28, pauseMs: 1.0004 } });
    expect(asked.published).toBeNull();
    bench.part(1, 1, { stats: { ...counts, flippedAt: 29 } });
    await settled();
    const history = { durationMs: 200, pauseMs: 1, skewMs: 2.5, units: 6, messages: 9, frames: 3, bytes: 300 };
    expect(asked.published).toEqual({ cut: 1, position: 2, releases: true, ...history });
    const record = await bench.record(2);
    expect(record).toMatchObject({
      kind: 'checkpoint',
      term: TERM,
      cut: 1,
      definitions: { counter: 3 },
      releases: true,
      finished: false,
      app: { plan: 1 },
      history,
      failed: [],
    });
    expect(record.parts.map(({ thread }) => thread)).toEqual([0, 1, 2]);
    expect(bench.clock.timersOpen).toBe(0);
  });

  it('holds everything up to the question: a cut that is under way is not it', async () => {
    const bench = await Bench.open();
    const first = await bench.ask();
    const second = await bench.ask();
    const third = await bench.ask();
    await bench.parts(1);
    expect([first, second, third].map(({ published }) => published?.cut)).toEqual([1, undefined, undefined]);
    await bench.parts(2);
    expect([second, third].map(({ published }) => published?.cut)).toEqual([2, 2]);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2', 'begin 2 after 1', 'release 2 at 3']);
  });

  it('is not the one that is being published either', async () => {
    const bench = await Bench.open();
    const put = new Late();
    bench.store.next('putIfAbsent', put.doing);
    await bench.ask();
    await bench.parts(1);
    const asked = await bench.ask();
    await put.happen();
    await settled();
    expect(asked.published).toBeNull();
    await bench.parts(2);
    expect(asked.published).toMatchObject({ cut: 2, position: 3 });
  });

  it('is rejected when its attempt fails; who asked meanwhile gets the next one', async () => {
    const bench = await Bench.open();
    const first = await bench.ask();
    const second = await bench.ask();
    await bench.clock.pass(limits.CUT_OVERDUE_MS, 10_000);
    expect(first.error).toMatchObject({ code: 'CHECKPOINT_OVERDUE' });
    expect(second.error).toBeNull();
    await bench.parts(2);
    expect(second.published).toMatchObject({ cut: 2, position: 2 });
  });
});

describe('C9: nothing is released', () => {
  it('before the record is stored', async () => {
    const bench = await Bench.open();
    const put = new Late();
    bench.store.next('putIfAbsent', put.doing);
    const asked = await bench.ask();
    await bench.parts(1);
    await bench.clock.pass(2 * limits.CUT_OVERDUE_MS, 10_000);
    expect(put.called).toBe(true);
    expect(bench.told).toEqual(['begin 1 after 0']);
    expect(asked).toEqual({ published: null, error: null });
    await put.happen();
    await settled();
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
    expect(asked.published).toMatchObject({ position: 2 });
  });

  it('as long as it is not known whether the record is stored', async () => {
    const bench = await Bench.open();
    bench.store.next('putIfAbsent', requestLost, replyLost);
    bench.store.next('get', refused('retry'), refused('retry'), refused('retry'));
    await bench.ask();
    await bench.parts(1);
    await bench.clock.pass(500);
    expect(bench.told).toEqual(['begin 1 after 0']);
    await bench.clock.pass(5_000);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
    expect(bench.failures).toEqual([]);
  });

  it('C19: before the store has said that no later owner is there', async () => {
    const bench = await Bench.open();
    const listing = new Late();
    bench.store.next('list', refused('retry'), refused('lost'), listing.doing);
    await bench.ask();
    await bench.parts(1);
    await bench.clock.pass(1_000);
    expect(await bench.positions()).toEqual([1, 2]);
    expect(listing.called).toBe(true);
    expect(bench.told).toEqual(['begin 1 after 0']);
    await listing.happen();
    await settled();
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
  });

  it('C19: and the system ends when the store does not say so within a minute', async () => {
    const bench = await Bench.open();
    bench.store.always('list', refused('retry'));
    const asked = await bench.ask();
    await bench.parts(1);
    await bench.clock.pass(limits.SETTLE_MS - 1_000, 500);
    expect(bench.ended).toBeNull();
    await bench.clock.pass(2_000, 500);
    expect(bench.ended).toMatchObject({ code: 'LOG_UNSETTLED', cause: { kind: 'retry' } });
    expect(asked.error).toBe(bench.ended);
    expect(bench.told).toEqual(['begin 1 after 0', 'end']);
  });

  it('C19: by an owner that finds a boundary above its record: it is fenced', async () => {
    const bench = await Bench.open();
    await bench.memory.put(boundaryName(JOB, 90), encodeBoundary({ position: 90, hash: '', term: 9, cut: 9 }));
    await bench.ask();
    await bench.parts(1);
    expect(bench.ended).toMatchObject({ code: 'FENCED' });
    expect(bench.told).toEqual(['begin 1 after 0', 'end']);
  });
});

describe('a store that fails', () => {
  it('and surely did nothing costs an attempt, which is told and stands in the next record', async () => {
    const bench = await Bench.open({ schedule: SECOND });
    bench.generator.start();
    bench.store.next('putIfAbsent', refused('retry'), refused('denied'));
    await bench.clock.pass(1_000);
    const asked = await bench.ask();
    await bench.parts(1);
    await bench.parts(2);
    expect(asked.error).toMatchObject({ name: 'StoreError', kind: 'denied' });
    await bench.clock.pass(1_000);
    await bench.parts(3);
    await bench.clock.pass(1_000);
    await bench.parts(4);
    expect(bench.told).toEqual([
      'begin 1 after 0',
      'abandon 1',
      'begin 2 after 0',
      'abandon 2',
      'begin 3 after 0',
      'release 3 at 2',
      'begin 4 after 3',
      'release 4 at 3',
    ]);
    expect(bench.failures).toMatchObject([
      { cut: 1, code: 'STORE_BUSY' },
      { cut: 2, code: 'STORE_DENIED' },
    ]);
    expect((await bench.record(2)).failed).toMatchObject(bench.failures.map(({ cut, code }) => ({ cut, code })));
    expect((await bench.record(3)).failed).toEqual([]);
  });

  it('for good ends the system, and so does a record of which nobody can say whether it is there', async () => {
    for (const [doing, told] of [
      [refused('fatal'), { kind: 'fatal' }],
      [replyLost, { code: 'LOG_UNSETTLED' }],
    ] as const) {
      const bench = await Bench.open({ schedule: SECOND });
      bench.generator.start();
      await bench.clock.pass(1_000);
      bench.store.next('putIfAbsent', doing);
      bench.store.next('get', refused('fatal'));
      const asked = await bench.ask();
      await bench.parts(1);
      expect(bench.ended).toMatchObject(told);
      expect(asked.error).toBe(bench.ended);
      expect(bench.told).toEqual(['begin 1 after 0', 'end']);
      expect(bench.clock.timersOpen).toBe(0);
    }
  });
});

describe('the end', () => {
  it('comes when another owner has put its record: nothing is released, nothing begun any more', async () => {
    const bench = await Bench.open({ schedule: SECOND });
    bench.generator.start();
    await bench.clock.pass(1_000);
    const rival = await Log.open(bench.memory, JOB, bench.clock);
    await rival.put(bodyOf(), TERM + 1);
    const asked = await bench.ask();
    await bench.parts(1);
    expect(bench.ended).toMatchObject({ code: 'FENCED' });
    expect(asked.error).toBe(bench.ended);
    await bench.clock.pass(5_000);
    expect((await bench.ask()).error).toBe(bench.ended);
    expect(bench.told).toEqual(['begin 1 after 0', 'end']);
    expect(bench.clock.timersOpen).toBe(0);
  });

  it('with a worker is told to all who wait, with its reason, whatever the store says later', async () => {
    const bench = await Bench.open({ schedule: SECOND });
    bench.generator.start();
    const put = new Late();
    bench.store.next('putIfAbsent', put.doing);
    const first = await bench.ask();
    await bench.parts(1);
    const second = await bench.ask();
    const reason = new Error('worker 2 is gone');
    bench.generator.workerLost(reason);
    bench.generator.workerLost(new Error('worker 1 is gone, too'));
    put.fail(new Error('no such store'));
    await settled();
    const third = await bench.ask();
    expect([first, second, third].map(({ error }) => error)).toEqual([reason, reason, reason]);
    expect(bench.ended).toBe(reason);
    expect(bench.told).toEqual(['begin 1 after 0', 'end']);
    expect(bench.clock.timersOpen).toBe(0);
  });

  it('stops asking the store whether a later owner is there', async () => {
    const bench = await Bench.open();
    bench.store.always('list', refused('retry'));
    await bench.ask();
    await bench.parts(1);
    bench.generator.workerLost(new Error('worker 2 is gone'));
    await bench.clock.pass(1_000);
    expect(bench.clock.timersOpen).toBe(0);
  });

  it.each(['begin', 'release', 'abandon', 'app'] as const)('comes when %s throws', async (what) => {
    const reason = new Error(`${what} went wrong`);
    const bench = await Bench.open({
      [what]: () => {
        throw reason;
      },
    });
    const asked = await bench.ask();
    if (what === 'abandon') await bench.clock.pass(limits.CUT_OVERDUE_MS, 10_000);
    else await bench.parts(1);
    expect(bench.ended).toBe(reason);
    expect(asked.error).toBe(reason);
    expect(bench.released).toEqual([]);
  });
});

describe('a record that is long on its way', () => {
  it('is told once, as no time limit ends it, and what comes then is as ever', async () => {
    const told: string[] = [];
    const bench = await Bench.open({ warn: (code, message) => told.push(`${code}: ${message}`) });
    const put = new Late();
    bench.store.next('putIfAbsent', put.doing);
    await bench.ask();
    await bench.parts(1);
    await bench.clock.pass(limits.PUBLISH_LATE_MS - 1);
    expect(told).toEqual([]);
    await bench.clock.pass(30_000);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^CHECKPOINT_WAITS: record 2 of cut 1 is on its way to memory:.* for 10 s, and the store does not say/,
    );
    await put.happen();
    await settled();
    expect(bench.told.at(-1)).toBe('release 1 at 2');
    // The next one is not late.
    await bench.ask();
    await bench.parts(2);
    await bench.clock.pass(60_000);
    expect(told).toHaveLength(1);
  });
});
