/**
 * The flights job as an expert writes it by hand for two threads, without fault tolerance: each reads half of the file
 * and sends whole rows to the other by airport. `node by-hand.js PATH [REPLAYS]`
 *
 * The clock runs from when both workers are loaded until the host has both results.
 */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ByHandTask, ToHost, ToWorker } from './by-hand-messages.ts';
import { programArguments, report, type Totals } from './totals.ts';

const { path, replays } = programArguments(process.argv.slice(2));
const [start, middle, end] = await halves(path);
const { port1, port2 } = new MessageChannel();
const tasks: readonly ByHandTask[] = [
  { path, replays, index: 0, start, end: middle, peer: port1 },
  { path, replays, index: 1, start: middle, end, peer: port2 },
];
const workers = tasks.map(
  (task) =>
    new Worker(new URL('./by-hand-worker.js', import.meta.url), { workerData: task, transferList: [task.peer] }),
);
await Promise.all(workers.map((worker) => replyOf(worker)));

const startedAt = performance.now();
const results = workers.map((worker) => replyOf(worker));
for (const worker of workers) worker.postMessage({ kind: 'start' } satisfies ToWorker);
const totals: Totals = new Map();
for (const reply of await Promise.all(results)) {
  if (reply.kind !== 'result') throw new Error(`A worker answered "${reply.kind}" instead of its result.`);
  for (const [airport, its] of reply.totals) totals.set(airport, its);
}
const seconds = (performance.now() - startedAt) / 1000;
process.stdout.write(`${report(totals, replays, seconds)}\n`);

/** Its next message; rejects when it fails. */
async function replyOf(worker: Worker): Promise<ToHost> {
  const [message] = (await once(worker, 'message')) as [ToHost];
  return message;
}

/** Offsets of the first row, of a row near the middle, and of the end. */
async function halves(file: string): Promise<readonly [number, number, number]> {
  const handle = await open(file);
  const { size } = await handle.stat();
  const offsets = [await rowAfter(handle, 0), await rowAfter(handle, Math.floor(size / 2)), size] as const;
  await handle.close();
  return offsets;
}

/** Offset of the first row that begins after `offset`; rows are shorter than 4 KB and none has a quote. */
async function rowAfter(handle: FileHandle, offset: number): Promise<number> {
  const bytes = Buffer.alloc(4096);
  await handle.read(bytes, 0, bytes.length, offset);
  return offset + bytes.indexOf('\n') + 1;
}
