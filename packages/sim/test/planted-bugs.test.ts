import { BUGS, hunt, runWithoutBug } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

/** Tried when the recorded seed catches it no longer: any change of production code changes what happens in a seed. */
const FRESH = 40;

describe('a bug that somebody plants is caught', () => {
  it.each(BUGS)('$name: $what', async (bug) => {
    const caught = (await hunt(bug, bug.seed, 1)) ?? (await hunt(bug, 1, FRESH));
    expect(caught, `neither by seed ${bug.seed} nor by the first ${FRESH}`).not.toBeNull();
    // The same seed without the bug: what was caught is the bug, and nothing of it is left behind.
    const { violations } = await runWithoutBug(bug, caught?.seed ?? bug.seed);
    expect(violations).toEqual([]);
  });
});
