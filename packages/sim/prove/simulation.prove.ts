import { runCli } from '@tidemark/sim/internal';
import { expect, it } from 'vitest';

const SEEDS = process.env['TIDEMARK_SIM_SEEDS'] ?? '10000';

it(`${SEEDS} seeds with every kind of fault run without a violation`, async () => {
  const lines: string[] = [];
  const code = await runCli(['--seeds', SEEDS], (line) => lines.push(line));
  console.log(lines.join('\n'));
  expect(code, lines.join('\n')).toBe(0);
});
