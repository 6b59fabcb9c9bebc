import { copyFile, appendFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { birdstrikes, flightsPrefix, prepareFlights, speechFiles } from '../dist/data/flights-data.js';
import { type CliEvent, outputRecords, root } from './support/cli.ts';
import { type Ended, endOf, example, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('examples');

/** The arguments that give a run a store and an output of its own. */
function own(name: string): readonly string[] {
  return ['--store', place.at(name, 'store'), '--output', place.at(name, 'out')];
}

function recordsOf(name: string): Promise<readonly string[]> {
  return outputRecords(place.at(name, 'out'));
}

function resultOf(ended: Ended): { readonly counters: Readonly<Record<string, number>>; readonly collected: unknown } {
  expect(ended.stderr).toBe('');
  expect(ended.status).toBe(0);
  return ended.last('finished')?.['result'] as ReturnType<typeof resultOf>;
}

describe('flights', () => {
  const busiest = [
    'The ten busiest airports',
    'airport  flights  mean delay  max delay',
    'ORD      166,341        9.27        940',
    'DFW      157,162        7.70        867',
    'ATL      124,711        8.83      1,154',
    'LAX      115,245        7.42      1,191',
    'PHX       93,036        9.99      1,447',
    '3,000,000 rows, 20,003,603 minutes of delay, 229 origins: exactly the known answers.',
  ];

  it('gives the known answers over the whole file, and again after the end', async () => {
    const args = [
      example('flights.ts'),
      '--input',
      await prepareFlights(root),
      ...own('flights'),
      '--schedule',
      '250ms',
    ];
    const first = await place.run(args);
    expect(first.status).toBe(0);
    for (const line of busiest) expect(first.stdout.split('\n')).toContain(line);
    expect(first.stderr).toMatch(/^Began a new run of flights in .+\/store \(\d+ workers?\)$/m);
    expect(first.stderr).toMatch(/^Finished: 3,000,000 rows in \d/m);

    const again = await place.run(args);
    expect(again.status).toBe(0);
    expect(again.stdout).toBe(first.stdout);
    expect(again.stderr).toMatch(/^This job has finished already \(checkpoint \d+\)\. --fresh begins again\.$/m);
  });

  it('begins again with --fresh', async () => {
    const args = [
      example('flights.ts'),
      '--input',
      await flightsPrefix(root, 20_000),
      '--store',
      place.at('fresh'),
      '--json',
    ];
    const first = await place.run(args);
    const again = await place.run([...args, '--fresh']);
    expect(again.last('started')).toMatchObject({ from: null, term: 2 });
    expect(again.last('finished')).toMatchObject({ already: false, rows: 20_000 });
    expect(resultOf(again)).toEqual(resultOf(first));
  });
});

describe('add-one', () => {
  let numbers: Numbers;
  beforeAll(async () => {
    numbers = await writeNumbers(place.at('numbers.ndjson'), 5_000, 100);
  });

  it('adds one to every value exactly once, with the URL of a folder as its store', async () => {
    const store = `file://${place.at('add one', 'store').replace(' ', '%20')}`;
    const args = [example('add-one.ts'), '--input', numbers.path, '--output', place.at('add one', 'out')];
    const ended = await place.run([...args, '--store', store, '--json']);
    expect(ended.status).toBe(0);
    expect(ended.last('started')).toMatchObject({ store });
    expect(await recordsOf('add one')).toEqual(numbers.plusOne);
    expect(await readdir(place.at('add one', 'store'))).toContain('add-one');
  });

  it.each([
    ['hdfs:///my/checkpoints', 'STORE_BAD_URL', 'HDFS_NAMENODES'],
    ['webhdfs://me:canary@namenode:9870/checkpoints', 'STORE_BAD_URL', '?user=NAME'],
  ])('says what to do about %s', async (store, code, advice) => {
    const name = store.split(':')[0];
    const args = [example('add-one.ts'), '--input', numbers.path, '--output', place.at(name), '--store', store];
    const ended = await place.run(args);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(new RegExp(`^tidemark: ${code}: `));
    expect(ended.stderr).toContain(advice);
    expect(ended.stderr).not.toContain('canary');
    expect(await readdir(place.path)).not.toContain(name);
  });
});

describe('clean', () => {
  it('drops duplicates, and makes explicit what is not known', async () => {
    const ended = await place.run([example('clean.ts'), '--input', birdstrikes(), ...own('clean'), '--json']);
    expect(resultOf(ended).counters).toEqual({
      reports: 10_000,
      'duplicates dropped': 24,
      'speed missing': 2_836,
      'species unknown': 7_987,
    });
    const strikes = (await recordsOf('clean')).map(
      (line) => (JSON.parse(line) as { value: Record<string, unknown> }).value,
    );
    expect(strikes).toHaveLength(9_976);
    for (const { species, size, damage } of strikes) {
      for (const value of [species, size, damage])
        expect(value === null || (typeof value === 'string' && /^(?!unknown)./i.test(value))).toBe(true);
    }
    // Of the 24 that were dropped, six had no speed.
    expect(strikes.filter(({ knots }) => knots === null)).toHaveLength(2_830);
  });

  it('sets bad rows aside', async () => {
    const input = place.at('birdstrikes.csv');
    await copyFile(birdstrikes(), input);
    await appendFile(input, '\nHERE,A-1,None,2001-01-01,US,Ohio,Climb,Small,Gull,Day,0,0,0,fast\nONLY,TWO\n');
    const bad = place.at('bad');
    const ended = await place.run([
      example('clean.ts'),
      '--input',
      input,
      ...own('set-aside'),
      '--bad-rows',
      `file:${bad}`,
      '--json',
    ]);
    expect(resultOf(ended).counters['reports']).toBe(10_000);
    expect(ended.last('finished')).toMatchObject({ rows: 10_002, badRows: 2 });
    expect(await recordsOf('set-aside')).toEqual(await recordsOf('clean'));
    const rows = (await outputRecords(bad)).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ file, reason, text }) => ({ file, reason, text }))).toEqual([
      {
        file: input,
        reason: 'Speed IAS in knots is not a number: "fast"',
        text: 'HERE,A-1,None,2001-01-01,US,Ohio,Climb,Small,Gull,Day,0,0,0,fast',
      },
      { file: input, reason: '2 fields instead of 14', text: 'ONLY,TWO' },
    ]);
  });
});

describe('words', () => {
  it('counts the words of all speeches, named by a pattern', async () => {
    const files = await speechFiles();
    const pattern = join(dirname(files[0]), '*.txt');
    const ended = await place.run([example('words.ts'), '--input', pattern, '--store', place.at('words')]);
    expect(ended.status).toBe(0);
    const lines = ended.stdout.split('\n');
    for (const line of ['the   151,266', 'of     97,345', 'and    61,778', '1,794,353 words, 23,705 distinct']) {
      expect(lines).toContain(line);
    }
  });

  it('says when nothing fits the pattern, and makes no store', async () => {
    const ended = await place.run([example('words.ts'), '--input', '*.texts', '--store', place.at('no-words')]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(`tidemark: INPUT_NOT_FOUND: No file in ${place.path} fits *.texts.`);
    expect(await readdir(place.path)).not.toContain('no-words');
  });
});

describe('the same job', () => {
  it.each([['--inline'], ['--workers', '1'], ['--workers', '3']])(
    'gives the same with %s %s as with two workers',
    async (...how) => {
      const args = [example('flights.ts'), '--input', await flightsPrefix(root, 20_000), '--json'];
      const name = how.join('');
      const [one, two] = [
        await place.run([...args, ...own(`two${name}`), '--workers', '2']),
        await place.run([...args, ...own(name), ...how]),
      ];
      expect(two.last('started')).toMatchObject({
        workers: how[1] === undefined ? expect.any(Number) : Number(how[1]),
      });
      expect(resultOf(two)).toEqual(resultOf(one));
      expect(await recordsOf(name)).toEqual(await recordsOf(`two${name}`));
    },
  );

  it('goes on with another number of workers each time, and inline, and ends the same', async () => {
    const numbers = await writeNumbers(place.at('many.ndjson'), 30_000, 1_000);
    const args = [fixture('keep.mjs'), '--input', numbers.path, ...own('rescaled'), '--schedule', '100ms', '--json'];
    const before: CliEvent[] = [];
    for (const how of [
      ['--workers', '2'],
      ['--workers', '3'],
      ['--inline', '--workers', '2'],
      ['--workers', '1'],
    ]) {
      const run = place.start([...args, ...how, '--rate', '4000']);
      await run.event('checkpoint', 4);
      run.kill9('group');
      const { last } = await endOf(run);
      if (before.length > 0)
        expect(last('restored')?.['position']).toBeGreaterThanOrEqual(Number(before.at(-1)?.['position']));
      before.push(last('checkpoint')!);
    }
    const ended = await place.run([...args, '--workers', '3']);
    expect(ended.last('finished')).toMatchObject({ already: false, rows: 30_000 });
    expect(resultOf(ended)).toEqual({
      counters: { values: 30_000 },
      collected: { keys: 1_000, count: 30_000, sum: (30_000 * 29_999) / 2 },
    });
    expect(await recordsOf('rescaled')).toEqual(numbers.plusOne);
  });
});
