/**
 * Checkpoints of 1 MB and 100 MB to a folder, to HDFS and to S3, and a job over a store whose every call takes 200 ms.
 * `npm run bench -- stores [ROUNDS]`: 5 rounds when not given.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installService, type Service, type ServiceKind, startService } from '../../../scripts/services/service.mjs';
import { median, print, quantile, runProgram, table } from './measure.ts';
import type { Life, Lived } from './stores/life.ts';

const rounds = Number(process.argv[2] ?? 5);
const SLOW_MS = 200;
const REPLAYS = 10;
/** Name, rows of about a hundred bytes, checkpoints. */
const STATES = [
  ['1 MB', 10_000, 4 * rounds],
  ['100 MB', 1_000_000, rounds],
] as const;

const product = dirname(fileURLToPath(import.meta.resolve('tidemark/package.json')));
const root = join(product, '../..');
const bin = join(product, 'bin/tidemark.mjs');
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
async function started(kind: ServiceKind): Promise<Service | null> {
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
  const shown = JSON.parse(await runProgram([bin, 'show', String(position), '--store', location, '--json'])) as {
    readonly cut: number;
    readonly history: { readonly traffic?: { readonly requests: Readonly<Record<string, number>> } };
    readonly parts: readonly {
      readonly files: readonly { readonly cut: number; readonly length: number; readonly path: string | null }[];
    }[];
  };
  const files = shown.parts.flatMap((part) => part.files).filter((file) => file.cut === shown.cut);
  const requests = Object.entries(shown.history.traffic?.requests ?? {}).map(([name, times]) => `${times} ${name}`);
  return {
    requests: requests.length === 0 ? 'not counted' : requests.join(', '),
    objects: 1 + files.filter(({ path }) => path !== null).length,
    megabytes: files.reduce((sum, { length }) => sum + length, 0) / 1e6,
  };
}

/** Rows a second with a checkpoint each second to S3, and to the same server behind a proxy that delays each answer. */
async function slow(): Promise<void> {
  const s3 = places.find(([name]) => name === 'S3');
  const proxy = s3 === undefined ? null : await started('toxiproxy');
  if (s3 === undefined || proxy === null) return;
  const csv = join(root, '.data/flights-3m.csv');
  if (!existsSync(csv)) throw new Error('there is no .data/flights-3m.csv yet: npm start makes it');
  const [, locationOf] = s3;
  const server = /127\.0\.0\.1:\d+/.exec(locationOf('x'))?.[0] ?? '';
  const { slow: behind } = await proxy.command('proxy', 'slow', server);
  await proxy.command('toxic', 'slow', JSON.stringify({ type: 'latency', attributes: { latency: SLOW_MS } }));
  const speeds: Record<'fast' | 'slow', number[]> = { fast: [], slow: [] };
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const name of ['fast', 'slow'] as const) {
      const location = locationOf(`${name}-${round}`);
      const lived = await flights(name === 'fast' ? location : location.replace(server, behind), csv);
      speeds[name].push(lived.rowsPerSecond);
      if (name === 'slow') taken.push(lived.checkpoints);
    }
  }
  const [fast, delayed] = [median(speeds.fast), median(speeds.slow)];
  print('');
  print(`flights, a checkpoint each second: ${(fast / 1e6).toFixed(2)} M rows/s with S3 as the store,`);
  print(
    `  ${(delayed / 1e6).toFixed(2)} M rows/s where each answer comes ${SLOW_MS} ms later: ${(delayed / fast).toFixed(3)} of it, with ${median(taken)} checkpoints; medians of ${rounds}`,
  );
}

/** From the first checkpoint to the last one that found something still to read: the steps at the end do not count. */
async function flights(
  store: string,
  csv: string,
): Promise<{ readonly rowsPerSecond: number; readonly checkpoints: number }> {
  const job = join(root, 'packages/examples/src/flights.ts');
  const input = Array.from({ length: REPLAYS }, () => csv);
  const positions: number[] = [];
  const args = [bin, 'run', job, '--input', ...input, '--store', store, '--schedule', '1s', '--workers', '2'];
  await runProgram([...args, '--keep', '1000', '--json'], (line) => {
    const event = JSON.parse(line) as { readonly event: string; readonly position?: number };
    if (event.event === 'checkpoint') positions.push(event.position ?? 0);
  });
  // The last two end the job.
  const [first, last] = [await reached(store, positions[0]), await reached(store, positions[positions.length - 3])];
  const seconds = (last.at - first.at) / 1000;
  return { rowsPerSecond: (last.rows - first.rows) / seconds, checkpoints: positions.length };
}

async function reached(store: string, position: number): Promise<{ readonly at: number; readonly rows: number }> {
  const { createdAt, input } = JSON.parse(
    await runProgram([bin, 'show', String(position), '--store', store, '--json']),
  ) as { readonly createdAt: string; readonly input: { readonly rows: number } };
  return { at: Date.parse(createdAt), rows: input.rows };
}
