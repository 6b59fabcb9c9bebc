import { PROGRAMS, runCli } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

/** Seeds of each program; `npm run prove -- simulation` runs many more. */
const SEEDS = process.env['TIDEMARK_SIM_SEEDS'] ?? '300';
/** Steps with faults of each: fewer than `npm run sim` takes, for more seeds in the same time. */
const STEPS = '300';

describe('the production code, simulated with every kind of fault', () => {
  it.each(PROGRAMS.map(({ name }) => name))(
    `${SEEDS} seeds of the program '%s' run without a violation`,
    async (program) => {
      const lines: string[] = [];
      const argv = ['--program', program, '--seeds', SEEDS, '--steps', STEPS];
      const code = await runCli(argv, (line) => lines.push(line));
      expect(code, lines.join('\n')).toBe(0);
    },
    600_000,
  );
});
