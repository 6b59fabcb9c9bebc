/** How late a timer is that a thread should get each millisecond, and how much of that the thread itself is to blame for. */
import { openSync, readSync } from 'node:fs';
import { performance, PerformanceObserver } from 'node:perf_hooks';

/** How late one call of a timer was, in milliseconds. */
export interface Late {
  readonly ms: number;
  /** Without the time in which the thread was ready and had no core, and without collections: at least; what is both is taken off twice. */
  readonly ownMs: number;
}

const EACH_MS = 1;

/** What the scheduler says of this thread; null where it does not tell. */
const schedstat = openSchedstat();
const calls: { readonly from: number; readonly until: number; readonly waitedMs: number }[] = [];
const collections: { readonly from: number; readonly until: number }[] = [];
let last = { at: performance.now(), waitedMs: waited() };

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    collections.push({ from: startTime, until: startTime + duration });
  }
}).observe({ entryTypes: ['gc'] });

setInterval(() => {
  const now = { at: performance.now(), waitedMs: waited() };
  calls.push({ from: last.at, until: now.at, waitedMs: now.waitedMs - last.waitedMs });
  last = now;
}, EACH_MS).unref();

/** The calls of this thread's timer since it was asked last, as far as all is known of them. */
export function takeLate(): Late[] {
  return calls.splice(0).map(({ from, until, waitedMs }) => {
    const ms = Math.max(0, until - from - EACH_MS);
    return { ms, ownMs: Math.max(0, ms - waitedMs - collected(from, until)) };
  });
}

/** Milliseconds of collections between two instants, which both go forward from call to call. */
function collected(from: number, until: number): number {
  while (collections.length > 0 && collections[0].until < from) collections.shift();
  let ms = 0;
  for (const each of collections) {
    if (each.from > until) break;
    ms += Math.max(0, Math.min(until, each.until) - Math.max(from, each.from));
  }
  return ms;
}

/**
 * Milliseconds for which this thread was ready and had no core, since it began; 0 where the system does not tell.
 * Source: https://docs.kernel.org/scheduler/sched-stats.html
 */
function waited(): number {
  if (schedstat === null) return 0;
  const text = Buffer.alloc(64);
  const length = readSync(schedstat, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

function openSchedstat(): number | null {
  try {
    return openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return null;
  }
}
