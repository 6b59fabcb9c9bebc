import { PROGRAMS, runCli, runSeed } from '@tidemark/sim/internal';
import { expect, it } from 'vitest';

const SEEDS = process.env['TIDEMARK_SIM_SEEDS'] ?? '10000';
const TWICE = 200;

it(`${SEEDS} seeds with every kind of fault run without a violation`, async () => {
  const lines: string[] = [];
  const code = await runCli(['--seeds', SEEDS], (line) => lines.push(line));
  console.log(lines.join('\n'));
  expect(code, lines.join('\n')).toBe(0);
});

it(`${TWICE} seeds, each run twice, leave the same trace`, async () => {
  for (let seed = 1; seed <= TWICE; seed++) {
    const options = { program: PROGRAMS[seed % PROGRAMS.length], seed, mode: 'all' as const };
    const { hash } = await runSeed(options);
    expect((await runSeed(options)).hash, `seed ${seed}`).toBe(hash);
  }
});
