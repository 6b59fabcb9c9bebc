/**
 * The flights job with 2 workers against a plain program and against one written by hand, all in one run.
 * `npm run bench -- flights [ROUNDS [REPLAYS]]`: 5 rounds over the file replayed ten times when not given.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, median, peakMegabytes, print, runProgram, table } from './measure.ts';

const WORKERS = 2;
const KNOWN = { rows: 3_000_000, delay: '20,003,603' };

const product = dirname(fileURLToPath(import.meta.resolve('tidemark/package.json')));
const root = join(product, '../..');
const bin = join(product, 'bin/tidemark.mjs');
const here = (name: string): string => fileURLToPath(new URL(`./flights/${name}.js`, import.meta.url));
const rounds = Number(process.argv[2] ?? 5);
const replays = Number(process.argv[3] ?? 10);

interface Run {
  readonly rowsPerSecond: number;
  readonly peakMb: number;
  readonly checkpoints: readonly { readonly durationMs: number; readonly pauseMs: number; readonly bytes: number }[];
}

const csv = join(root, '.data/flights-3m.csv');
if (!existsSync(csv)) throw new Error('there is no .data/flights-3m.csv yet: npm start makes it');
const folder = await replayed(csv, replays);
const scratch = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));

let pid = 0;

const programs: Record<string, (round: number) => Promise<Run>> = {
  '(a) plain: 1 thread, readline + split + Map': () => program(here('plain')),
  '(b) by hand: 2 threads, msgpackr rows': () => program(here('by-hand')),
  'tidemark, 2 workers, no checkpoints': (round) => tidemark(`none-${round}`, '1h'),
  'tidemark, 2 workers, a checkpoint each second': (round) => tidemark(`second-${round}`, '1s'),
};

print(
  `flights, 3,000,000 real rows replayed x${replays}; ${rounds} rounds, interleaved; ${availableParallelism()} cores, node ${process.version}`,
);
const runs = new Map<string, Run[]>(Object.keys(programs).map((name) => [name, []]));
for (let round = 1; round <= rounds; round++) {
  for (const [name, run] of Object.entries(programs)) runs.get(name)?.push(await run(round));
  print(`  round ${round} of ${rounds}, load ${loadavg()[0].toFixed(1)}`);
}
report(runs);
print('');
await restart();
await rm(scratch, { recursive: true, force: true });

/** A program of this folder, which tells its own rows and seconds. */
async function program(path: string): Promise<Run> {
  const { rows, seconds } = JSON.parse(await runProgram([path, csv, String(replays)])) as {
    rows: number;
    seconds: number;
  };
  return { rowsPerSecond: rows / seconds, peakMb: 0, checkpoints: [] };
}

/** The real job through the real command, from its first turn to its end. */
async function tidemark(name: string, schedule: string): Promise<Run> {
  const checkpoints: { durationMs: number; pauseMs: number; bytes: number }[] = [];
  let startedAt = 0;
  let finishedAt = 0;
  let peakMb = 0;
  let polling: NodeJS.Timeout | undefined;
  const args = [
    bin,
    'run',
    join(root, 'packages/examples/src/flights.ts'),
    '--input',
    folder,
    '--store',
    join(scratch, name),
  ];
  await runProgram([...args, '--schedule', schedule, '--workers', String(WORKERS), '--json'], (line) => {
    const event = JSON.parse(line) as {
      event: string;
      time: string;
      pid: number;
      durationMs: number;
      pauseMs: number;
      bytes: number;
    };
    if (event.event === 'started') {
      startedAt = Date.parse(event.time);
      polling = setInterval(() => {
        void peakMegabytes(event.pid).then((mb) => (peakMb = Math.max(peakMb, mb)));
      }, 100);
    }
    if (event.event === 'checkpoint') checkpoints.push(event);
    if (event.event !== 'finished') return;
    finishedAt = Date.parse(event.time);
    if (!line.includes((KNOWN.rows * replays).toLocaleString('en'))) throw new Error(`wrong result: ${line}`);
  });
  clearInterval(polling);
  return { rowsPerSecond: (KNOWN.rows * replays * 1000) / (finishedAt - startedAt), peakMb, checkpoints };
}

function report(all: ReadonlyMap<string, readonly Run[]>): void {
  const medians = new Map([...all].map(([name, each]) => [name, median(each.map((run) => run.rowsPerSecond))]));
  const [plain, byHand, none, second] = [...medians.values()];
  const rows = [...all].map(([name, each]) => {
    const own = medians.get(name) ?? 0;
    const peak = Math.max(...each.map((run) => run.peakMb));
    return [
      name,
      millions(own),
      `${(own / plain).toFixed(2)}x`,
      `${(own / byHand).toFixed(2)}x`,
      peak === 0 ? '' : `${peak.toFixed(0)} MB`,
    ];
  });
  print('');
  print(table([['median of rows per second', 'rows/s', 'of (a)', 'of (b)', 'peak RSS'], ...rows]));
  const checkpoints = (all.get(Object.keys(programs)[3]) ?? []).flatMap((run) => run.checkpoints);
  const of = (field: 'durationMs' | 'pauseMs' | 'bytes'): number => median(checkpoints.map((each) => each[field]));
  print('');
  print(`a checkpoint each second costs ${((1 - second / none) * 100).toFixed(1)} % of the throughput;`);
  print(
    `  medians of ${checkpoints.length}: ${of('durationMs').toFixed(1)} ms, longest pause ${of('pauseMs').toFixed(2)} ms, ${(of('bytes') / 1000).toFixed(0)} kB`,
  );
}

/** From the kill to the first new record of a restarted job with small state. */
async function restart(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < Math.max(5, rounds); round++) {
    const args = [
      'run',
      join(root, 'packages/examples/src/flights.ts'),
      '--input',
      csv,
      '--store',
      join(scratch, `restart-${round}`),
    ];
    const child = spawn(process.execPath, [bin, ...args, '--schedule', '100ms', '--rate', '100000', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let checkpoints = 0;
    let killedAt = 0;
    await collect(child, 'tidemark', (line) => {
      const event = JSON.parse(line) as { event: string; pid: number };
      if (event.event === 'started' && killedAt === 0) pid = event.pid;
      if (event.event === 'checkpoint' && ++checkpoints === 5 && killedAt === 0) {
        killedAt = performance.now();
        process.kill(pid, 'SIGKILL');
      }
      if (event.event !== 'first-record' || killedAt === 0) return;
      times.push(performance.now() - killedAt);
      child.kill('SIGKILL');
    });
  }
  print(
    `kill -9 of the runtime to its first new record, restarted by its supervisor: median ${median(times).toFixed(0)} ms of ${times.map((ms) => ms.toFixed(0)).join(', ')}`,
  );
}

function millions(rowsPerSecond: number): string {
  return `${(rowsPerSecond / 1e6).toFixed(2)} M`;
}

/** A folder that holds the file as often as it is to be replayed. */
async function replayed(path: string, times: number): Promise<string> {
  const at = join(root, `.data/flights-x${times}`);
  await mkdir(at, { recursive: true });
  for (let copy = 0; copy < times; copy++) {
    const name = join(at, `flights-${String(copy).padStart(2, '0')}.csv`);
    if (!existsSync(name) || (await stat(name)).ino !== (await stat(path)).ino) {
      await rm(name, { force: true });
      await link(path, name);
    }
  }
  return at;
}
