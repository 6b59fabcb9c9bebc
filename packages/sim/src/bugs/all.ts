import { PROGRAMS } from '../programs/all.ts';
import { type RunResult, runSeed } from '../run.ts';
import type { Bug } from './bug.ts';
import { CUT_BUGS } from './cut-bugs.ts';
import { LOG_BUGS } from './log-bugs.ts';
import { RESTORE_BUGS } from './restore-bugs.ts';

export const BUGS: readonly Bug[] = [...CUT_BUGS, ...LOG_BUGS, ...RESTORE_BUGS];

/** Runs one seed with the bug in. */
export async function runWithBug(
  bug: Bug,
  seed: number,
  more: { readonly print?: ((line: string) => void) | null; readonly without?: ReadonlySet<number> } = {},
): Promise<RunResult> {
  const program = PROGRAMS.find(({ name }) => name === bug.program)!;
  const { planted, undo } = bug.plant();
  try {
    return await runSeed({ program, seed, mode: bug.mode, tune: bug.tune, planted, ...more });
  } finally {
    undo?.();
  }
}

export interface Caught {
  readonly seed: number;
  /** Seeds that were run until it was caught. */
  readonly seeds: number;
  readonly violation: string;
}

/** Looks for a seed that catches the bug. */
export async function hunt(bug: Bug, from: number, count: number): Promise<Caught | null> {
  for (let seed = from; seed < from + count; seed++) {
    const { violations } = await runWithBug(bug, seed);
    if (violations.length > 0) return { seed, seeds: seed - from + 1, violation: violations[0] };
  }
  return null;
}
