import { runCli } from '@tidemark/sim/internal';
import { describe, expect, it } from 'vitest';

async function run(...argv: readonly string[]): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const code = await runCli(argv, (line) => void lines.push(line));
  return { code, lines };
}

describe('npm run sim', () => {
  it('prints for a failing seed what it needs and the command that replays it', async () => {
    const failing = await run('--seeds', '20', '--jobs', '1', '--bug', 'taken-is-stored');
    expect(failing.code).toBe(1);
    const replay = failing.lines.at(-1)!;
    expect(replay).toMatch(/^replay: npm run sim -- --seed \d+ --bug taken-is-stored --only [\d,]+ --trace$/);
    const needed = failing.lines.filter((line) => line.startsWith('  needed: '));
    expect(needed.length).toBeGreaterThan(0);

    const argv = replay
      .split(' -- ')[1]
      .split(' ')
      .filter((word) => word !== '--trace');
    const again = await run(...argv);
    expect(again.code).toBe(1);
    // Nothing is left to leave out, and the same thing happens.
    expect(again.lines.filter((line) => line.startsWith('  needed: '))).toEqual(needed);
    expect(again.lines.find((line) => line.includes(' fails: '))).toContain(
      failing.lines.find((line) => line.startsWith('with these alone: '))!.slice(18),
    );
  });

  it('shares the seeds between processes, and says which pairs of fault and step it has seen', async () => {
    const { code, lines } = await run('--seeds', '12', '--jobs', '2', '--steps', '300');
    expect(code).toBe(0);
    expect(lines.some((line) => line.startsWith('12 seeds without a violation in '))).toBe(true);
    expect(lines.some((line) => line.startsWith('fault × step: '))).toBe(true);
  });

  it('names the seed that failed in another process', async () => {
    const { code, lines } = await run('--seeds', '12', '--jobs', '2', '--bug', 'no-term-record');
    expect(code).toBe(1);
    expect(lines.some((line) => /^seed \d+ fails: O2 record 1 /.test(line))).toBe(true);
  });

  it.each([['--seeds', 'many'], ['--program', 'none'], ['--faults', 'some'], ['--bug', 'none'], ['--what']])(
    'refuses %s %s with exit code 2',
    async (...argv) => {
      expect((await run(...argv)).code).toBe(2);
    },
  );
});
