/**
 * Actors beside raw MessagePorts by hand, Piscina, Comlink and comedy: sends, asks, memory, all in one process and run.
 * `npm run bench -- actors [ROUNDS [SHARE]]`: 5 rounds when not given; SHARE of 0.1 sends a tenth of the messages.
 */
import { availableParallelism, loadavg } from 'node:os';
import { byHand } from './actors/by-hand.ts';
import { comedy } from './actors/comedy.ts';
import { comlink } from './actors/comlink.ts';
import type { Contender } from './actors/contender.ts';
import { piscina } from './actors/piscina.ts';
import { BURST } from './actors/small.ts';
import { tidemark } from './actors/tidemark.ts';
import { median, print, quantile, table } from './measure.ts';

const IN_FLIGHT = 64;
const rounds = Number(process.argv[2] ?? 5);
const share = Number(process.argv[3] ?? 1);

/** Multiples of a burst, since credit is given for bursts. */
const scaled = (messages: number): number => Math.max(1, Math.round(messages / BURST)) * BURST;
const TELLS = 500_000 * share;
const ASKS = 50_000 * share;
const IDLE_ASKS = 2_000 * share;

/** Milliseconds for which a contender warms up, at least, and the share of the messages that it does at a time. */
const WARM_MS = 1_000;
const WARM = 0.5;

/** With a share of the messages. */
type Measure = (contender: Contender, of: number) => Promise<number | null>;

/** Percentiles come from one measurement, so the waits of all rounds are kept. */
const waits = new Map<string, number[]>();

const MEASURES: Readonly<Record<string, Measure>> = {
  'tells a second, in one thread': async (one, of) => (await one.inThread?.(scaled(TELLS * of))) ?? null,
  'tells a second, from worker to worker': async (one, of) => (await one.between?.(scaled(TELLS * of))) ?? null,
  'tells a second, from the app to a worker': async (one, of) => (await one.fromHost?.(scaled(TELLS * of))) ?? null,
  [`asks a second, ${IN_FLIGHT} in flight`]: (one, of) => asks(one, scaled(ASKS * of)),
  'idle ask, median in µs': (one, of) => idleAsks(one, scaled(IDLE_ASKS * of), of === 1),
};

const CONTENDERS: readonly (() => Promise<Contender>)[] = [
  tidemark,
  () => byHand('by hand, one by one', 'one'),
  () => byHand('by hand, batches cloned', 'clone'),
  () => byHand('by hand, batches by msgpackr', 'msgpackr'),
  () => piscina(IN_FLIGHT),
  comlink,
  comedy,
];

print(
  `medians of ${rounds} rounds, interleaved, after one to warm up; ${availableParallelism()} cores, node ${process.version}`,
);
print('each contender is started for its turn, warmed up and stopped, so that nobody pays for the threads of another');
const results = new Map<string, Map<string, number[]>>();
for (let round = 0; round <= rounds; round++) {
  for (const start of CONTENDERS) await alone(start, round > 0);
  print(`  round ${round} of ${rounds}, load ${loadavg()[0].toFixed(1)}`);
}
for (const [what, values] of results) report(what, values);
print(`\nidle ask, all rounds: p50 and p99 in µs`);
print(table([['', 'p50', 'p99'], ...[...waits].map(([name, all]) => [name, micros(all, 0.5), micros(all, 0.99)])]));
await reportMemory();
// A thread of comedy leaves a port open, which would keep this process.
process.exit();

/** One round of one contender: each measurement after others like it, in which the code of its threads is compiled. */
async function alone(start: () => Promise<Contender>, counts: boolean): Promise<void> {
  const one = await start();
  try {
    for (const [what, measure] of Object.entries(MEASURES)) {
      const warmUntil = performance.now() + WARM_MS;
      do await measure(one, WARM);
      while (performance.now() < warmUntil);
      const value = await measure(one, 1);
      if (value !== null && counts) keep(what, one.name, value);
    }
  } finally {
    await one.stop();
  }
}

function keep(what: string, name: string, value: number): void {
  const values = results.get(what) ?? new Map<string, number[]>();
  results.set(what, values.set(name, [...(values.get(name) ?? []), value]));
}

function report(what: string, values: ReadonlyMap<string, readonly number[]>): void {
  const own = median(values.get('tidemark') ?? []);
  const rows = [...values].map(([name, each]) => {
    const value = median(each);
    return [name, Math.round(value).toLocaleString('en'), `${(own / value).toFixed(2)}x`];
  });
  print(`\n${what}`);
  print(table([['', 'median', 'tidemark is'], ...rows]));
}

async function reportMemory(): Promise<void> {
  print('\nbytes of heap for a tiny actor');
  const rows: string[][] = [];
  for (const start of CONTENDERS) {
    const one = await start();
    const measured = await one.bytesPerActor?.();
    await one.stop();
    if (measured === undefined) continue;
    const name = one.name === 'by hand, one by one' ? 'by hand: objects in a Map' : one.name;
    rows.push([name, measured.bytes.toFixed(0), measured.actors.toLocaleString('en')]);
  }
  print(table([['', 'bytes', 'of so many'], ...rows]));
}

async function asks(one: Contender, count: number): Promise<number | null> {
  if (one.ask === undefined) return null;
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= count) await one.ask?.(next++);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (count * 1000) / (performance.now() - began);
}

async function idleAsks(one: Contender, count: number, counts: boolean): Promise<number | null> {
  if (one.ask === undefined) return null;
  const all: number[] = [];
  for (let id = 1; id <= count; id++) {
    const began = performance.now();
    await one.ask(id);
    all.push((performance.now() - began) * 1000);
  }
  if (counts) waits.set(one.name, [...(waits.get(one.name) ?? []), ...all]);
  return median(all);
}

function micros(all: readonly number[], at: number): string {
  return quantile(all, at).toFixed(0);
}
