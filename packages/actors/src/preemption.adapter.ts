import { openSync, readSync } from 'node:fs';

/** What the scheduler says of this thread: nanoseconds on a core, nanoseconds of waiting for one, and turns. */
const SCHEDSTAT = '/proc/thread-self/schedstat';

const text = Buffer.alloc(64);
let file: number | null | undefined;

/**
 * Milliseconds that this thread was ready to run and had no core, since it began; 0 where the system does not tell.
 * Source: https://docs.kernel.org/scheduler/sched-stats.html
 */
export function preempted(): number {
  if (file === undefined) file = open();
  if (file === null) return 0;
  try {
    const length = readSync(file, text, 0, text.length, 0);
    const [, waitedNs = '0'] = text.toString('latin1', 0, length).split(' ', 2);
    return Number(waitedNs) / 1e6 || 0;
  } catch {
    // A figure for people must not fail what it is about.
    file = null;
    return 0;
  }
}

function open(): number | null {
  try {
    // Names this thread by its number from here on; the thread's end closes it.
    return openSync(SCHEDSTAT, 'r');
  } catch {
    return null;
  }
}
