import { Alarm, limits, parseSchedule, type ScheduleOption, type WorkDone } from '@tidemark/checkpoint/internal';
import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { Bench } from './support/bench.ts';

const HOUR_MS = 3_600_000;

/** When an alarm rings, by the wall clock. */
function ringing(text: string, timezone: string, from: string): { clock: ManualClock; alarm: Alarm; rung: string[] } {
  const clock = new ManualClock(Date.parse(from));
  const { timetable } = parseSchedule(text, timezone);
  const rung: string[] = [];
  const alarm = new Alarm(timetable!, clock, () => rung.push(new Date(clock.now()).toISOString().slice(0, 19)));
  alarm.start();
  return { clock, alarm, rung };
}

describe('a cron schedule over time', () => {
  it('rings once for all that was slept through, soon after waking, and then as ever', () => {
    const { clock, rung } = ringing('0 */5 * * * *', 'UTC', '2026-01-01T00:01:00Z');
    clock.advance(10 * 60_000);
    expect(rung).toEqual(['2026-01-01T00:05:00', '2026-01-01T00:10:00']);
    clock.setWall(8 * HOUR_MS);
    rung.length = 0;
    clock.advance(limits.WALL_LOOK_MS);
    expect(rung).toHaveLength(1);
    clock.advance(10 * 60_000);
    expect(rung.slice(1)).toEqual(['2026-01-01T08:15:00', '2026-01-01T08:20:00']);
  });

  it('does not wait for a clock that was set back', () => {
    const { clock, rung } = ringing('0 */5 * * * *', 'UTC', '2026-01-01T05:01:00Z');
    clock.setWall(-3 * HOUR_MS);
    clock.advance(10 * 60_000);
    expect(rung).toEqual(['2026-01-01T02:05:00', '2026-01-01T02:10:00']);
  });

  it('rings once on the day without that hour and once on the day that has it twice', () => {
    const spring = ringing('0 30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z');
    spring.clock.advance(48 * HOUR_MS);
    expect(spring.rung).toEqual(['2026-03-29T01:00:00', '2026-03-30T00:30:00']);
    const autumn = ringing('0 30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z');
    autumn.clock.advance(48 * HOUR_MS);
    expect(autumn.rung).toEqual(['2026-10-25T00:30:00', '2026-10-26T01:30:00']);
  });

  it('is silent once it was stopped', () => {
    const { clock, alarm, rung } = ringing('0 */5 * * * *', 'UTC', '2026-01-01T00:01:00Z');
    alarm.stop();
    clock.advance(HOUR_MS);
    expect(rung).toEqual([]);
    expect(clock.timersOpen).toBe(0);
  });
});

describe('an interval over time', () => {
  it('goes by the time that passes, whatever the wall clock says, and fits into timers of Node', () => {
    const { clock, rung } = ringing('800h', 'UTC', '2026-01-01T00:00:00Z');
    clock.setWall(100 * HOUR_MS);
    clock.advance(799 * HOUR_MS);
    expect(rung).toEqual([]);
    clock.advance(HOUR_MS);
    expect(rung).toHaveLength(1);
  });
});

/** A generator that is paced, with the work that the test says was done. */
async function paced(option: ScheduleOption): Promise<{ bench: Bench; work: { records: number; bytes: number } }> {
  const work = { records: 0, bytes: 0 };
  const bench = await Bench.open({ schedule: parseSchedule(option), work: (): WorkDone => ({ ...work }) });
  bench.generator.start();
  return { bench, work };
}

describe('a schedule by what was done', () => {
  it('begins a cut after so many records since the last one began, and none before', async () => {
    const { bench, work } = await paced({ records: 100 });
    work.records = 99;
    await bench.clock.pass(10_000, 1_000);
    expect(bench.told).toEqual([]);
    work.records = 100;
    await bench.clock.pass(limits.WORK_LOOK_MS);
    expect(bench.told).toEqual(['begin 1 after 0']);
    // What is done while it is under way counts for the next one.
    work.records = 199;
    await bench.parts(1);
    await bench.clock.pass(10_000, 1_000);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
    work.records = 200;
    await bench.clock.pass(limits.WORK_LOOK_MS);
    expect(bench.told.at(-1)).toBe('begin 2 after 1');
  });

  it('begins one after so many bytes, and beside an interval whichever comes first', async () => {
    const { bench, work } = await paced({ every: '10s', bytes: '1kB', records: 5 });
    work.bytes = 1_000;
    await bench.clock.pass(100);
    await bench.parts(1);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
    await bench.clock.pass(9_900);
    expect(bench.told.at(-1)).toBe('begin 2 after 1');
  });

  it('counts from a cut that was asked for, too', async () => {
    const { bench, work } = await paced({ records: 100 });
    work.records = 90;
    await bench.ask();
    await bench.parts(1);
    work.records = 110;
    await bench.clock.pass(1_000);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
  });

  it('counts anew after a rollback, as the threads do', async () => {
    const { bench, work } = await paced({ records: 100 });
    work.records = 90;
    bench.generator.halt(new Error('a thread died'));
    work.records = 0;
    bench.generator.resume();
    work.records = 99;
    await bench.clock.pass(1_000);
    expect(bench.told).toEqual(['settled']);
    work.records = 100;
    await bench.clock.pass(limits.WORK_LOOK_MS);
    expect(bench.told).toEqual(['settled', 'begin 1 after 0']);
  });

  it('ends with stop', async () => {
    const { bench, work } = await paced({ records: 1, minPause: '1s' });
    bench.generator.stop();
    work.records = 10;
    await bench.clock.pass(1_000);
    expect(bench.told).toEqual([]);
    expect(bench.clock.timersOpen).toBe(0);
  });
});

describe('the minimum pause', () => {
  it('lets a cut that is due wait until it is over, from the end of the one before', async () => {
    const { bench } = await paced({ every: '1s', minPause: '700ms' });
    await bench.clock.pass(1_000);
    expect(bench.told).toEqual(['begin 1 after 0']);
    await bench.clock.pass(1_500);
    await bench.parts(1);
    await bench.clock.pass(650);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
    await bench.clock.pass(50);
    expect(bench.told.at(-1)).toBe('begin 2 after 1');
  });

  it('holds after a failed attempt as well, and for what was done', async () => {
    const { bench, work } = await paced({ records: 10, minPause: '5s', timeLimit: '1s' });
    work.records = 10;
    await bench.clock.pass(limits.WORK_LOOK_MS);
    await bench.clock.pass(1_000);
    expect(bench.told).toEqual(['begin 1 after 0', 'abandon 1']);
    work.records = 1_000;
    await bench.clock.pass(4_900);
    expect(bench.told).toEqual(['begin 1 after 0', 'abandon 1']);
    await bench.clock.pass(200);
    expect(bench.told.at(-1)).toBe('begin 2 after 0');
  });

  it('is not for those who ask', async () => {
    const { bench } = await paced({ every: '1h', minPause: '30m' });
    await bench.ask();
    await bench.parts(1);
    await bench.ask();
    expect(bench.told.at(-1)).toBe('begin 2 after 1');
  });
});

describe('the time limit', () => {
  it('gives up an attempt that is not complete by then, and says so', async () => {
    const { bench } = await paced({ every: '1h', timeLimit: '2s' });
    const asked = await bench.ask();
    await bench.clock.pass(1_950);
    expect(bench.failures).toEqual([]);
    await bench.clock.pass(50);
    expect(bench.failures).toEqual([
      { cut: 1, code: 'CHECKPOINT_OVERDUE', message: expect.stringContaining('2000 ms') as string },
    ]);
    expect(asked.error).toMatchObject({ code: 'CHECKPOINT_OVERDUE' });
  });
});

describe('failures in a row', () => {
  it('do not count what a rollback has ended', async () => {
    const { bench } = await paced({ every: '1h', toleratedFailures: 0 });
    for (let round = 0; round < 3; round++) {
      const asked = await bench.ask();
      bench.generator.halt(new Error('a thread died'));
      bench.generator.resume();
      await settled();
      expect(asked.error).toMatchObject({ message: 'a thread died' });
    }
    expect(bench.ended).toBeNull();
  });

  it('are tolerated as often as the schedule says; one more ends the system and names the last one', async () => {
    const { bench } = await paced({ every: '10s', timeLimit: '1s', toleratedFailures: 2 });
    await bench.clock.pass(21_500, 500);
    expect(bench.failures.map(({ cut }) => cut)).toEqual([1, 2]);
    expect(bench.ended).toBeNull();
    await bench.clock.pass(10_000, 500);
    expect(bench.ended).toMatchObject({ code: 'CHECKPOINTS_FAILING', cause: { code: 'CHECKPOINT_OVERDUE' } });
    expect(bench.ended?.message).toContain('3 attempts at a checkpoint in a row have failed');
    expect(bench.ended?.message).toContain('CHECKPOINT_OVERDUE: cut 3 was not complete within 1000 ms');
    expect(bench.clock.timersOpen).toBe(0);
  });

  it('count anew after a checkpoint that was published', async () => {
    const { bench } = await paced({ every: '10s', timeLimit: '1s', toleratedFailures: 1 });
    for (let cut = 1; cut <= 5; cut += 2) {
      await bench.clock.pass(10_000, 500);
      await bench.clock.pass(9_000, 500);
      await bench.clock.pass(1_000, 500);
      await bench.parts(cut + 1);
    }
    expect(bench.failures.map(({ cut }) => cut)).toEqual([1, 3, 5]);
    expect(bench.ended).toBeNull();
  });

  it('that are not tolerated at all end it at the first, and whoever waits for the next one hears of it', async () => {
    const { bench } = await paced({ every: '1h', timeLimit: '1s', toleratedFailures: 0 });
    const first = await bench.ask();
    const second = await bench.ask();
    await bench.clock.pass(1_000);
    await settled();
    expect(first.error).toMatchObject({ code: 'CHECKPOINT_OVERDUE' });
    expect(second.error).toMatchObject({ code: 'CHECKPOINTS_FAILING' });
    expect(bench.ended).toMatchObject({ code: 'CHECKPOINTS_FAILING' });
  });
});
