import { keptByTime, parseKeep } from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const taken = (...times: readonly string[]): { position: number; takenAt: string }[] =>
  times.map((takenAt, index) => ({ position: index + 1, takenAt }));

/** `3 hourly daily` */
function kept(times: readonly string[], keep: object): string[] {
  const chosen = [...keptByTime(taken(...times), parseKeep(keep))];
  return chosen.sort(([a], [b]) => a - b).map(([position, rules]) => `${position} ${rules.join(' ')}`);
}

describe('of each hour, day and week stays', () => {
  it('the newest checkpoint', () => {
    const times = ['2026-03-01T10:00:00Z', '2026-03-01T10:59:59.999Z', '2026-03-01T11:00:00Z', '2026-03-01T11:10:00Z'];
    expect(kept(times, { hourly: 2 })).toEqual(['2 hourly', '4 hourly']);
    expect(kept(times, { hourly: 1, daily: 1 })).toEqual(['4 hourly daily']);
    expect(kept(times, {})).toEqual([]);
  });

  it('as many as there were, with nothing lost while none was taken', () => {
    const times = ['2020-01-01T10:00:00Z', '2023-01-01T10:00:00Z', '2026-01-01T10:00:00Z'];
    expect(kept(times, { hourly: 2, daily: 3, weekly: 1 })).toEqual([
      '1 daily',
      '2 hourly daily',
      '3 hourly daily weekly',
    ]);
  });

  it('by weeks that begin on Monday', () => {
    // A Sunday, a Monday, the next Sunday, the next Monday.
    const times = ['2026-03-01T23:59:00Z', '2026-03-02T00:00:00Z', '2026-03-08T23:59:00Z', '2026-03-09T00:00:00Z'];
    expect(kept(times, { weekly: 9 })).toEqual(['1 weekly', '3 weekly', '4 weekly']);
  });

  it('in the time zone that was given', () => {
    const times = ['2026-01-01T22:30:00Z', '2026-01-01T23:30:00Z'];
    expect(kept(times, { daily: 9 })).toEqual(['2 daily']);
    expect(kept(times, { daily: 9, timezone: 'Europe/Berlin' })).toEqual(['1 daily', '2 daily']);
    // Half an hour beside the others.
    expect(
      kept(['2026-01-01T00:20:00Z', '2026-01-01T00:40:00Z'], { hourly: 9, timezone: 'Asia/Kolkata' }),
    ).toHaveLength(2);
  });

  it('twice in the hour that comes twice', () => {
    const times = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'];
    expect(kept(times, { hourly: 9, timezone: 'Europe/Berlin' })).toEqual(['1 hourly', '2 hourly']);
    expect(kept(times, { daily: 9, timezone: 'Europe/Berlin' })).toEqual(['2 daily']);
  });

  it('by the order of the log: a clock that was years ahead drives nothing out', () => {
    const times = ['2026-01-01T10:00:00Z', '2099-01-01T10:00:00Z', '2099-01-01T11:00:00Z', '2026-01-01T12:00:00Z'];
    expect(kept(times, { hourly: 2 })).toEqual(['3 hourly', '4 hourly']);
    expect(kept([...times, '2026-01-01T13:00:00Z'], { hourly: 2 })).toEqual(['4 hourly', '5 hourly']);
  });

  it('so that what stays is what would have stayed of all', () => {
    const minutes = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
    const rules = fc.record({ hourly: fc.nat(4), daily: fc.nat(4), weekly: fc.nat(2) });
    const property = fc.property(minutes, rules, (gaps, rule) => {
      let now = Date.parse('2026-02-27T00:00:00Z');
      const all = taken(...gaps.map((gap) => new Date((now += gap * 60_000)).toISOString()));
      const policy = parseKeep(rule);
      let step: typeof all = [];
      for (const each of all) {
        const chosen = keptByTime([...step, each], policy);
        step = [...step, each].filter(({ position }) => chosen.has(position));
      }
      expect(step.map(({ position }) => position)).toEqual([...keptByTime(all, policy).keys()].sort((a, b) => a - b));
    });
    fc.assert(property);
  });
});

describe('what shall be kept', () => {
  it('is ten when nothing is said, and a number alone is that of the newest', () => {
    expect(parseKeep(undefined)).toEqual({ last: 10, hourly: 0, daily: 0, weekly: 0, timezone: 'UTC' });
    expect(parseKeep(3)).toMatchObject({ last: 3 });
    expect(parseKeep({ weekly: 2 })).toMatchObject({ last: 10, weekly: 2 });
    expect(parseKeep(Number.POSITIVE_INFINITY)).toMatchObject({ last: null });
  });

  it.each([
    [0, 'last is 0'],
    [Number.NaN, 'last is null'],
    [{ last: 2.5 }, 'last is 2.5'],
    [{ hourly: -1 }, 'hourly is -1'],
    [{ daily: Number.POSITIVE_INFINITY }, 'daily is'],
    [{ timezone: 'Mars/Base' }, 'timezone is "Mars/Base"'],
  ])('is refused as %j', (keep, message) => {
    expect(() => parseKeep(keep)).toThrow(
      expect.objectContaining({ code: 'KEEP_INVALID', message: expect.stringContaining(message) }),
    );
  });
});
