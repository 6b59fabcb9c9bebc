/**
 * A buffer to a service and back, copied and moved, by its size.
 * `npm run bench -- moves [ROUNDS]`: 20 rounds when not given.
 */
import { availableParallelism, loadavg } from 'node:os';
import { createSystem, move } from 'tidemark';
import { median, print, table } from './measure.ts';
import { Raiser } from './moves/raiser.ts';

const MEGABYTE = 1024 * 1024;
/** A message holds 16 MiB at most. */
const COPIED_MAX = 15;
const rounds = Number(process.argv[2] ?? 20);

const system = await createSystem({ actors: [new URL('./moves/raiser.js', import.meta.url)], workers: 1 });
const service = system.ask(Raiser, { timeoutMs: 60_000 });
const lines = [['megabytes', 'copied, ms', 'moved, ms']];
for (const size of [1, 8, 64]) {
  const copied = size > COPIED_MAX ? '-' : await time(size, (bytes) => service.copied(bytes));
  lines.push([String(size), copied, await time(size, (bytes) => service.moved(move(bytes)))]);
}
await system.stop();
print(
  `medians of ${rounds} rounds; ${availableParallelism()} cores, node ${process.version}, load ${loadavg()[0].toFixed(1)}`,
);
print(table(lines));

/** Milliseconds, median. The first round warms up. */
async function time(size: number, ask: (bytes: Uint8Array) => Promise<Uint8Array>): Promise<string> {
  const all: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const bytes = new Uint8Array(size * MEGABYTE).fill(1);
    const began = performance.now();
    await ask(bytes);
    if (round > 0) all.push(performance.now() - began);
  }
  return median(all).toFixed(2);
}
