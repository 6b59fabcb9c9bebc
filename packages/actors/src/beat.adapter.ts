import { readFileSync, readlinkSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { BEATS, NODE_THREAD, SYSTEM_THREAD } from './beat.ts';

/** Beats in this thread until the returned function is called, or the thread ends. */
export function startBeat(shared: Int32Array, everyMs: number): () => void {
  Atomics.store(shared, NODE_THREAD, threadId);
  Atomics.store(shared, SYSTEM_THREAD, systemThread());
  Atomics.add(shared, BEATS, 1);
  const timer = setInterval(() => Atomics.add(shared, BEATS, 1), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Milliseconds that a thread of this process was ready to run and had no core, since it began; 0 where nobody tells.
 * Source: https://docs.kernel.org/scheduler/sched-stats.html
 */
export function waitedForCore(shared: Int32Array): number {
  const thread = Atomics.load(shared, SYSTEM_THREAD);
  if (thread === 0) return 0;
  try {
    const [, waitedNs = '0'] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ', 2);
    return Number(waitedNs) / 1e6 || 0;
  } catch {
    // Gone, or kept from us: then time is all that there is to go by.
    return 0;
  }
}

function systemThread(): number {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
