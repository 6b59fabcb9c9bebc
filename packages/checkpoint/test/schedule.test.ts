import { mergedSchedule, parseSchedule } from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const FIVE_MINUTES_MS = 300_000;

/** Milliseconds from an instant to the next one. */
function delayOf(text: string, timezone?: string): (nowMs: number) => number {
  const { timetable } = parseSchedule(text, timezone);
  if (timetable?.kind === 'cron') return timetable.delayMs;
  return () => timetable?.ms ?? Number.NaN;
}

/** The next instants of a schedule, each looked for at the one before. */
function instants(text: string, timezone: string, from: string, count: number): string[] {
  const schedule = delayOf(text, timezone);
  let now = Date.parse(from);
  return Array.from({ length: count }, () => new Date((now += schedule(now))).toISOString().slice(0, 19));
}

describe('an interval', () => {
  it.each([
    ['10ms', 10],
    ['250ms', 250],
    ['1s', 1_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    [' 1 h ', 3_600_000],
  ])('%s is as long at any time', (text, ms) => {
    const schedule = delayOf(text, 'Europe/Berlin');
    for (const now of [0, Date.parse('2026-03-29T00:59:59.999Z')]) expect(schedule(now)).toBe(ms);
  });

  it.each(['0ms', '9ms', '9.9ms', '0s'])('%s is too short', (text) => {
    expect(() => parseSchedule(text)).toThrow(
      expect.objectContaining({
        code: 'SCHEDULE_INVALID',
        message: `schedule "${text}": expected an interval like 250ms, 1s, 5m, or a cron expression like '0 */5 * * * *' (an interval of at least 10ms)`,
      }),
    );
  });
});

describe('a cron expression', () => {
  it('of six fields begins with the second, of five with the minute', () => {
    expect(instants('30 */20 * * * *', 'UTC', '2026-01-01T10:00:00Z', 4)).toEqual([
      '2026-01-01T10:00:30',
      '2026-01-01T10:20:30',
      '2026-01-01T10:40:30',
      '2026-01-01T11:00:30',
    ]);
    expect(instants('59 23 * * 5', 'UTC', '2026-01-01T10:00:00Z', 2)).toEqual([
      '2026-01-02T23:59:00',
      '2026-01-09T23:59:00',
    ]);
  });

  it('of every five minutes comes at second 0 of every fifth minute, whenever it is looked for, in any time zone', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'];
    const schedules = zones.map((zone) => delayOf('0 */5 * * * *', zone));
    const year = fc.integer({ min: Date.parse('2026-01-01T00:00:00Z'), max: Date.parse('2027-01-01T00:00:00Z') });
    fc.assert(
      fc.property(fc.constantFrom(...schedules), year, (schedule, now) => {
        const delay = schedule(now);
        expect((now + delay) % FIVE_MINUTES_MS).toBe(0);
        expect(delay).toBeGreaterThan(0);
        // An instant that is as good as here is not waited for: see below.
        expect(delay).toBeLessThanOrEqual(FIVE_MINUTES_MS + 20);
      }),
      { numRuns: 500 },
    );
  });

  it('does not come twice when its timer is early', () => {
    const schedule = delayOf('0 */5 * * * *', 'UTC');
    const instant = Date.parse('2026-01-01T10:05:00Z');
    for (const earlyMs of [0, 0.4, 1, 19])
      expect(schedule(instant - earlyMs)).toBeCloseTo(FIVE_MINUTES_MS + earlyMs, 2);
    expect(schedule(instant - 21)).toBe(21);
  });

  it('is meant in the time zone that is given', () => {
    expect(instants('0 0 12 * * *', 'Europe/Berlin', '2026-06-30T23:00:00Z', 1)).toEqual(['2026-07-01T10:00:00']);
    expect(instants('0 0 12 * * *', 'Europe/Berlin', '2026-12-31T23:00:00Z', 1)).toEqual(['2027-01-01T11:00:00']);
    expect(instants('0 0 12 * * *', 'Asia/Kathmandu', '2026-07-01T00:00:00Z', 1)).toEqual(['2026-07-01T06:15:00']);
  });

  it('comes once on the day on which the hour of it is left out, and once on the day that has it twice', () => {
    expect(instants('0 30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00',
      '2026-03-30T00:30:00',
    ]);
    expect(instants('0 30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00',
      '2026-10-26T01:30:00',
    ]);
  });

  it('of every half hour comes every half hour on such days, too', () => {
    for (const from of ['2026-03-28T23:00:00Z', '2026-10-24T23:00:00Z']) {
      const all = instants('0 */30 * * * *', 'Europe/Berlin', from, 10).map((text) => Date.parse(`${text}Z`));
      expect(all).toEqual(all.map((_, i) => Date.parse(from) + (i + 1) * 1_800_000));
    }
  });

  it('takes its year as it is: 29 February', () => {
    expect(instants('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual([
      '2028-02-29T00:00:00',
      '2032-02-29T00:00:00',
    ]);
  });
});

describe('SCHEDULE_INVALID', () => {
  it.each([
    ['', 'exactly five, six'],
    ['soon', 'exactly five, six'],
    ['1d', 'exactly five, six'],
    ['-1s', 'exactly five, six'],
    ['5', 'exactly five, six'],
    ['* * * *', 'exactly five, six'],
    ['0 0 0 1 1 * 2020', 'requires exactly 5 or 6 parts'],
    ['60 * * * *', 'Invalid value for minute: 60'],
    ['*/0 * * * *', 'illegal stepping'],
    ['0 0 30 2 *', '(it never comes)'],
    ['2020-01-01T00:00:00', '(a date is no schedule)'],
    ['2099-01-01 12:00', '(a date is no schedule)'],
  ])('%j says what was expected, and what is wrong', (text, why) => {
    const error = thrownBy(() => parseSchedule(text));
    expect(error).toMatchObject({ code: 'SCHEDULE_INVALID' });
    expect(error.message).toContain(`schedule ${JSON.stringify(text)}: expected an interval like 250ms, 1s, 5m, or a`);
    expect(error.message).toContain(why);
  });

  it('names a time zone that there is not', () => {
    const error = thrownBy(() => parseSchedule('0 0 12 * * *', 'Mars/Olympus'));
    expect(error).toMatchObject({ code: 'SCHEDULE_INVALID' });
    expect(error.message).toContain("Invalid timezone 'Mars/Olympus'");
  });
});

describe('a schedule as an object', () => {
  const all = Number.POSITIVE_INFINITY;
  const nothing = { records: all, bytes: all, minPauseMs: 0, timeLimitMs: 60_000, toleratedFailures: all };

  it('is the same as a text where it says no more', () => {
    expect(parseSchedule('10s')).toEqual({ ...nothing, timetable: { kind: 'every', ms: 10_000 } });
    expect(parseSchedule({ every: '10s' })).toEqual(parseSchedule('10s'));
    expect(parseSchedule({})).toEqual(parseSchedule('1s'));
    expect(parseSchedule({ cron: '0 0 12 * * *', timezone: 'Asia/Kathmandu' }).timetable).toMatchObject({
      kind: 'cron',
    });
  });

  it('says how much, how long and how often', () => {
    const read = parseSchedule({
      records: 1_000,
      bytes: '1.5MB',
      minPause: '0s',
      timeLimit: '2m',
      toleratedFailures: 0,
    });
    expect(read).toEqual({
      timetable: null,
      records: 1_000,
      bytes: 1_500_000,
      minPauseMs: 0,
      timeLimitMs: 120_000,
      toleratedFailures: 0,
    });
    expect(parseSchedule({ minPause: '1s' }).timetable).toEqual({ kind: 'every', ms: 1_000 });
  });

  it.each([
    [1, 1],
    ['64MB', 64_000_000],
    ['1 GiB', 1_073_741_824],
    ['100b', 100],
    ['2kB', 2_000],
  ])('takes %j for a size', (bytes, expected) => {
    expect(parseSchedule({ bytes }).bytes).toBe(expected);
  });

  it.each([
    [{ every: '5ms' }, 'at least 10ms'],
    [{ every: 'soon' }, `every "soon": expected a time like`],
    [{ every: '1s', cron: '* * * * *' }, 'contradict each other'],
    [{ cron: '60 * * * *' }, 'Invalid value for minute'],
    [{ cron: '0 0 * * *', timezone: 'Mars/Olympus' }, 'Mars/Olympus'],
    [{ records: 0 }, 'records 0: expected a whole number from 1'],
    [{ records: 1.5 }, 'records 1.5'],
    [{ records: '10' }, 'records "10"'],
    [{ bytes: '64' }, 'bytes "64": expected a size like 64MB'],
    [{ bytes: -1 }, 'bytes -1'],
    [{ minPause: 500 }, 'minPause 500: expected a time like 250ms'],
    [{ timeLimit: '0s' }, 'timeLimit "0s"'],
    [{ toleratedFailures: -1 }, 'toleratedFailures -1: expected a whole number from 0'],
    [{ minpause: '1s' }, "no option is named 'minpause'"],
    [['1s'], 'neither a text nor an object'],
    [null, 'neither a text nor an object'],
    [7, 'neither a text nor an object'],
  ])('%j is wrong, and says what', (option, why) => {
    const error = thrownBy(() => parseSchedule(option as never));
    expect(error).toMatchObject({ code: 'SCHEDULE_INVALID' });
    expect(error.message).toContain(why);
  });
});

describe('a schedule over another', () => {
  it('says anew when checkpoints are taken, as a whole', () => {
    const base = { every: '1s', bytes: '1MB', minPause: '100ms', timeLimit: '5s' };
    const kept = { minPause: '100ms', timeLimit: '5s' };
    expect(mergedSchedule(base, '10s')).toEqual({ ...kept, every: '10s' });
    expect(mergedSchedule(base, '0 0 * * *')).toEqual({ ...kept, cron: '0 0 * * *' });
    expect(mergedSchedule(base, { records: 10 })).toEqual({ ...kept, records: 10 });
    expect(mergedSchedule('1s', { every: '2s', records: 10 })).toEqual({ every: '2s', records: 10 });
  });

  it('that does not say when leaves that as it is', () => {
    const cron = '0 0 12 * * *';
    expect(mergedSchedule(cron, { timeLimit: '9s' }, 'Asia/Kathmandu')).toEqual({
      cron,
      timezone: 'Asia/Kathmandu',
      timeLimit: '9s',
    });
    expect(mergedSchedule('1s', {})).toEqual({ every: '1s' });
    expect(mergedSchedule({ timezone: 'UTC', cron }, '0 0 1 * *', 'Asia/Kathmandu')).toEqual({ cron: '0 0 1 * *' });
  });
});

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
