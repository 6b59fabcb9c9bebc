/**
 * Checkpoints of 1 MB and 100 MB to a folder, to HDFS and to S3, and a job over a store whose every call takes 200 ms.
 * `npm run bench -- stores [ROUNDS]`: 5 rounds when not given.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCheckpoint } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { installService, type Service, startService } from '../../../scripts/services/service.mjs';
import { median, print, quantile, runProgram, table } from './measure.ts';
import type { Life, Lived } from './stores/life.ts';

const rounds = Number(process.argv[2] ?? 5);
const SLOW_MS = 200;
const REPLAYS = 4;
/** Name, rows of about a hundred bytes, checkpoints. */
const STATES = [
  ['1 MB', 10_000, 4 * rounds],
  ['100 MB', 1_000_000, rounds],
] as const;

const root = join(dirname(fileURLToPath(import.meta.resolve('tidemark/package.json'))), '../..');
const scratch = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
const services: Service[] = [];
const places: (readonly [name: string, location: (id: string) => string])[] = [['folder', (id) => join(scratch, id)]];
try {
  await addHdfs();
  await addS3();
  print(`2 workers, ${availableParallelism()} cores, node ${process.version}, load ${loadavg()[0].toFixed(1)}`);
  await sizes();
  await slow();
} finally {
  for (const service of services) await service.stop();
  await rm(scratch, { recursive: true, force: true });
}

async function addHdfs(): Promise<void> {
  const service = await started('hdfs');
  if (service === null) return;
  process.env['HADOOP_USER_NAME'] = service.env['HDFS_USER'];
  const host = service.env['HDFS_NAMENODES'].replace(/^https?:\/\//, '');
  places.push(['HDFS', (id) => `webhdfs://${host}/bench/${id}`]);
}

async function addS3(): Promise<void> {
  const service = await started('s3');
  if (service === null) return;
  const { S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = service.env;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION });
  places.push(['S3', (id) => `s3://${S3_BUCKET}/${id}?endpoint=${S3_ENDPOINT}&path-style=true`]);
}

/** Null, with the reason printed, where the server cannot be had. */
async function started(kind: 's3' | 'hdfs'): Promise<Service | null> {
  try {
    await installService(kind);
  } catch (error) {
    print(`${kind} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  const service = await startService(kind);
  services.push(service);
  return service;
}

/** How long a checkpoint takes whose parts have so many bytes, and what is asked of the store for it. */
async function sizes(): Promise<void> {
  const rows: string[][] = [];
  for (const [size, count, checkpoints] of STATES) {
    for (const [name, locationOf] of places) {
      const location = locationOf(`state-${count}`);
      const program = fileURLToPath(new URL('./stores/life.js', import.meta.url));
      const life: Life = { location, rows: count, checkpoints };
      const { positions, ms } = JSON.parse(await runProgram([program, JSON.stringify(life)])) as Lived;
      const { requests, objects, megabytes } = await asked(location, positions.at(-1) ?? 0);
      rows.push([
        `${size} to ${name}`,
        String(ms.length),
        quantile(ms, 0.5).toFixed(0),
        quantile(ms, 0.99).toFixed(0),
        megabytes.toFixed(1),
        String(objects),
        requests,
      ]);
    }
  }
  print('');
  print(table([['a checkpoint of', 'taken', 'ms p50', 'ms p99', 'MB', 'objects', 'requests'], ...rows]));
}

/** What the checkpoint at a position has put, and what the store has counted for it. */
async function asked(
  location: string,
  position: number,
): Promise<{ readonly requests: string; readonly objects: number; readonly megabytes: number }> {
  const store = await openStoreForReading(location);
  try {
    const { record } = await readCheckpoint(store, { job: null, position });
    const { cut, history } = record;
    const files = record.parts.flatMap((part) => part.files).filter((file) => file.cut === cut);
    const requests = Object.entries(history.traffic?.requests ?? {}).map(([name, times]) => `${times} ${name}`);
    return {
      requests: requests.length === 0 ? 'not counted' : requests.join(', '),
      objects: 1 + files.filter((file) => 'path' in file).length,
      megabytes: files.reduce((sum, { length }) => sum + length, 0) / 1e6,
    };
  } finally {
    await store.close();
  }
}

/** Rows a second with a checkpoint each second, over a folder and over the same one behind a delay. */
async function slow(): Promise<void> {
  const csv = join(root, '.data/flights-3m.csv');
  if (!existsSync(csv)) throw new Error('there is no .data/flights-3m.csv yet: npm start makes it');
  const program = fileURLToPath(new URL('./stores/slow-job.js', import.meta.url));
  const speeds: Record<'fast' | 'slow', number[]> = { fast: [], slow: [] };
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [name, ms] of [
      ['fast', 0],
      ['slow', SLOW_MS],
    ] as const) {
      const store = join(scratch, `${name}-${round}`);
      const args = [program, store, String(ms), ...Array.from({ length: REPLAYS }, () => csv)];
      const { rowsPerSecond, checkpoints } = JSON.parse(await runProgram(args)) as {
        readonly rowsPerSecond: number;
        readonly checkpoints: number;
      };
      speeds[name].push(rowsPerSecond);
      if (name === 'slow') taken.push(checkpoints);
    }
  }
  const [fast, delayed] = [median(speeds.fast), median(speeds.slow)];
  print('');
  print(`flights, a checkpoint each second: ${(fast / 1e6).toFixed(2)} M rows/s over a folder,`);
  print(
    `  ${(delayed / 1e6).toFixed(2)} M rows/s where each call takes ${SLOW_MS} ms: ${(delayed / fast).toFixed(3)} of it, with ${median(taken)} checkpoints; medians of ${rounds}`,
  );
}
