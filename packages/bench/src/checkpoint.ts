/**
 * Checkpoints of a million keys of a hundred bytes on 2 workers that change them at random at full speed.
 * `npm run bench -- checkpoint [SECONDS [KEYS]]`: 10 seconds for each line and 1,000,000 keys when not given.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Life, Lived } from './checkpoint/life.ts';
import { median, print, quantile, runProgram, table } from './measure.ts';

const seconds = Number(process.argv[2] ?? 10);
const keys = Number(process.argv[3] ?? 1_000_000);
const TOUCHED = [0, 1_000, 10_000, 100_000, keys];
const INTERVALS = ['100ms', '1s', '10s'];
const RESTARTS = 5;
const MANY_CHECKPOINTS = 3_000;

const HEAD = [
  'touched/s',
  'each',
  'M/s',
  'loss',
  'taken',
  'bytes p50',
  'ms p50',
  'ms p99',
  'pause p50',
  'pause p99',
  'longest gc',
  'longest stall',
  'stolen',
];

let stores = 0;
const scratch = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
try {
  print(
    `${keys.toLocaleString('en')} keys, 2 workers, ${availableParallelism()} cores, node ${process.version}, load ${loadavg()[0].toFixed(1)}`,
  );
  await checkpoints();
  await restores();
  await files();
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Throughput with and without checkpoints, for each number of keys touched in a second. */
async function checkpoints(): Promise<void> {
  const rows: string[][] = [];
  const pauses: number[] = [];
  for (const touchedPerSecond of TOUCHED) {
    const none = await live({ touchedPerSecond, schedule: '1h' });
    rows.push(row(touchedPerSecond, 'none', none, none));
    for (const schedule of INTERVALS) {
      const lived = await live({ touchedPerSecond, schedule, seconds: schedule === '10s' ? seconds * 3 : seconds });
      rows.push(row(touchedPerSecond, schedule, lived, none));
      pauses.push(...lived.checkpoints.map(({ pauseMs }) => pauseMs));
    }
    print(`  ${touchedPerSecond.toLocaleString('en')} touched a second: done, load ${loadavg()[0].toFixed(1)}`);
  }
  print('');
  print(table([HEAD, ...rows]));
  print(
    'ms; pauses without collections of garbage, of which the longest of each run stands beside them, and without the time',
  );
  print(
    'in which the thread was ready and another had its core. A stall is any stretch without a turn. Stolen is what the',
  );
  print('hypervisor took from the cores of this machine, all together: a pause is longer by what falls into it.');
  const above = pauses.filter((ms) => ms >= 1).length;
  const of = (share: number): string => quantile(pauses, share).toFixed(2);
  print(`all ${pauses.length} checkpoints: pause p50 ${of(0.5)}, p99 ${of(0.99)}; ${above} of them 1 ms or more`);
  print('');
}

function row(touched: number, schedule: string, lived: Lived, none: Lived): string[] {
  const of = (field: 'bytes' | 'durationMs' | 'pauseMs', share: number): number =>
    quantile(
      lived.checkpoints.map((each) => each[field]),
      share,
    );
  const own = [
    touched === keys ? 'all' : touched.toLocaleString('en'),
    schedule,
    (lived.updatesPerSecond / 1e6).toFixed(2),
    lived === none ? '' : `${((1 - lived.updatesPerSecond / none.updatesPerSecond) * 100).toFixed(1)} %`,
  ];
  const stall = lived.longestStallMs.toFixed(1);
  const machine = [lived.longestCollectionMs.toFixed(1), stall, String(lived.stolenMs)];
  if (lived.checkpoints.length === 0) return [...own, '', '', '', '', '', '', ...machine];
  return [
    ...own,
    String(lived.checkpoints.length),
    `${(of('bytes', 0.5) / 1e6).toFixed(2)} MB`,
    of('durationMs', 0.5).toFixed(1),
    of('durationMs', 0.99).toFixed(1),
    of('pauseMs', 0.5).toFixed(2),
    of('pauseMs', 0.99).toFixed(2),
    ...machine,
  ];
}

/** From the start of a process to the first turn of every worker, and from the death of a thread to the same. */
async function restores(): Promise<void> {
  const store = join(scratch, 'restores');
  await live({ store, seconds: 1 });
  const starts: Lived[] = [];
  for (let i = 0; i < RESTARTS; i++) starts.push(await live({ store, seconds: 0, dies: true }));
  const ms = (of: (lived: Lived) => number | null): string => median(starts.map((each) => of(each) ?? 0)).toFixed(0);
  print(`start of a system with all keys: ${ms(({ restoredMs }) => restoredMs)} ms until restored,`);
  print(`  ${ms(({ startMs }) => startMs)} ms until every worker has told one of its rows, medians of ${RESTARTS};`);
  print(`  ${ms(({ wholeMs }) => wholeMs)} ms until all rows are decoded, where somebody wants all at once`);
  print(`death of a thread: stood still for ${ms(({ rolledBack }) => rolledBack?.stoodMs ?? null)} ms,`);
  print(`  ${ms(({ rolledBack }) => rolledBack?.answeredMs ?? null)} ms until every worker has told one of its rows,`);
  print(`  ${ms(({ rolledBack }) => rolledBack?.wholeMs ?? null)} ms until all rows are decoded`);
  const small = join(scratch, 'small');
  const deaths: number[] = [];
  await live({ store: small, keys: 10_000, seconds: 0 });
  for (let i = 0; i < RESTARTS; i++) {
    deaths.push((await live({ store: small, keys: 10_000, seconds: 0, dies: true })).rolledBack?.answeredMs ?? 0);
  }
  print(`  with 10,000 keys: ${median(deaths).toFixed(0)} ms`);
  print('');
}

/** How many files a restore reads after thousands of checkpoints. */
async function files(): Promise<void> {
  const store = join(scratch, 'files');
  const checkpointsMax = MANY_CHECKPOINTS;
  const few = { keys: 20_000, touchedPerSecond: 5_000, schedule: '10ms' };
  const lived = await live({ store, ...few, checkpoints: checkpointsMax });
  const log = join(store, 'main/log');
  const counts: number[] = [];
  for (const name of await readdir(log)) {
    const record = JSON.parse((await readFile(join(log, name), 'utf8')).split('\n')[0]) as {
      parts?: { files: unknown[] }[];
    };
    for (const part of record.parts ?? []) counts.push(part.files.length);
  }
  const stored = (await readdir(join(store, 'main/part'))).length;
  print(
    `after ${lived.checkpoints.length.toLocaleString('en')} checkpoints: at most ${Math.max(...counts)} files a part in the ${counts.length / 3} that are kept; ${stored} files in the store`,
  );
}

async function live(given: Partial<Life>): Promise<Lived> {
  const life: Life = {
    store: join(scratch, `store-${stores++}`),
    keys,
    schedule: '1h',
    touchedPerSecond: 10_000,
    seconds,
    checkpoints: 0,
    dies: false,
    ...given,
  };
  const program = fileURLToPath(new URL('./checkpoint/life.js', import.meta.url));
  const lived = JSON.parse(await runProgram([program, JSON.stringify(life)])) as Lived;
  if (given.store === undefined) await rm(life.store, { recursive: true, force: true });
  return lived;
}
