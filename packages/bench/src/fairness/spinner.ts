/** A thread without Tidemark: works in slices as long as a worker's, and lets its event loop turn after each. */
import { parentPort } from 'node:worker_threads';
import { takeLate } from './late.ts';

const SLICE_MS = 1;
let spins = true;

spin();
parentPort?.on('message', () => {
  spins = false;
  parentPort?.postMessage(takeLate());
});

function spin(): void {
  const until = performance.now() + SLICE_MS;
  while (performance.now() < until);
  if (spins) setImmediate(spin);
}
