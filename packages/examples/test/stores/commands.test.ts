import { beforeAll, describe, expect, it } from 'vitest';
import { describePlaces, type Place, startPlaces } from '../../../stores/test/support/places.ts';
import { existsSync } from 'node:fs';
import { tidemark } from '../support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from '../support/place.ts';

const folder = testPlace('stores-commands');
const COUNT = 20_000;
const SUM = (COUNT * (COUNT - 1)) / 2;
let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(folder.at('numbers.ndjson'), COUNT, 100);
});

function args(store: string): string[] {
  return [fixture('keep.mjs'), '--input', numbers.path, '--store', store, '--workers', '2', '--json'];
}

/** A run that is killed in the middle, after so many checkpoints; answers the position of the newest. */
async function killedRun(store: string, more: readonly string[] = []): Promise<number> {
  const run = folder.start([...args(store), '--schedule', '100ms', '--rate', '3000', ...more]);
  await run.event('checkpoint', 5);
  run.kill9('group');
  await run.ended;
  expect(run.stderr).toBe('');
  return Number(run.last('checkpoint')?.['position']);
}

/** What a command prints, which must go well and say nothing on stderr. */
async function printed(...words: readonly string[]): Promise<string> {
  const ended = await tidemark(words);
  expect({ words, ...ended }).toMatchObject({ status: 0, stderr: '' });
  return ended.stdout;
}

async function printedJson(...words: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await printed(...words, '--json')) as Record<string, unknown>;
}

await describePlaces('the commands over a store', (place) => {
  let store: string;
  let position: number;
  beforeAll(async () => {
    store = place().location();
    position = await killedRun(store);
  });

  it('show what is in it, and say nothing on stderr', async () => {
    expect(await printed('checkpoints', '--store', store)).toContain(String(position));
    const shown = await printed('show', String(position), '--store', store);
    expect(shown).toMatch(/^checkpoint +\d+ of job keep/m);
    const requests = place().kind === 's3' ? 'PutObject' : 'CREATE';
    expect(shown).toMatch(new RegExp(`^store +since the one before: .*\\d+ ${requests}.* sent, .* received`, 'm'));
    const cost = /requests like these cost about \$\d+\.\d\d a day in S3/;
    if (place().kind === 's3') expect(shown).toMatch(cost);
    else expect(shown).not.toMatch(cost);
    expect(await printed('inspect', String(position), '--store', store, '--job-key', 'key 7')).toContain('count');
    expect(await printed('verify', '--store', store)).toContain('whole');
  });

  it('keep what is to be kept, and remove what is not', async () => {
    await printed('savepoint', '--store', store, '--label', 'before-upgrade');
    const { lines } = (await printedJson('checkpoints', '--store', store)) as { lines: { position: number }[] };
    const oldest = lines.map((line) => line.position).sort((a, b) => a - b)[1];
    await printed('pin', String(oldest), '--store', store, '--label', 'oldest');
    await printed('gc', '--store', store, '--keep', '2', '--dry-run');
    await printed('gc', '--store', store, '--keep', '2');
    const left = (await printedJson('checkpoints', '--store', store)) as { lines: { position: number }[] };
    expect(left.lines.map((line) => line.position)).toEqual(expect.arrayContaining([position, oldest]));
    expect(left.lines.length).toBeLessThan(lines.length);
    await printed('unpin', String(oldest), '--store', store);
    await printed('verify', '--store', store);
  });

  it('doctor: all is kept, also that clocks agree, within 10 s', async () => {
    const text = await printed('doctor', store);
    expect(text).toMatch(/keeps what a store must/);
    expect(text).not.toMatch(/ \? |does not tell when/);
    const json = await printedJson('doctor', store);
    expect(json).toMatchObject({ kept: true });
    const findings = json['findings'] as { check: string; ok: boolean | null; seen: string }[];
    expect(findings.map(({ ok }) => ok)).toEqual(findings.map(() => true));
    // And nothing of it is left.
    expect(await printed('verify', '--store', store)).toContain('whole');
  });

  it('where nobody listens they say so, and end with status 3', async () => {
    const nowhere = place().nowhere();
    for (const words of [
      ['doctor', nowhere],
      ['checkpoints', '--store', nowhere],
    ]) {
      const ended = await tidemark(words);
      expect(ended).toMatchObject({ status: 3, stdout: '' });
      expect(ended.stderr).toMatch(/^tidemark: STORE_UNREACHABLE: .*127\.0\.0\.1:1.*ECONNREFUSED.*\. See /m);
    }
  });

  it('a run whose output would go there is refused before anything is touched', async () => {
    const untouched = folder.at(`${place().kind}-untouched`);
    for (const [flag, where] of [
      ['--output', place().location()],
      ['--bad-rows', `file:${place().location()}`],
    ] as const) {
      const ended = await folder.run([...args(untouched), flag, where]);
      expect(ended.status).toBe(2);
      expect(ended.stderr).toMatch(/^tidemark: OUTPUT_NOT_A_FOLDER: .*go to folders only/m);
      expect(existsSync(untouched)).toBe(false);
    }
  });

  it('a running job copies its checkpoints there, and goes on from the copy where the folder is gone', async () => {
    const copies = place().location();
    const copying = ['--schedule', '100ms', '--rate', '3000', '--copy-to', copies, '--copy-schedule', '200ms'];
    const run = folder.start([...args(folder.at(`${place().kind}-original`)), ...copying]);
    await run.event('copied', 3);
    const copied = run.last('copied');
    run.kill9('group');
    await run.ended;
    expect(run.stderr).toBe('');
    await printed('verify', '--store', copies);
    await finishesFrom(copies, Number(copied?.['position']));
  });
});

/** Goes on from a copy in the middle of the job, and ends with each row counted once. */
async function finishesFrom(store: string, position: number): Promise<void> {
  const next = await endOf(folder.start([...args(store), '--from', String(position), '--accept-duplicates']));
  if (next.status !== 0) expect.fail(next.stderr);
  expect(next.last('restored')).toMatchObject({ position });
  expect(next.last('finished')).toMatchObject({
    rows: COUNT,
    result: { counters: { values: COUNT }, collected: { keys: 100, count: COUNT, sum: SUM } },
  });
}

const all = await startPlaces('a checkpoint that is copied on and on');
describe.skipIf(all === null)('a checkpoint', () => {
  it('is copied from a folder to S3, from there to HDFS, and back to a folder, verified, and the job goes on from the last', async () => {
    const places = all!();
    const at = (kind: Place['kind']): string => places.find((each) => each.kind === kind)!.location();
    const original = folder.at('copied', 'original');
    const position = await killedRun(original);
    const way = [original, at('s3'), at('hdfs'), folder.at('copied', 'last')];
    for (const [index, from] of way.slice(0, -1).entries()) {
      await printed('copy', from, way[index + 1], String(position));
      expect(await printed('verify', '--store', way[index + 1])).toContain('whole');
    }
    const [first, last] = [original, way.at(-1) ?? ''].map((store) =>
      printedJson('inspect', String(position), '--store', store, '--job-key', 'key 7'),
    );
    expect(await last).toEqual(await first);
    await finishesFrom(way.at(-1) ?? '', position);
  });
});
