import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CliRun, outputRecords } from './support/cli.ts';
import { type Ended, endOf, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('take-over');
const VALUES = 12_000;
const KEYS = 300;
const result = { keys: KEYS, count: VALUES, sum: (VALUES * (VALUES - 1)) / 2 };

let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), VALUES, KEYS);
});

/** Rows a second of a run that another is to meet, however late that comes, and of one that is only to come to its end. */
const SLOW = ['--rate', '1500'];
const FAST = ['--rate', '100000'];

/** A run that takes a checkpoint every 100 ms. */
function start(name: string, ...flags: readonly string[]): CliRun {
  const own = ['--store', place.at(name, 'store'), '--output', place.at(name, 'out'), '--workers', '2'];
  const rest = ['--schedule', '100ms', '--json', ...flags];
  return place.start([fixture('keep.mjs'), '--input', numbers.path, ...own, ...rest]);
}

async function expectWhole(name: string, ended: Ended): Promise<void> {
  expect(ended.stderr).toBe('');
  expect(ended.status).toBe(0);
  expect(ended.last('finished')!['result']).toMatchObject({ collected: result });
  expect(await outputRecords(place.at(name, 'out'))).toEqual(numbers.plusOne);
}

describe('tidemark run --wait', () => {
  it('says for whom it waits, and goes on exactly there at once when that one is killed', async () => {
    const first = start('killed', ...SLOW);
    const { pid } = await first.event('started');
    await first.event('checkpoint', 3);
    const second = start('killed', '--wait', ...FAST);
    expect(await second.event('waiting')).toMatchObject({ job: 'keep', pid, term: 1 });
    await first.event('checkpoint', 6);
    first.kill9('group');
    await first.ended;
    const started = await second.event('started');
    expect(started).toMatchObject({ term: 2 });
    // From the last one that it told of, or from one that it had stored and not yet told of when it was killed.
    const told = Number(first.last('checkpoint')!['position']);
    expect([told, told + 1]).toContain(started['from']);
    const ended = await endOf(second);
    await expectWhole('killed', ended);
    expect(ended.events.filter(({ event }) => event === 'waiting')).toHaveLength(1);
  });

  it('goes on when the other one was stopped, and shows the result when it has finished', async () => {
    const first = start('stopped', ...SLOW);
    await first.event('checkpoint', 2);
    const [second, third] = [1, 2].map(() => start('stopped', '--wait', '--rate', '4000'));
    await Promise.all([second.event('waiting'), third.event('waiting')]);
    first.process.kill('SIGTERM');
    expect((await endOf(first)).status).toBe(143);
    const ended = await Promise.all([endOf(second), endOf(third)]);
    // One of the two has run; the other waited for it then, and found that all is done.
    const ran = ended.filter((each) => each.last('started') !== undefined);
    expect(ran).toHaveLength(1);
    for (const each of ended) await expectWhole('stopped', each);
    const other = ended.find((each) => each !== ran[0])!;
    expect(other.events.map(({ event }) => event)).toEqual(['waiting', 'waiting', 'finished']);
    expect(other.events[1]['pid']).toBe(ran[0].last('started')!['pid']);
    expect(other.last('finished')).toMatchObject({ already: true });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends by %s, and the other one hears nothing of it', async (signal, status) => {
    const first = start(signal, '--rate', '3000');
    await first.event('checkpoint');
    const second = start(signal, '--wait', ...FAST);
    await second.event('waiting');
    second.process.kill(signal);
    expect(await endOf(second)).toMatchObject({ status, stderr: '' });
    await expectWhole(signal, await endOf(first));
  });

  it('tells people in one line', async () => {
    const first = start('people', ...SLOW);
    const { pid } = await first.event('started');
    const flags = ['--store', place.at('people', 'store'), '--input', numbers.path, '--wait'];
    const second = place.start([fixture('keep.mjs'), ...flags]);
    await expect.poll(() => second.stderr, { timeout: 20_000 }).not.toBe('');
    second.process.kill('SIGINT');
    const { stderr, status } = await endOf(second);
    expect(status).toBe(130);
    expect(stderr).toMatch(
      new RegExp(`^Waiting: keep runs on \\S+, pid ${String(pid)}, since \\S+\\. It goes on here`),
    );
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    first.kill9('group');
    await first.ended;
  });
});

describe('tidemark run --take-over', () => {
  it('goes on where the other one is, which ends with 6 and is not started again', async () => {
    const first = start('taken', ...SLOW);
    await first.event('checkpoint', 3);
    const second = start('taken', '--take-over', ...FAST);
    const started = await second.event('started');
    const before = await endOf(first);
    expect(before.status).toBe(6);
    expect(before.stderr).toMatch(/^tidemark: FENCED: .* was written by term 2 \(\S+, pid \d+, since .*\)/);
    expect(before.stderr).not.toContain('starting it again');
    expect(before.events.filter(({ event }) => event === 'started')).toHaveLength(1);
    // What it went on from is the last that the other one had published.
    expect(started['from']).toBe(before.last('checkpoint')!['position']);
    await expectWhole('taken', await endOf(second));
  });

  it('of one that sleeps: it wakes up, ends with 6, and has written nothing', async () => {
    const first = start('asleep', ...SLOW);
    const { pid } = await first.event('started');
    await first.event('checkpoint', 3);
    for (const each of [Number(pid), first.process.pid!]) process.kill(each, 'SIGSTOP');
    const second = start('asleep', '--take-over', ...FAST);
    const ended = await endOf(second);
    await expectWhole('asleep', ended);
    for (const each of [Number(pid), first.process.pid!]) process.kill(each, 'SIGCONT');
    const before = await endOf(first);
    expect(before.status).toBe(6);
    expect(before.stderr).toMatch(/^tidemark: FENCED: /);
    expect(await outputRecords(place.at('asleep', 'out'))).toEqual(numbers.plusOne);
    const owner = await readFile(place.at('asleep', 'store/keep/owner.json'), 'utf8');
    expect(JSON.parse(owner)).toMatchObject({ pid: ended.last('started')!['pid'], released: true });
  });

  it('is not repeated by a supervisor whose runtime crashed: by then the job may be another’s', async () => {
    const first = start('again', ...SLOW);
    await first.event('checkpoint', 2);
    const second = start('again', '--take-over', ...SLOW);
    await second.event('started');
    await first.ended;
    await second.event('checkpoint', 2);
    const third = start('again', '--wait', ...SLOW);
    await third.event('waiting');
    process.kill(second.process.pid!, 'SIGSTOP');
    second.kill9('runtime');
    await third.event('started');
    process.kill(second.process.pid!, 'SIGCONT');
    const before = await endOf(second);
    expect(before.status).toBe(6);
    expect(before.stderr).toContain('ALREADY_RUNNING');
    await expectWhole('again', await endOf(third));
  });

  it('and --wait contradict each other', async () => {
    const ended = await endOf(start('both', '--take-over', '--wait'));
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain('--wait and --take-over contradict each other');
  });
});
