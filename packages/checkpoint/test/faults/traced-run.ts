import { expect } from 'vitest';
import { type Acked, LedgerProcess } from './child.ts';
import type { Phase, Stores } from './phases.ts';
import { type Point, readTrace, type Trace } from './trace-log.ts';
import { type Injection, Tracer } from './tracer.ts';

/** A phase that was run once, and its process as it is after it. */
export interface TracedRun extends Trace {
  readonly folder: string;
  readonly child: LedgerProcess;
  /** The process was gone before the phase was over. */
  readonly killed: boolean;
  readonly acked: Acked | null;
}

/** Runs a phase over a store of its own, traced from its first call to its last. The caller ends the process. */
export async function tracedRun(
  stores: Stores,
  phase: Phase,
  injection: Injection | null,
  { everyThread = false } = {},
): Promise<TracedRun> {
  const folder = await stores.with(phase.before);
  const log = stores.file('trace');
  const child = new LedgerProcess({ store: folder, ...phase.options });
  try {
    await child.hearSurely(phase.options.gate === true ? 'waiting' : 'ready');
    await child.quiet();
    const tracer = await Tracer.attach(everyThread ? child.pid : child.pool, log, injection, everyThread);
    await phase.run(child, folder);
    await child.quiet();
    await tracer.detach();
    return { ...readTrace(log, folder), folder, child, killed: child.isGone, acked: child.acks.at(-1) ?? null };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

/** All calls to the store's files of one undisturbed run. No other thread than the one that is traced makes any. */
export async function pointsOf(stores: Stores, phase: Phase): Promise<readonly Point[]> {
  const { points, child } = await tracedRun(stores, phase, null);
  await child.kill();
  const every = await tracedRun(stores, phase, null, { everyThread: true });
  await every.child.kill();
  expect([...every.threads], 'threads that touch the store').toEqual([every.child.pool]);
  expect(points.length).toBeGreaterThan(20);
  return points;
}

/** Where a call is looked for that has changed places with another of its name: at its own number first. */
export function* numbersNear(nth: number): Generator<number> {
  yield nth;
  for (let away = 1; away <= AWAY_MAX; away++) {
    yield nth + away;
    if (nth > away) yield nth - away;
  }
}

const AWAY_MAX = 12;
