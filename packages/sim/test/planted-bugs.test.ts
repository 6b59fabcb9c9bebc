import { BUGS, hunt, runWithoutBug } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

/** Seeds that nobody has tried: a bug must be caught by one of them, whatever a change has made of the recorded one. */
const FRESH_FROM = 500_000;
const FRESH = 50;

describe('a bug that somebody plants is caught', () => {
  it.each(BUGS)('$name: $what', async (bug) => {
    const recorded = await hunt(bug, bug.seed, 1);
    const fresh = await hunt(bug, FRESH_FROM, FRESH);
    expect(fresh, `by none of ${FRESH} fresh seeds`).not.toBeNull();
    // The same seeds without the bug: what was caught is the bug, and nothing of it is left behind.
    for (const caught of [recorded, fresh]) {
      if (caught === null) continue;
      const { violations } = await runWithoutBug(bug, caught.seed);
      expect(violations, `seed ${caught.seed} without the bug`).toEqual([]);
    }
  });
});
