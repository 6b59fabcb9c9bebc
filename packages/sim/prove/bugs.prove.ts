import { BUGS, hunt } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

const SEEDS = Number(process.env['TIDEMARK_SIM_SEEDS'] ?? '10000');
/** Seeds that no recorded one is among. */
const FROM = 1_000_000;

describe(`within ${SEEDS} seeds that nobody has tried`, () => {
  it.each(BUGS)('$name is caught', async (bug) => {
    const caught = await hunt(bug, FROM, SEEDS);
    console.log(`${bug.name}: seed ${caught?.seed}, the ${caught?.seeds}th, ${caught?.violation}`);
    expect(caught).not.toBeNull();
  });
});
