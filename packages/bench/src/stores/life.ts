/** One life of a system whose whole state is written by each checkpoint: `node life.js JSON`, where JSON is a `Life`; prints a `Lived`. */
import { performance } from 'node:perf_hooks';
import { createSystem } from 'tidemark';
import { Keys } from '../checkpoint/keys.ts';

export interface Life {
  readonly location: string;
  /** Of about a hundred bytes each. */
  readonly rows: number;
  readonly checkpoints: number;
}

export interface Lived {
  readonly positions: readonly number[];
  /** From the question to the answer that it is published. */
  readonly ms: readonly number[];
}

const SHARES = ['a', 'b'];
const FILLED = 10_000;
const ASK = { timeoutMs: 120_000 };

const { location, rows, checkpoints } = JSON.parse(process.argv[2]) as Life;
const system = await createSystem({
  actors: [new URL('../checkpoint/keys.js', import.meta.url)],
  store: location,
  workers: SHARES.length,
  schedule: '1h',
  keep: 3,
});
const shares = SHARES.map((name) => system.ref(Keys, name));
const positions: number[] = [];
const ms: number[] = [];
for (let i = 0; i < checkpoints; i++) {
  await fill();
  const began = performance.now();
  const { position } = await system.checkpoint();
  ms.push(performance.now() - began);
  positions.push(position);
}
await system.stop();
process.stdout.write(`${JSON.stringify({ positions, ms } satisfies Lived)}\n`);

/** Replaces every row, so that the next checkpoint has all of them. */
async function fill(): Promise<void> {
  const own = rows / SHARES.length;
  for (const share of shares) {
    for (let from = 0; from < own; from += FILLED) await system.tell(share).fill(from, Math.min(own, from + FILLED));
  }
  await Promise.all(shares.map((share) => system.ask(share, ASK).size()));
}
