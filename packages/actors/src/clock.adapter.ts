import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.ts';
import { collected } from './collections.adapter.ts';
import { preempted } from './preemption.adapter.ts';

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.timeOrigin + performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  soon(run) {
    setImmediate(run);
  },
  collected,
  preempted,
};
