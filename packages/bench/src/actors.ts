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
const scaled = (messages: number): number => Math.max(1, Math.round((messages * share) / BURST)) * BURST;
const TELLS = scaled(500_000);
const ASKS = scaled(50_000);
const IDLE_ASKS = scaled(2_000);

type Measure = (contender: Contender) => Promise<number | null>;

/** Percentiles come from one measurement, so the waits of all rounds are kept. */
const waits = new Map<string, number[]>();

const MEASURES: Readonly<Record<string, Measure>> = {
  'tells a second, in one thread': async (one) => (await one.inThread?.(TELLS)) ?? null,
  'tells a second, from worker to worker': async (one) => (await one.between?.(TELLS)) ?? null,
  'tells a second, from the app to a worker': async (one) => (await one.fromHost?.(TELLS)) ?? null,
  [`asks a second, ${IN_FLIGHT} in flight`]: (one) => asks(one),
  'idle ask, median in µs': (one) => idleAsks(one),
};

const contenders = [
  await tidemark(),
  await byHand('by hand, one by one', 'one'),
  await byHand('by hand, batches cloned', 'clone'),
  await byHand('by hand, batches by msgpackr', 'msgpackr'),
  await piscina(IN_FLIGHT),
  await comlink(),
  await comedy(),
];

print(
  `medians of ${rounds} rounds, interleaved, after one to warm up; ${availableParallelism()} cores, node ${process.version}`,
);
const results = new Map<string, Map<string, number[]>>();
for (let round = 0; round <= rounds; round++) {
  for (const [what, measure] of Object.entries(MEASURES)) {
    for (const one of contenders) {
      const value = await measure(one);
      if (value !== null && round > 0) keep(what, one.name, value);
    }
  }
  if (round === 0) waits.clear();
  print(`  round ${round} of ${rounds}, load ${loadavg()[0].toFixed(1)}`);
}
for (const [what, values] of results) report(what, values);
print(`\nidle ask, all rounds: p50 and p99 in µs`);
print(table([['', 'p50', 'p99'], ...[...waits].map(([name, all]) => [name, micros(all, 0.5), micros(all, 0.99)])]));
await reportMemory();
for (const one of contenders) await one.stop();
// A thread of comedy leaves a port open, which would keep this process.
process.exit();

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
  for (const one of contenders) {
    const measured = await one.bytesPerActor?.();
    if (measured === undefined) continue;
    const name = one.name === 'by hand, one by one' ? 'by hand: objects in a Map' : one.name;
    rows.push([name, measured.bytes.toFixed(0), measured.actors.toLocaleString('en')]);
  }
  print(table([['', 'bytes', 'of so many'], ...rows]));
}

async function asks(one: Contender): Promise<number | null> {
  if (one.ask === undefined) return null;
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= ASKS) await one.ask?.(next++);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (ASKS * 1000) / (performance.now() - began);
}

async function idleAsks(one: Contender): Promise<number | null> {
  if (one.ask === undefined) return null;
  const all: number[] = [];
  for (let id = 1; id <= IDLE_ASKS; id++) {
    const began = performance.now();
    await one.ask(id);
    all.push((performance.now() - began) * 1000);
  }
  waits.set(one.name, [...(waits.get(one.name) ?? []), ...all]);
  return median(all);
}

function micros(all: readonly number[], at: number): string {
  return quantile(all, at).toFixed(0);
}
