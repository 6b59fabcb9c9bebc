import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { outputRecords, sleep, tidemark } from './support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('already-running');
const keep = fixture('keep.mjs');
const VALUES = 20_000;

let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), VALUES, 500);
});

function args(name: string): readonly string[] {
  return [
    keep,
    '--input',
    numbers.path,
    '--store',
    place.at(name, 'store'),
    '--output',
    place.at(name, 'out'),
    '--schedule',
    '100ms',
    '--json',
  ];
}

async function expectExact(name: string): Promise<void> {
  const ended = await place.run(args(name));
  expect(ended.status).toBe(0);
  expect(ended.last('finished')).toMatchObject({ rows: VALUES });
  expect(await outputRecords(place.at(name, 'out'))).toEqual(numbers.plusOne);
}

describe('a second copy of a running job', () => {
  it('ends at once with 6, naming who runs, and does not disturb it', async () => {
    // It still runs when the second one looks, however late that comes.
    const first = place.start([...args('twice'), '--rate', '4000']);
    const started = await first.event('started');
    await first.event('checkpoint');
    const second = await place.run(args('twice'));
    expect(first.count('finished')).toBe(0);
    expect(second.status).toBe(6);
    expect(second.events).toEqual([]);
    const said = /^tidemark: ALREADY_RUNNING: .*: host (\S+), pid (\d+), since (\S+) \(term 1, /.exec(second.stderr)!;
    expect(said.slice(1, 3)).toEqual([hostname(), String(started['pid'])]);
    expect(Math.abs(new Date(said[3]).getTime() - new Date(String(started['time'])).getTime())).toBeLessThan(5_000);
    expect((await endOf(first)).status).toBe(0);
    expect(first.last('started')).toEqual(started);
    expect(await outputRecords(place.at('twice', 'out'))).toEqual(numbers.plusOne);
  });

  it('that starts at the same moment: one of them runs', async () => {
    const both = [1, 2, 3].map(() => place.start([...args('race'), '--rate', '20000']));
    const ended = await Promise.all(both.map(endOf));
    expect(ended.map(({ status }) => status).sort()).toEqual([0, 6, 6]);
    // One that took over and lost the job again before it did anything was fenced.
    for (const { status, stderr } of ended)
      if (status === 6) expect(stderr).toMatch(/^tidemark: (ALREADY_RUNNING|FENCED): /);
    expect(await outputRecords(place.at('race', 'out'))).toEqual(numbers.plusOne);
  });

  it('that starts when only the supervisor was killed waits for its runtime, and goes on', async () => {
    for (let kill = 0; kill < 3; kill++) {
      const first = place.start([...args('orphan'), '--rate', '4000']);
      const { pid } = await first.event('started');
      await first.event('checkpoint', 3);
      first.kill9('supervisor');
      const second = place.start([...args('orphan'), '--rate', '4000']);
      const killedAt = performance.now();
      const started = await second.event('started');
      // Long before it would have lost patience with the one that was killed.
      expect(performance.now() - killedAt).toBeLessThan(9_000);
      expect(Number(started['from'])).toBeGreaterThanOrEqual(Number(first.last('checkpoint')?.['position']));
      expect(runs(Number(pid))).toBe(false);
      second.kill9('group');
      await Promise.all([first.ended, second.ended]);
    }
    await expectExact('orphan');
  });
});

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s takes a last checkpoint, and the next start goes on exactly there', async (signal, status) => {
    let before: object | null = null;
    for (let stop = 0; stop < 3; stop++) {
      const run = place.start([...args(signal), '--rate', '8000']);
      await run.event('first-record');
      await sleep(120 + stop * 90);
      run.process.kill(signal);
      const ended = await endOf(run);
      expect(ended.stderr).toBe('');
      expect(ended.status).toBe(status);
      const { position, rows } = ended.last('stopped')!;
      if (before !== null) expect(ended.last('restored')).toMatchObject(before);
      expect(ended.last('checkpoint')).toMatchObject({ position });
      expect(rows).toBeGreaterThan(0);
      before = { position, rows } as const;
    }
    const next = await place.run(args(signal));
    expect(next.last('restored')).toMatchObject(before!);
    expect(next.status).toBe(0);
    expect(await outputRecords(place.at(signal, 'out'))).toEqual(numbers.plusOne);
  });

  it('to the whole group, as Ctrl-C sends it, is one', async () => {
    const run = place.start([...args('group'), '--rate', '8000']);
    await run.event('checkpoint');
    process.kill(-run.process.pid!, 'SIGINT');
    const ended = await endOf(run);
    expect(ended.status).toBe(130);
    expect(run.count('stopped')).toBe(1);
    await expectExact('group');
  });

  it('counts the rows of the checkpoint, not of the moment', async () => {
    const run = place.start([...args('rows'), '--rate', '8000', '--workers', '1']);
    await run.event('checkpoint', 3);
    run.process.kill('SIGTERM');
    const { position, rows } = (await endOf(run)).last('stopped')!;
    const log = place.at('rows', 'store/keep/log', String(position).padStart(20, '0'));
    const record = JSON.parse((await readFile(log, 'utf8')).split('\n')[0]) as { app: { rows: number } };
    expect(record.app.rows).toBe(rows);
    // What had been read by the cut is in the output, or waits in a mailbox of the checkpoint.
    const shown = await tidemark(['show', '--store', place.at('rows', 'store'), '--json']);
    const { motion } = JSON.parse(shown.stdout) as { motion: readonly { messages: number }[] };
    const waiting = motion.reduce((sum, { messages }) => sum + messages, 0);
    expect((await outputRecords(place.at('rows', 'out'))).length + waiting).toBe(Number(rows));
  });

  it('in the last moments of a job does not spoil its end', async () => {
    const small = await writeNumbers(place.at('small.ndjson'), 2_000, 50);
    const statuses: unknown[] = [];
    // Six moments, and on as long as every signal came too late.
    for (let moment = 0; moment < 6 || (moment < 30 && !statuses.includes(130)); moment++) {
      const name = `end${moment}`;
      const own = [
        keep,
        '--input',
        small.path,
        '--store',
        place.at(name, 'store'),
        '--output',
        place.at(name, 'out'),
        '--json',
      ];
      const run = place.start(own);
      await run.event('started');
      await sleep((moment % 6) * 14);
      run.process.kill('SIGINT');
      const ended = await endOf(run);
      statuses.push(ended.status);
      expect(ended.stderr).toBe('');
      expect(ended.status).toBe(ended.last('finished') === undefined ? 130 : 0);
      expect((await place.run(own)).status).toBe(0);
      expect(await outputRecords(place.at(name, 'out'))).toEqual(small.plusOne);
    }
    // Not all of them came too late, or too early.
    expect(statuses).toContain(130);
  });
});

/** Whether a process is there and more than an entry that nobody has read yet. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
