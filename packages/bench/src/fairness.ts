/**
 * What a flood does to those who are not in it: late timers of flooded workers and of the host, and the skew of cuts.
 * `npm run bench -- fairness [SECONDS]`: 5 seconds for each when not given.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createSystem, type System } from 'tidemark';
import { Flooded } from './fairness/flooded.ts';
import { type Late, takeLate } from './fairness/late.ts';
import { spin, type Spun, type ToSpinner } from './fairness/spinner.ts';
import { print, quantile, stolenMs, table } from './measure.ts';

const ACTORS = 256;
const IN_FLIGHT = 64;
const MS = 1_000;
/** Between two checkpoints. */
const CUT_MS = 100;
/** Until a thread runs what it was started for. */
const STARTED_MS = 500;
const ASK = { timeoutMs: 60_000 };
const seconds = Number(process.argv[2] ?? 5);

/** What the host does meanwhile, until it is told to stop. */
type HostWork = (system: System, going: () => boolean) => Promise<void>;

const idles: HostWork = async (_, going) => {
  while (going()) await pause(50);
};

const asks: HostWork = async (system, going) => {
  const lane = async (n: number): Promise<void> => {
    while (going()) await system.ask(system.ref(Flooded, String(n)), ASK).turns();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => lane(n)));
};

const sends: HostWork = async (system, going) => {
  for (let n = 0; going(); n++) await system.tell(system.ref(Flooded, String(n % ACTORS))).take(n);
};

const FLOODS: readonly (readonly [string, number, HostWork])[] = [
  ['1 worker floods itself', 1, idles],
  [`  and the host asks, ${IN_FLIGHT} in flight`, 1, asks],
  ['  and the host sends as fast as it may', 1, sends],
  ['2 workers flood each other', 2, idles],
  [`  and the host asks, ${IN_FLIGHT} in flight`, 2, asks],
  ['  and the host sends as fast as it may', 2, sends],
];

print(`a checkpoint each ${CUT_MS} ms, ${seconds} s each; ${availableParallelism()} cores, node ${process.version}`);
const lines = [
  [
    'ms: p50, p99, most',
    'timer of a worker',
    'of it its own',
    'timer of the host',
    'of it its own',
    'skew of a cut',
    'stolen',
  ],
];
for (const [name, workers, work] of FLOODS) lines.push([name, ...(await measure(workers, work))]);
for (const threads of [1, 2]) {
  lines.push([`${threads} threads spin, without Tidemark`, ...(await measureThreads(threads, 'idle'))]);
  lines.push(['  and the host spins', ...(await measureThreads(threads, 'spins'))]);
}
print(table(lines));
print('Without Tidemark the skew is how long a message of the host to all threads is on its way to the last of them.');
print('By how much timers come late that should come each millisecond. Their own: without collections of garbage, and');
print(
  'without the time in which the thread was ready and another had its core. Stolen is what the hypervisor took from the',
);
print('cores of this machine, all together: it is in every figure.');
print(`Load at the end ${loadavg()[0].toFixed(1)}`);

async function measure(workers: number, work: HostWork): Promise<readonly string[]> {
  const store = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const actors = [new URL('./fairness/flooded.js', import.meta.url)];
  const system = await createSystem({ actors, workers, store, schedule: `${CUT_MS}ms` });
  for (let n = 0; n < ACTORS * 4; n++) await system.tell(system.ref(Flooded, String(n % ACTORS))).round(n);
  await late(system);
  const skews: number[] = [];
  const off = system.on('checkpoint', ({ skewMs }) => skews.push(skewMs));
  takeLate();
  const before = await stolenMs();
  const until = performance.now() + seconds * MS;
  await work(system, () => performance.now() < until);
  const ofHost = takeLate();
  const stolen = (await stolenMs()) - before;
  off();
  const ofWorkers = await late(system);
  await system.stop();
  await rm(store, { recursive: true, force: true });
  return [...shown(ofWorkers), ...shown(ofHost), quantiles(skews), String(stolen)];
}

/** The same of threads that only spin: what the machine does by itself. */
async function measureThreads(threads: number, host: 'idle' | 'spins'): Promise<readonly string[]> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./fairness/spinner.js', import.meta.url)));
  const tell = (told: ToSpinner): void => {
    for (const worker of workers) worker.postMessage(told);
  };
  await pause(STARTED_MS);
  takeLate();
  const before = await stolenMs();
  const until = performance.now() + seconds * MS;
  const instants = setInterval(() => tell({ at: performance.timeOrigin + performance.now() }), CUT_MS);
  while (performance.now() < until) {
    if (host === 'idle') await pause(CUT_MS);
    else {
      spin();
      await turn();
    }
  }
  clearInterval(instants);
  const ofHost = takeLate();
  const stolen = (await stolenMs()) - before;
  const answers = Promise.all(workers.map(async (worker) => ((await once(worker, 'message')) as [Spun])[0]));
  tell('stop');
  const spun = await answers;
  for (const worker of workers) await worker.terminate();
  const skews = spun[0].delays.map((_, n) => Math.max(...spun.map(({ delays }) => delays[n])));
  return [...shown(spun.flatMap((each) => each.late)), ...shown(ofHost), quantiles(skews), String(stolen)];
}

/** How late the timers of all workers were since they were asked last. */
async function late(system: System): Promise<Late[]> {
  // So many keys are at every worker.
  const asked = Array.from({ length: 16 }, (_, n) => system.ask(system.ref(Flooded, `late-${n}`), ASK).late());
  return (await Promise.all(asked)).flat();
}

function shown(calls: readonly Late[]): readonly string[] {
  return [quantiles(calls.map(({ ms }) => ms)), quantiles(calls.map(({ ownMs }) => ownMs))];
}

function quantiles(values: readonly number[]): string {
  return [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1)).join(', ');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
