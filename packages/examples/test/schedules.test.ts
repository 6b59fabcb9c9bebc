import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { outputRecords, tidemark } from './support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('schedules');
let numbers: Numbers;

beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), 20_000, 100);
});

/** The arguments of a run that has a store and an output of its own. */
function args(name: string, file = 'keep.mjs'): string[] {
  const own = ['--store', place.at(name, 'store'), '--output', place.at(name, 'out')];
  return [fixture(file), '--input', numbers.path, ...own, '--json'];
}

describe('a schedule', () => {
  it('of every so many rows takes checkpoints by them, and no interval beside it', async () => {
    const run = place.start([...args('rows'), '--every-records', '500', '--rate', '10000']);
    await run.event('checkpoint', 4);
    run.process.kill('SIGTERM');
    expect((await endOf(run)).status).toBe(143);
    const next = await place.run([...args('rows'), '--every-records', '1_000_000_000']);
    expect(next.status).toBe(0);
    // Those of the end of the job, and no other.
    expect(next.events.filter(({ event }) => event === 'checkpoint')).toHaveLength(2);
    expect(await outputRecords(place.at('rows', 'out'))).toEqual(numbers.plusOne);
  });

  it('of every so many bytes does as well', async () => {
    const run = place.start([...args('bytes'), '--every-bytes', '20kB', '--rate', '10000']);
    await run.event('checkpoint', 4);
    run.process.kill('SIGTERM');
    await run.ended;
  });

  it('that never comes still has the checkpoint before a stop', async () => {
    const run = place.start([...args('stop'), '--schedule', '24h', '--rate', '10000']);
    await run.event('first-record');
    run.process.kill('SIGTERM');
    const ended = await endOf(run);
    expect(ended.status).toBe(143);
    expect(run.count('checkpoint')).toBe(1);
    const next = await place.run([...args('stop'), '--schedule', '24h']);
    expect(next.last('restored')).toMatchObject({ rows: ended.last('stopped')?.['rows'] });
    expect(next.status).toBe(0);
    expect(await outputRecords(place.at('stop', 'out'))).toEqual(numbers.plusOne);
  });

  it.each([
    [['--every-bytes', 'many'], 'SCHEDULE_INVALID: schedule: bytes "many": expected a size like 64MB'],
    [['--schedule', 'soon', '--every-records', '5'], 'SCHEDULE_INVALID: schedule: every "soon": expected a time like'],
    [['--min-pause', '3'], 'SCHEDULE_INVALID: schedule: minPause "3": expected a time like'],
    [['--time-limit', '0s'], 'SCHEDULE_INVALID: schedule: timeLimit "0s": expected a time like'],
    [['--every-records', '0'], '--every-records 0: expected the number of rows and messages'],
    [['--tolerated-failures', 'some'], '--tolerated-failures some: expected the number of failed checkpoints'],
  ])('that is wrong (%j) ends it before anything is touched', async (wrong, why) => {
    const ended = await place.run([...args('wrong'), ...wrong]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(why);
    expect(existsSync(place.at('wrong'))).toBe(false);
  });
});

describe('checkpoints that fail', () => {
  it('in a row more often than is tolerated end the job for good, with a status of their own', async () => {
    const limits = ['--schedule', '100ms', '--time-limit', '300ms', '--tolerated-failures', '1'];
    const ended = await place.run([...args('hangs', 'hangs.mjs'), ...limits, '--workers', '2']);
    expect(ended.status).toBe(8);
    expect(ended.stderr).toMatch(/^tidemark: CHECKPOINTS_FAILING: 2 attempts at a checkpoint in a row have failed/m);
    expect(ended.stderr).toContain('CHECKPOINT_OVERDUE: cut');
    const failed = ended.events.filter(({ event }) => event === 'checkpoint-failed');
    expect(failed).toHaveLength(2);
    expect(failed[0]).toMatchObject({ code: 'CHECKPOINT_OVERDUE' });
  });
});

describe('the history of checkpoints', () => {
  it('has the attempts that failed, with their reason and what to do, after any restart', async () => {
    const cwd = place.at('history');
    await mkdir(cwd);
    const limits = ['--schedule', '50ms', '--time-limit', '200ms', '--rate', '20000', '--workers', '2'];
    const run = place.start([...args('history', 'halts-once.mjs'), ...limits], { cwd });
    await run.event('checkpoint-failed', 5);
    const next = run.count('checkpoint') + 2;
    await writeFile(place.at('history', 'go'), '');
    await run.event('checkpoint', next);
    run.kill9('group');
    await run.ended;
    expect((await place.run([...args('history', 'halts-once.mjs'), ...limits], { cwd })).status).toBe(0);

    const store = ['--store', place.at('history', 'store')];
    const listed = await tidemark(['checkpoints', ...store]);
    expect(listed.stderr).toBe('');
    expect(listed.status).toBe(0);
    const failed =
      /^×  cut \d+ failed after \d+ ms: CHECKPOINT_OVERDUE, worker [12] had not entered the cut\. Look for a long turn/m;
    expect(listed.stdout).toMatch(failed);
    const position = /^×  and \d+ attempts? before: tidemark show (\d+)$/m.exec(listed.stdout)?.[1] ?? '';
    const shown = await tidemark(['show', position, ...store]);
    expect(shown.status).toBe(0);
    expect(shown.stdout).toMatch(/^last +(host|worker [12]): [\d.]+ ms until /m);
    expect(shown.stdout).toMatch(/^published +in [\d.]+ ms$/m);
    expect(shown.stdout).toContain('Failed before it');
    expect(shown.stdout).toMatch(/^worker 2 +[\d.]+ ms +[\d.]+ ms/m);
    const { history, failed: all } = JSON.parse((await tidemark(['show', position, ...store, '--json'])).stdout) as {
      history: { threads: object[]; publishMs: number };
      failed: object[];
    };
    expect(all.length).toBeGreaterThanOrEqual(5);
    expect(all[0]).toMatchObject({
      code: 'CHECKPOINT_OVERDUE',
      remedy: expect.stringContaining('--time-limit') as string,
    });
    expect(history.threads).toHaveLength(3);
    expect(history.publishMs).toBeGreaterThan(0);
  });
});
