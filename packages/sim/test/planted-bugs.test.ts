import { BUGS, runWithBug, runWithoutBug } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

describe('a bug that somebody plants is caught', () => {
  it.each(BUGS)('$name: $what', async (bug) => {
    const { violations } = await runWithBug(bug, bug.seed);
    expect(violations).not.toEqual([]);
    // The same seed without the bug: what was caught is the bug, and nothing of it is left behind.
    expect((await runWithoutBug(bug, bug.seed)).violations).toEqual([]);
  });
});
