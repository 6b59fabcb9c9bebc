import { performance } from 'node:perf_hooks';

/** Real milliseconds, for the speed of the simulator itself; nothing that is simulated sees them. */
export function realMs(): number {
  return performance.now();
}
