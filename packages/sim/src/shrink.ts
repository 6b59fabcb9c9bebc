import type { RunResult } from './run-options.ts';

/** Replays that a shrinking takes at most. */
const REPLAYS_MAX = 150;

/**
 * Leaves out faults one by one as long as the seed still fails, until each that is left is needed.
 *
 * @param replay runs the seed with no other faults than those of these indexes
 * @returns the run with the fewest faults; what it `fired` is what it needs
 */
export async function shrink(
  failing: RunResult,
  replay: (only: ReadonlySet<number>) => Promise<RunResult>,
): Promise<RunResult> {
  let least = failing;
  const needed = new Set<number>();
  let found = false;
  for (let replays = 0; replays < REPLAYS_MAX; replays++) {
    // The last ones first: what comes before them stays as it was.
    const next = least.fired.findLast(({ index }) => !needed.has(index));
    if (next === undefined) {
      if (!found) break;
      // What one was needed for may have gone with another.
      found = false;
      needed.clear();
      continue;
    }
    const again = await replay(new Set(least.fired.flatMap(({ index }) => (index === next.index ? [] : [index]))));
    if (again.violations.length > 0) {
      least = again;
      found = true;
    } else needed.add(next.index);
  }
  return least;
}
