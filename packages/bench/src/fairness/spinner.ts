/** A thread without Tidemark: works in slices as long as a worker's, and lets its event loop turn after each. */
import { parentPort } from 'node:worker_threads';
import { type Late, takeLate } from './late.ts';

const SLICE_MS = 1;

/** What a spinner is told: an instant at which it was told it (milliseconds since 1970), or that it is over. */
export type ToSpinner = { readonly at: number } | 'stop';

export interface Spun {
  readonly late: readonly Late[];
  /** How long each instant was on its way, in milliseconds. */
  readonly delays: readonly number[];
}

/** Works for one slice. */
export function spin(): void {
  const until = performance.now() + SLICE_MS;
  while (performance.now() < until);
}

if (parentPort !== null) {
  const delays: number[] = [];
  let spins = true;
  const round = (): void => {
    spin();
    if (spins) setImmediate(round);
  };
  round();
  parentPort.on('message', (told: ToSpinner) => {
    if (told !== 'stop') {
      delays.push(performance.timeOrigin + performance.now() - told.at);
      return;
    }
    spins = false;
    parentPort?.postMessage({ late: takeLate(), delays } satisfies Spun);
  });
}
