/**
 * From a thread's death or a throw to the first answer after it, and how much of that the system stood still.
 * `npm run bench -- rollback [ROUNDS]`: 5 rounds when not given.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystem } from 'tidemark';
import { median, print, table } from './measure.ts';
import { Shelf } from './rollback/shelf.ts';

const SHELVES = 64;
const TIMEOUT_MS = 100_000;
const rounds = Number(process.argv[2] ?? 5);

/** Name, bytes of all rows together, bytes of one. */
const STATES = [
  ['small state', 100_000, 100],
  ['100 MB in rows of 10 KB', 100_000_000, 10_000],
  ['100 MB in rows of 100 bytes', 100_000_000, 100],
] as const;

print(`2 workers; medians of ${rounds} rounds; ${availableParallelism()} cores, node ${process.version}`);
const lines = [['', 'stood still, ms', 'to the first answer, ms']];
for (const [name, bytes, rowBytes] of STATES) {
  for (const way of ['fail', 'exit'] as const) {
    const measured = await measure(bytes, rowBytes, way);
    const what = way === 'fail' ? 'a handler throws' : 'a thread dies';
    lines.push([`${name}, ${what}`, ...measured.map((ms) => ms.toFixed(0))]);
  }
}
print(table(lines));
print(`load at the end ${loadavg()[0].toFixed(1)}`);

async function measure(bytes: number, rowBytes: number, way: 'fail' | 'exit'): Promise<readonly [number, number]> {
  const store = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const actors = [new URL('./rollback/shelf.js', import.meta.url)];
  const system = await createSystem({ actors, workers: 2, store, schedule: '1h' });
  const shelves = Array.from({ length: SHELVES }, (_, n) => system.ref(Shelf, String(n)));
  const ask = { timeoutMs: TIMEOUT_MS };
  const rows = Math.ceil(bytes / rowBytes / SHELVES);
  for (const shelf of shelves) await system.tell(shelf).fill(rows, rowBytes);
  for (const shelf of shelves) await system.ask(shelf, ask).look(0);
  const stood: number[] = [];
  const answered: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Each round costs one rollback without a checkpoint in between, and begins from memory.
    await system.checkpoint();
    const back = new Promise<number>((resolve) => {
      const off = system.on('rolled-back', ({ durationMs }) => {
        off();
        resolve(durationMs);
      });
    });
    const began = performance.now();
    // Another one each time: what an actor throws a second time is set aside, and the system does not go back.
    await system.tell(shelves[(2 * round) % SHELVES])[way]();
    stood.push(await back);
    await system.ask(shelves[(2 * round + 1) % SHELVES], ask).look(1);
    answered.push(performance.now() - began);
  }
  await system.stop();
  await rm(store, { recursive: true, force: true });
  return [median(stood), median(answered)];
}
