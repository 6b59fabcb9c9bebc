/**
 * From a thread's death under load until the host knows of it, and until the system answers again, by the way in which it dies.
 * `npm run bench -- deaths [ROUNDS [WATCHDOG_MS]]`: 10 rounds and 1,000 ms when not given.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystem, type System } from 'tidemark';
import { Dying, type Way } from './deaths/dying.ts';
import { median, print, table } from './measure.ts';

const WAYS: readonly Way[] = ['throw in a timer', 'rejection', 'exit', 'memory', 'loop'];
const ACTORS = 64;
const rounds = Number(process.argv[2] ?? 10);
const watchdogMs = Number(process.argv[3] ?? 1_000);

interface Death {
  /** From its last word to the host's news, in milliseconds. */
  readonly foundMs: number;
  /** From the news until all runs again, and until an actor of that worker has answered. */
  readonly stoodMs: number;
  readonly servingMs: number;
}

print(
  `2 workers under load, watchdog ${watchdogMs} ms; medians of ${rounds} rounds; ${availableParallelism()} cores, node ${process.version}`,
);
const lines = [['a thread ends by', 'found after, ms', 'stood still, ms', 'serving again after it was found, ms']];
for (const way of WAYS) {
  const deaths = await measure(way);
  const of = (each: (death: Death) => number): string => median(deaths.map(each)).toFixed(0);
  lines.push([way, of(({ foundMs }) => foundMs), of(({ stoodMs }) => stoodMs), of(({ servingMs }) => servingMs)]);
}
print(table(lines));
print(`memory: most of it is the time in which V8 tries to go on. Load at the end ${loadavg()[0].toFixed(1)}`);

async function measure(way: Way): Promise<readonly Death[]> {
  const store = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const system = await createSystem({
    actors: [new URL('./deaths/dying.js', import.meta.url)],
    workers: 2,
    store,
    schedule: '1h',
    watchdogMs,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  system.on('warning', () => undefined);
  for (let n = 0; n < ACTORS; n++) await system.tell(system.ref(Dying, String(n))).pass(n);
  const deaths: Death[] = [];
  for (let round = 0; round < rounds; round++) {
    // Each begins with a checkpoint: rollbacks without one in between are tried with waits.
    await system.checkpoint();
    deaths.push(await die(system, way));
  }
  await system.stop();
  await rm(store, { recursive: true, force: true });
  return deaths;
}

async function die(system: System, way: Way): Promise<Death> {
  const victim = system.ref(Dying, 'victim');
  let diedAt = 0;
  const offLog = system.on('log', ({ text }) => (diedAt = Number(/^dying at ([\d.]+)$/.exec(text)?.[1] ?? diedAt)));
  const back = new Promise<{ readonly at: number; readonly stoodMs: number }>((resolve) => {
    const off = system.on('rolled-back', ({ durationMs }) => {
      off();
      resolve({ at: performance.timeOrigin + performance.now(), stoodMs: durationMs });
    });
  });
  await system.tell(victim).die(way);
  const { at, stoodMs } = await back;
  await system.ask(victim, { timeoutMs: 60_000 }).look();
  const servedAt = performance.timeOrigin + performance.now();
  offLog();
  const foundAt = at - stoodMs;
  return { foundMs: foundAt - diedAt, stoodMs, servingMs: servedAt - foundAt };
}
