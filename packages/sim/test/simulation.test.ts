import { PROGRAMS, runCli } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

/** Seeds of each program with all faults; `npm run prove -- simulation` runs many more. */
const SEEDS = '200';
/** Of the one with questions, timers, services and poison: with the other modes a thousand. */
const MORE_SEEDS = '900';
const seedsOf = (program: string): string =>
  process.env['TIDEMARK_SIM_SEEDS'] ?? (program === 'errands' ? MORE_SEEDS : SEEDS);
/** Of each program in each other mode. */
const FEW_SEEDS = '25';
/** Steps with faults of each: fewer than `npm run sim` takes, for more seeds in the same time. */
const STEPS = '300';

const names = PROGRAMS.map(({ name }) => name);

async function runWell(...argv: readonly string[]): Promise<void> {
  const lines: string[] = [];
  const code = await runCli([...argv, '--steps', STEPS], (line) => lines.push(line));
  expect(code, lines.join('\n')).toBe(0);
}

describe('the production code, simulated', () => {
  it.each(names.map((program) => [seedsOf(program), program]))(
    `%s seeds of the program '%s' with every kind of fault run without a violation`,
    (seeds, program) => runWell('--program', program, '--seeds', seeds, '--faults', 'all'),
    600_000,
  );

  describe.each(['none', 'crashes', 'store', 'damage'])(`${FEW_SEEDS} seeds with the faults '%s'`, (faults) => {
    it.each(names)(
      `of the program '%s' run without a violation`,
      (program) => runWell('--program', program, '--seeds', FEW_SEEDS, '--from', '50001', '--faults', faults),
      600_000,
    );
  });
});
