import type { AnyJob, Collected } from './job.ts';
import { DISCARDED } from './job-task.ts';
import type { JobResult } from './run-events.ts';

/** The result of a job that has ended: what its workers counted and what it collected, in the order of names and keys. */
export function jobResult(
  job: AnyJob,
  counted: readonly Readonly<Record<string, number>>[],
  gathered: readonly Collected[],
): JobResult {
  const counters = sumOf(counted);
  const collected = [...gathered].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { counters, collected: job.summarize === undefined ? flat(collected) : job.summarize(collected, counters) };
}

/** Collected values as rows: an object's fields beside its key. */
function flat(collected: readonly Collected[]): unknown {
  return collected.map(({ key, value }) =>
    typeof value === 'object' && value !== null ? { key, ...value } : { key, value },
  );
}

/** Counters of all workers, by name, in the order of names. */
function sumOf(each: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const names = [...new Set(each.flatMap(Object.keys))].filter((name) => name !== DISCARDED).sort();
  return Object.fromEntries(
    names.map((name) => [name, each.reduce((sum, counters) => sum + (counters[name] ?? 0), 0)]),
  );
}
