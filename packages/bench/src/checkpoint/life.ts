/** One life of a system with many keys: `node life.js JSON`, where JSON is a `Life`; prints a `Lived`. */
import { performance } from 'node:perf_hooks';
import { createSystem, type SystemEvents } from 'tidemark';
import { stolenMs } from '../measure.ts';
import { Keys, type Told } from './keys.ts';

export interface Life {
  readonly store: string;
  readonly keys: number;
  readonly schedule: string;
  /** Keys changed in a second, over all workers. */
  readonly touchedPerSecond: number;
  readonly seconds: number;
  /** Ends after so many checkpoints, whatever `seconds` says; 0 for none. */
  readonly checkpoints: number;
  /** Kills a thread at the end, and tells how long it took until turns ran again. */
  readonly dies: boolean;
}

export interface Lived {
  readonly updatesPerSecond: number;
  readonly checkpoints: readonly SystemEvents['checkpoint'][];
  readonly longestCollectionMs: number;
  readonly longestStallMs: number;
  /** For how long the cores of this machine were given to others, which no program on it is told. */
  readonly stolenMs: number;
  /** From the start of the system until every worker has told one of its rows; of them what the restore took. */
  readonly startMs: number;
  readonly restoredMs: number | null;
  /** Until every worker has counted its rows, for which it decodes all of them. */
  readonly wholeMs: number;
  /** After the death of a thread; null when none has died. */
  readonly rolledBack: { readonly stoodMs: number; readonly answeredMs: number; readonly wholeMs: number } | null;
}

/** An actor at each of two workers. */
const SHARES = ['a', 'b'];
/** Keys filled in one turn. */
const FILLED = 10_000;
/** Row that is asked for first. */
const FIRST = 17;
const WARM_UP_CHECKPOINTS = 20;
const WARM_UP_MS = 5_000;
const ASK = { timeoutMs: 60_000 };

const life = JSON.parse(process.argv[2]) as Life;
const began = performance.now();
let restoredMs: number | null = null;
const checkpoints: SystemEvents['checkpoint'][] = [];
const system = await createSystem({
  actors: [new URL('./keys.js', import.meta.url)],
  store: life.store,
  workers: SHARES.length,
  schedule: life.schedule,
  observe: (event) => {
    if (event.kind === 'restored') restoredMs = event.durationMs;
  },
});
const shares = SHARES.map((name) => system.ref(Keys, name));
await Promise.all(shares.map((share) => system.ask(share, ASK).look(FIRST)));
const startMs = performance.now() - began;
const sizes = await Promise.all(shares.map((share) => system.ask(share, ASK).size()));
const wholeMs = performance.now() - began;
if (sizes.some((size) => size === 0)) await fill();
await system.checkpoint();

const load = { rows: life.keys / SHARES.length, touchedPerSecond: life.touchedPerSecond / SHARES.length };
await warmUp();
const stolenBefore = await stolenMs();
system.on('checkpoint', (event) => checkpoints.push(event));
for (const share of shares) await system.tell(share).start(load);
const until = performance.now() + life.seconds * 1000;
while (life.checkpoints > 0 ? checkpoints.length < life.checkpoints : performance.now() < until) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const told: Told[] = await Promise.all(shares.map((share) => system.ask(share, ASK).stop()));
const lived: Lived = {
  updatesPerSecond: told.reduce((sum, { updates, ms }) => sum + (updates / ms) * 1000, 0),
  checkpoints: [...checkpoints],
  longestCollectionMs: Math.max(...told.map((each) => each.longestCollectionMs)),
  longestStallMs: Math.max(...told.map((each) => each.longestStallMs)),
  stolenMs: (await stolenMs()) - stolenBefore,
  startMs,
  restoredMs,
  wholeMs,
  rolledBack: life.dies ? await rollBack() : null,
};
await system.stop();
process.stdout.write(`${JSON.stringify(lived)}\n`);

/** Checkpoints under the load that will be measured, until V8 has compiled what they run. */
async function warmUp(): Promise<void> {
  if (life.seconds === 0 && life.checkpoints === 0) return;
  const end = performance.now() + WARM_UP_MS;
  for (const share of shares) await system.tell(share).start(load);
  for (let n = 0; n < WARM_UP_CHECKPOINTS && performance.now() < end; n++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await system.checkpoint();
  }
  await Promise.all(shares.map((share) => system.ask(share, ASK).stop()));
}

/** Ends a worker thread. */
async function rollBack(): Promise<Lived['rolledBack']> {
  const back = new Promise<number>((resolve) => system.on('rolled-back', ({ durationMs }) => resolve(durationMs)));
  const died = performance.now();
  void system.tell(shares[0]).die();
  const stoodMs = await back;
  await Promise.all(shares.map((share) => system.ask(share, ASK).look(FIRST)));
  const answeredMs = performance.now() - died;
  await Promise.all(shares.map((share) => system.ask(share, ASK).size()));
  return { stoodMs, answeredMs, wholeMs: performance.now() - died };
}

async function fill(): Promise<void> {
  const own = life.keys / SHARES.length;
  for (const share of shares) {
    for (let from = 0; from < own; from += FILLED) await system.tell(share).fill(from, Math.min(own, from + FILLED));
  }
  await Promise.all(shares.map((share) => system.ask(share, ASK).size()));
}
