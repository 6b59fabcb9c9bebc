import { appendFile, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CliRun, outputRecords, seededRandom, sleep } from './support/cli.ts';
import {
  contentsOf,
  type Ended,
  endOf,
  example,
  fixture,
  type Numbers,
  testPlace,
  writeNumbers,
} from './support/place.ts';

const place = testPlace('bad-input');
const keep = fixture('keep.mjs');
const noProcess = fixture('no-process.mjs');

let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), 12_000, 500);
  await writeFile(place.at('flights.csv'), 'date,delay,origin\n2001-01-01,12,ORD\n');
  await writeFile(place.at('no-job.mjs'), 'export const nothing = 1;\n');
  await writeFile(place.at('throws.mjs'), 'const settings = undefined;\nsettings.schedule;\n');
  await writeFile(
    place.at('no-config.mjs'),
    "import { readFileSync } from 'node:fs';\nreadFileSync('nowhere.json');\n",
  );
  await writeFile(place.at('broken.mjs'), 'export const one = 1;\nexport class Job { process( {} }\n');
  await writeFile(place.at('a-file'), '');
});

/** The arguments that give a run a store and an output of its own. */
function own(name: string): readonly string[] {
  return ['--store', place.at(name, 'store'), '--output', place.at(name, 'out')];
}

/** It ends with this status, a code and a message, nothing was tried again, and no file or folder is another than before. */
async function expectRefused(args: readonly string[], status: number, message: RegExp, uid?: number): Promise<Ended> {
  const before = await contentsOf(place.path);
  const ended = await place.run(args, uid === undefined ? {} : { uid });
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).toMatch(/^tidemark: [A-Z_]+: /);
  expect(ended.stderr).not.toContain('starting it again');
  expect(ended.status).toBe(status);
  expect(await contentsOf(place.path)).toEqual(before);
  return ended;
}

async function records(name: string): Promise<readonly string[]> {
  return outputRecords(place.at(name, 'out'));
}

describe('refuses before anything is touched', () => {
  const start = ['--store', 'never/store', '--output', 'never/out'];

  it.each<[string, readonly string[], RegExp]>([
    ['a missing job file', ['nowhere.mjs'], /USAGE: nowhere\.mjs: there is no such file \(looked for .*bad-input.*\)/],
    ['a job file with another ending', ['no-job.ts'], /Did you mean no-job\.mjs\?/],
    ['a folder', ['.'], /USAGE: \.: this is a folder/],
    [
      'a file that makes no job',
      ['no-job.mjs'],
      /JOB_NOT_FOUND: .*no-job\.mjs has run and made no job: end it with a line like/,
    ],
    [
      'a file that throws',
      ['throws.mjs'],
      /MODULE_FAILED: .*throws\.mjs cannot be loaded: TypeError: .*\n {2}at .*throws\.mjs:2:10/,
    ],
    [
      'a file that needs another',
      ['no-config.mjs'],
      /MODULE_FAILED: .*no-config\.mjs cannot be loaded: Error: ENOENT.*nowhere\.json/,
    ],
    [
      'a syntax error',
      ['broken.mjs'],
      /MODULE_FAILED: .*broken\.mjs:2 cannot be loaded: SyntaxError.*\n {2}export class Job.*\n +\^/,
    ],
    ['a missing input', [keep, '--input', 'nowhere.ndjson'], /INPUT_NOT_FOUND: .*nowhere\.ndjson.* Correct the path/],
    ['a pattern that nothing fits', [keep, '--input', '*.json'], /INPUT_NOT_FOUND: No file in .* fits \*\.json/],
    ['no input', [keep], /JOB_NO_INPUT: job 'keep' has no input: npx tidemark run .*keep\.mjs --input FILE/],
    ['an unknown flag', [keep, '--schedul', '1s'], /USAGE: unknown option '--schedul' \(Did you mean --schedule\?\)/],
    ['workers', [keep, '--workers', '0'], /USAGE: --workers 0: expected a whole number from 1 to 256/],
    [
      'a schedule',
      [keep, '--input', 'numbers.ndjson', '--schedule', '1 day'],
      /SCHEDULE_INVALID: schedule "1 day": expected an interval like 250ms/,
    ],
    [
      'a short schedule',
      [keep, '--input', 'numbers.ndjson', '--schedule', '1ms'],
      /SCHEDULE_INVALID: .* at least 10ms/,
    ],
    [
      'what to do with bad rows',
      [keep, '--bad-rows', 'ignore'],
      /USAGE: --bad-rows ignore: expected stop, skip, or file:DIR/,
    ],
    [
      'a column',
      [keep, '--input', 'flights.csv', '--key', 'orgin'],
      /INPUT_COLUMN_UNKNOWN: .* no column "orgin"\. Did you mean "origin"\?/,
    ],
    ['CSV without a key', [keep, '--input', 'flights.csv'], /JOB_NO_KEY: .*--key COLUMN/],
    [
      'a store of an unknown kind',
      [keep, '--input', 'numbers.ndjson', '--store', 'ftp://x/y'],
      /STORE_BAD_URL: .* is no kind of store/,
    ],
    [
      'a job that does nothing with a record',
      [noProcess, '--input', 'numbers.ndjson'],
      /CONFIG_INVALID: class Idle has no method process\(key, value\)/,
    ],
    [
      'one folder for all',
      [keep, '--input', 'numbers.ndjson', '--bad-rows', 'file:never/out'],
      /CONFIG_INVALID: output and bad rows both go to/,
    ],
  ])('%s', async (_, args, message) => {
    await expectRefused([args[0], ...start, ...args.slice(1)], 2, message);
  });

  it('all wrong flags at once', async () => {
    const { stderr } = await expectRefused(
      [keep, '--workers', '1.5', '--rate', '-3', '--from', 'x'],
      2,
      /--workers 1\.5/,
    );
    expect(stderr).toMatch(/--rate -3: expected rows a second/);
    expect(stderr).toMatch(/--from x: expected the position of a checkpoint/);
    expect(stderr).toMatch(/See: tidemark run --help\n$/);
  });

  it('a file in the place of a store, or of an output', async () => {
    const args = [keep, '--input', numbers.path];
    const message = /STORE_NOT_A_FOLDER: .*a-file.* Move that file away or use another folder/;
    await expectRefused([...args, '--store', 'a-file'], 3, message);
    await mkdir(place.at('empty-store', 'tmp'), { recursive: true });
    await expectRefused([...args, '--store', 'empty-store', '--output', 'a-file'], 3, message);
  });

  it('a store, an output or an input that it may not use', async (ctx) => {
    if (process.getuid?.() !== 0) ctx.skip('only root can run a job as another user');
    const nobody = 65_534;
    await chmod(place.path, 0o755);
    await mkdir(place.at('not-mine'), { mode: 0o755 });
    await mkdir(place.at('mine', 'tmp'), { recursive: true });
    for (const folder of ['mine', 'mine/tmp']) await chmod(place.at(folder), 0o777);
    const args = [keep, '--input', numbers.path];
    const message = /STORE_DENIED: .*not-mine.*EACCES.* Give this user the right/;
    await expectRefused([...args, '--store', 'not-mine'], 3, message, nobody);
    await expectRefused([...args, '--store', 'not-mine/store'], 3, message, nobody);
    await expectRefused([...args, '--store', 'mine', '--output', 'not-mine/out'], 3, message, nobody);
    await writeFile(place.at('secret.ndjson'), '{"key":"k","value":1}\n', { mode: 0o600 });
    await expectRefused(
      [keep, '--input', 'secret.ndjson', '--store', 'not-there'],
      2,
      /INPUT_NOT_READABLE: .*secret/,
      nobody,
    );
  });

  it('a store of another job, and an output of another run', async () => {
    expect((await place.run([keep, '--input', numbers.path, ...own('keep')])).status).toBe(0);
    const addOne = [example('add-one.ts'), '--input', numbers.path];
    await expectRefused(
      [...addOne, '--store', place.at('keep', 'store'), '--output', 'never'],
      2,
      /STORE_OTHER_JOB: .* holds checkpoints of job 'keep', not of 'add-one': give this job a store of its own/,
    );
    await expectRefused(
      [keep, '--input', numbers.path, '--store', 'never', '--output', place.at('keep', 'out')],
      2,
      /OUTPUT_NOT_EMPTY: .* holds records of another run .*: remove that folder or give another/,
    );
  });
});

describe('a row that cannot be read', () => {
  const broken = '{"key":"key 1","value":';

  it('ends the job with its place, at every start, until it is told to skip it', async () => {
    const lines = (await readFile(numbers.path, 'utf8')).split('\n');
    lines[9_000] = broken;
    await writeFile(place.at('broken.ndjson'), lines.join('\n'));
    const args = [keep, '--input', 'broken.ndjson', ...own('broken'), '--schedule', '50ms', '--json'];
    const message = `BAD_ROW: ${place.at('broken.ndjson')}:9001:24: `;
    const starts: (number | null)[] = [];
    for (const rate of [10_000, 30_000]) {
      const ended = await place.run([...args, '--rate', String(rate)]);
      expect(ended.stderr).toContain(message);
      expect(ended.stderr).toContain(`\n  ${broken}\n`);
      expect(ended.stderr).toContain('--bad-rows skip or --bad-rows file:DIR');
      expect(ended.stderr).not.toContain('starting it again');
      expect(ended.status).toBe(2);
      starts.push(ended.last('started')?.['from'] as number | null);
    }
    expect(starts).toEqual([null, expect.any(Number)]);
    const ended = await place.run([...args, '--bad-rows', 'skip']);
    expect(ended.status).toBe(0);
    expect(ended.last('finished')).toMatchObject({ rows: 12_000, badRows: 1 });
    const lost = JSON.stringify({ key: `key ${9_000 % 500}`, value: 9_001 });
    expect(await records('broken')).toEqual(numbers.plusOne.filter((line) => line !== lost));
  });

  it('tells line and column of CSV too', async () => {
    await writeFile(
      place.at('broken.csv'),
      'date,delay,distance,origin,destination\nd,1,2,ORD,LAX\nd,1,none,ORD,LAX\n',
    );
    const ended = await place.run([example('flights.ts'), '--input', 'broken.csv', '--store', 'csv-store']);
    expect(ended.stderr).toContain(
      `BAD_ROW: ${place.at('broken.csv')}:3:5: distance is not a number: "none"\n  d,1,none,ORD,LAX\n`,
    );
    expect(ended.status).toBe(2);
  });

  it('is set aside exactly once, however often the job is killed', async () => {
    const random = seededRandom(7);
    const lines = (await readFile(numbers.path, 'utf8')).split('\n');
    for (let i = 0; i < 40; i++) lines[i * 300] = `broken ${i}`;
    await writeFile(place.at('aside.ndjson'), lines.join('\n'));
    const bad = place.at('aside', 'bad');
    const args = [
      keep,
      '--input',
      'aside.ndjson',
      ...own('aside'),
      '--bad-rows',
      `file:${bad}`,
      '--schedule',
      '100ms',
      '--json',
    ];
    for (let kill = 0; kill < 5; kill++) {
      const run = place.start([...args, '--rate', '4000']);
      await run.event('started');
      await sleep(150 + random() * 300);
      run.kill9('group');
      await run.ended;
    }
    const ended = await place.run(args);
    expect(ended.status).toBe(0);
    expect(ended.last('finished')).toMatchObject({ already: false, rows: 12_000, badRows: 40 });
    const aside = (await outputRecords(bad)).map((line) => (JSON.parse(line) as { text: string }).text);
    expect(aside.sort()).toEqual(Array.from({ length: 40 }, (_, i) => `broken ${i}`).sort());
    expect(await records('aside')).toHaveLength(11_960);
  });
});

describe('a job that was killed', () => {
  async function killed(name: string, args: readonly string[] = []): Promise<CliRun> {
    const run = place.start([
      keep,
      '--input',
      numbers.path,
      ...own(name),
      '--schedule',
      '100ms',
      '--rate',
      '2500',
      '--json',
      ...args,
    ]);
    await run.event('checkpoint', 3);
    run.kill9('group');
    await run.ended;
    return run;
  }

  it('does not go on over an input that changed', async () => {
    const input = place.at('changing.ndjson');
    await writeFile(input, await readFile(numbers.path));
    const run = place.start([
      keep,
      '--input',
      input,
      ...own('changed'),
      '--schedule',
      '100ms',
      '--rate',
      '2500',
      '--json',
    ]);
    await run.event('checkpoint', 3);
    run.kill9('group');
    await run.ended;
    await appendFile(input, '{"key":"late","value":1}\n');
    await expectRefused(
      [keep, '--input', input, ...own('changed')],
      2,
      /INPUT_CHANGED: .*changing\.ndjson changed since .* bytes and has .* --fresh/,
    );
    await expectRefused(
      [keep, '--input', numbers.path, ...own('changed')],
      2,
      /INPUT_CHANGED: .*which is not among the inputs of now.*--fresh/,
    );
    await writeFile(input, await readFile(numbers.path));
    expect((await place.run([keep, '--input', input, ...own('changed')])).status).toBe(0);
    expect(await records('changed')).toEqual(numbers.plusOne);
  });

  it('goes on over the same inputs and into the same output when neither is named again', async () => {
    await killed('unnamed', ['--bad-rows', 'skip']);
    const ended = await place.run([keep, '--store', place.at('unnamed', 'store'), '--json']);
    expect(ended.status).toBe(0);
    expect(ended.last('restored')).toBeDefined();
    expect(await records('unnamed')).toEqual(numbers.plusOne);
  });

  it('never overwrites what is not its own', async () => {
    const run = place.start([
      keep,
      '--input',
      numbers.path,
      ...own('foreign'),
      '--schedule',
      '200ms',
      '--rate',
      '2500',
      '--json',
    ]);
    const { position } = await run.event('checkpoint', 1);
    const names = [1, 2].map((task) => `${String(Number(position) + 8).padStart(20, '0')}-${task}.ndjson`);
    for (const name of names) await writeFile(place.at('foreign', 'out', name), 'not yours\n', { flag: 'wx' });
    const ended = await endOf(run);
    expect(ended.stderr).toMatch(
      /^tidemark: OUTPUT_DIFFERS: .* Nothing was overwritten; give the job an output folder of its own/m,
    );
    expect(ended.stderr).not.toContain('starting it again');
    expect(ended.status).toBe(2);
    for (const name of names) {
      expect(await readFile(place.at('foreign', 'out', name), 'utf8')).toBe('not yours\n');
      await rm(place.at('foreign', 'out', name));
    }
    expect((await place.run([keep, '--input', numbers.path, ...own('foreign')])).status).toBe(0);
    expect(await records('foreign')).toEqual(numbers.plusOne);
  });
});
