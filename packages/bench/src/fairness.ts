/**
 * What a flood does to those who are not in it: late timers of a flooded worker, the cut's skew, delays of the host's event loop.
 * `npm run bench -- fairness [SECONDS]`: 5 seconds for each when not given.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createSystem, type System } from 'tidemark';
import { Flooded } from './fairness/flooded.ts';
import { print, quantile, table } from './measure.ts';

const ACTORS = 256;
const IN_FLIGHT = 64;
const MS = 1_000;
const seconds = Number(process.argv[2] ?? 5);

/** What the host does meanwhile, until it is told to stop. */
type HostWork = (system: System, going: () => boolean) => Promise<void>;

const HOST: Readonly<Record<string, HostWork>> = {
  'workers flood each other': async (_, going) => {
    while (going()) await new Promise((resolve) => setTimeout(resolve, 50));
  },
  [`and the host asks, ${IN_FLIGHT} in flight`]: async (system, going) => {
    const lane = async (n: number): Promise<void> => {
      while (going()) await system.ask(system.ref(Flooded, String(n)), { timeoutMs: 60_000 }).turns();
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => lane(n)));
  },
  'and the host sends as fast as it may': async (system, going) => {
    for (let n = 0; going(); n++) await system.tell(system.ref(Flooded, String(n % ACTORS))).take(n);
  },
};

print(
  `2 workers, a checkpoint each 100 ms, ${seconds} s each; ${availableParallelism()} cores, node ${process.version}`,
);
const head = [
  'ms: p50, p99, most',
  'timer of a worker is late',
  'skew of a cut',
  'pause of a cut',
  'host loop is late',
];
const lines = [head];
for (const [name, work] of Object.entries(HOST)) lines.push([name, ...(await measure(work))]);
print(table(lines));
print(`Garbage collections and other programs on these cores count too. Load at the end ${loadavg()[0].toFixed(1)}`);

async function measure(work: HostWork): Promise<readonly string[]> {
  const store = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const actors = [new URL('./fairness/flooded.js', import.meta.url)];
  const system = await createSystem({ actors, workers: 2, store, schedule: '100ms' });
  for (let n = 0; n < ACTORS * 4; n++) await system.tell(system.ref(Flooded, String(n % ACTORS))).round(n);
  await late(system);
  const [skews, pauses]: [number[], number[]] = [[], []];
  const off = system.on('checkpoint', ({ skewMs, pauseMs }) => {
    skews.push(skewMs);
    pauses.push(pauseMs);
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const until = performance.now() + seconds * MS;
  await work(system, () => performance.now() < until);
  delay.disable();
  off();
  const timers = await late(system);
  await system.stop();
  await rm(store, { recursive: true, force: true });
  // The histogram counts the resolution itself as delay.
  const host = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => Math.max(0, ns / 1e6 - 1));
  return [...[timers, skews, pauses].map(shown), host.map((ms) => ms.toFixed(1)).join(', ')];
}

/** What the timers of all workers were late by since they were asked last. */
async function late(system: System): Promise<number[]> {
  const ask = (n: number): Promise<number[]> =>
    system.ask(system.ref(Flooded, `late-${n}`), { timeoutMs: 60_000 }).late();
  // So many keys are at both workers.
  return (await Promise.all(Array.from({ length: 16 }, (_, n) => ask(n)))).flat();
}

function shown(values: readonly number[]): string {
  return [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1)).join(', ');
}
