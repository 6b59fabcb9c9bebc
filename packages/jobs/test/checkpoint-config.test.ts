import { CheckpointConfig } from '@tidemark/jobs';
import { describe, expect, it } from 'vitest';

const FILE = { storeType: 'file', location: './checkpoints' } as const;

describe('a CheckpointConfig', () => {
  it('takes a schedule as a text or as an object, and copies', () => {
    expect(new CheckpointConfig({ ...FILE, schedule: '1s' })).toMatchObject({ schedule: '1s', copies: [] });
    const schedule = { every: '10s', records: 1_000, minPause: '1s' };
    const copies = [{ location: '/mnt/backup', schedule: '5m', keep: 3 }];
    expect(new CheckpointConfig({ ...FILE, schedule, copies })).toMatchObject({ schedule, copies });
  });

  it.each([
    [{ schedule: 'soon' }, 'schedule "soon": expected an interval like'],
    [{ schedule: '0 0 * * *', timezone: 'Mars/Olympus' }, 'Mars/Olympus'],
    [{ schedule: { every: '1ms' } }, 'an interval of at least 10ms'],
    [{ schedule: { cron: '* * * * *', every: '1s' } }, 'contradict each other'],
    [{ schedule: 5 as never }, 'neither a text nor an object'],
  ])('says where it is written what is wrong with a schedule: %j', (given, why) => {
    expect(() => new CheckpointConfig({ ...FILE, ...given })).toThrow(
      expect.objectContaining({ code: 'SCHEDULE_INVALID', message: expect.stringContaining(why) as string }),
    );
  });

  it.each([
    [{ location: '', schedule: '1s' }, 'needs a location and a schedule'],
    [{ location: './x', schedule: '' }, 'needs a location and a schedule'],
    [{ location: 's3://bucket', schedule: '1s' }, "is not of storeType 'file'"],
  ])('needs a place that fits: %j', (given, why) => {
    expect(() => new CheckpointConfig({ storeType: 'file', ...given })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(why) as string }),
    );
  });
});

const GOOD = { storeType: 'file', location: './cp', schedule: '1s' } as const;

describe('what a job says of its checkpoints', () => {
  it('may be what shall be kept, of the newest and of hours, days and weeks', () => {
    const keep = { last: 3, hourly: 24, weekly: 8, timezone: 'Europe/Berlin' };
    expect(new CheckpointConfig({ ...GOOD, keep }).keep).toEqual(keep);
    expect(new CheckpointConfig({ ...GOOD, keep: 5 }).keep).toBe(5);
    expect(new CheckpointConfig(GOOD).keep).toBeUndefined();
  });

  it.each([
    [{ keep: 0 }, 'KEEP_INVALID'],
    [{ keep: { daily: -1 } }, 'KEEP_INVALID'],
    [{ keep: { timezone: 'Mars/Base' } }, 'KEEP_INVALID'],
    [{ schedule: 'never' }, 'SCHEDULE_INVALID'],
    [{ location: '' }, 'CONFIG_INVALID'],
    [{ location: 's3://bucket' }, 'CONFIG_INVALID'],
  ])('is refused where it is written: %j', (wrong, code) => {
    expect(() => new CheckpointConfig({ ...GOOD, ...wrong })).toThrow(expect.objectContaining({ code }));
  });
});
