import type { RunResult } from './run.ts';

/** Replays that a shrinking takes at most. */
const REPLAYS_MAX = 150;

/**
 * Leaves out faults one by one as long as the seed still fails.
 *
 * @param replay runs the seed without the faults of these indexes
 * @returns indexes of the faults that are not needed, and the run without them
 */
export async function shrink(
  failing: RunResult,
  replay: (without: ReadonlySet<number>) => Promise<RunResult>,
): Promise<{ readonly without: ReadonlySet<number>; readonly result: RunResult }> {
  let result = failing;
  let without: ReadonlySet<number> = new Set();
  const tried = new Set<number>();
  for (let replays = 0; replays < REPLAYS_MAX; replays++) {
    // The last ones first: what comes before the failure stays as it was.
    const next = result.fired.findLast(({ index }) => !tried.has(index));
    if (next === undefined) break;
    tried.add(next.index);
    const fewer = new Set([...without, next.index]);
    const again = await replay(fewer);
    if (again.violations.length === 0) continue;
    without = fewer;
    result = again;
  }
  return { without, result };
}
