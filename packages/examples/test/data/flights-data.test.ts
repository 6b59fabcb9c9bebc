import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  birdstrikes,
  flightsPrefix,
  flightsTotals,
  prepareFlights,
  speeches,
  speechFiles,
} from '../../src/data/flights-data.ts';
import { packageData } from '../../src/data/package-data.ts';

const workspace = fileURLToPath(new URL('../../../..', import.meta.url));
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidemark-data-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

it('the flights file is made once, and made again when it is damaged', async () => {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const path = join(root, '.data', 'flights-3m.csv');
  await mkdir(join(root, '.data'));
  await writeFile(path, 'damaged');
  expect(await prepareFlights(root, say)).toBe(path);
  expect(said[0]).toContain('is damaged; making it again');
  expect((await stat(path)).size).toBe(flightsTotals.sizeBytes);
  expect((await readdir(join(root, '.data'))).sort()).toEqual(['flights-3m.csv', 'flights-3m.csv.sha256']);

  said.length = 0;
  await prepareFlights(root, say);
  await rm(`${path}.sha256`);
  await prepareFlights(root, say);
  expect(await readFile(`${path}.sha256`, 'utf8')).toMatch(/^567f8d6ce327.*58a5 {2}flights-3m\.csv\n$/);
  expect(said).toEqual([]);
});

it('a prefix has the header and as many rows as asked for', async () => {
  const path = await flightsPrefix(workspace, 3);
  expect(await readFile(path, 'utf8')).toBe(
    'date,delay,distance,origin,destination\n' +
      '2001-01-01T00:01:00.000Z,33,2176,LAS,PHL\n' +
      '2001-01-01T00:01:00.000Z,19,215,ATL,SAV\n' +
      '2001-01-01T00:01:00.000Z,14,405,MCI,MDW\n',
  );
  const { mtimeMs } = await stat(path);
  expect((await stat(await flightsPrefix(workspace, 3))).mtimeMs).toBe(mtimeMs);
  await expect(flightsPrefix(workspace, 3_000_001)).rejects.toThrow(RangeError);
});

it('the data of packages is where it is looked for', async () => {
  expect(await readFile(birdstrikes(), 'utf8')).toMatch(/^Airport Name,Aircraft Make Model,/);
  const files = await speechFiles();
  expect(files.length).toBe(233);
  expect(files[0]).toBe(join(speeches(), '1790_george_washington_n.txt'));
});

it('a package that is not installed is named', () => {
  expect(() => packageData('no-such-package', 'data')).toThrow(
    expect.objectContaining({ code: 'DATA_NOT_INSTALLED', message: expect.stringContaining('no-such-package') }),
  );
});
