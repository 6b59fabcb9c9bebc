import { PROGRAMS, runSeed } from '@tidemark/sim/internal';
import { expect, test } from 'vitest';

const SEEDS = 20;
const STEPS = 400;

test(`${SEEDS} seeds, each run twice, do the same things at the same times`, async () => {
  const first = await hashes();
  const second = await hashes();
  expect(second).toEqual(first);
  expect(new Set(first).size).toBe(SEEDS);
});

async function hashes(): Promise<readonly string[]> {
  const all: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const program = PROGRAMS[seed % PROGRAMS.length];
    const { hash, steps, fired } = await runSeed({ program, seed, mode: 'all', steps: STEPS });
    all.push(`${hash} ${steps} ${fired.length}`);
  }
  return all;
}
