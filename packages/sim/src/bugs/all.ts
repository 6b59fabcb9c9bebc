import { PROGRAMS } from '../programs/all.ts';
import type { Program } from '../programs/program.ts';
import { runSeed } from '../run.ts';
import type { RunResult } from '../run-options.ts';
import type { Bug } from './bug.ts';
import { CHAIN_BUGS } from './chain-bugs.ts';
import { CUT_BUGS } from './cut-bugs.ts';
import { DAMAGE_BUGS } from './damage-bugs.ts';
import { JOB_BUGS } from './job-bugs.ts';
import { LOG_BUGS } from './log-bugs.ts';
import { MOVE_BUGS } from './move-bugs.ts';
import { QUESTION_BUGS } from './question-bugs.ts';
import { RESTORE_BUGS } from './restore-bugs.ts';
import { ROLLBACK_BUGS } from './rollback-bugs.ts';

export const BUGS: readonly Bug[] = [
  ...CUT_BUGS,
  ...LOG_BUGS,
  ...RESTORE_BUGS,
  ...ROLLBACK_BUGS,
  ...CHAIN_BUGS,
  ...JOB_BUGS,
  ...DAMAGE_BUGS,
  ...QUESTION_BUGS,
  ...MOVE_BUGS,
];

/** Runs one seed as the bug wants it, but without the bug: nothing may be found then. */
export function runWithoutBug(bug: Bug, seed: number): Promise<RunResult> {
  return runSeed({ program: programOf(bug), seed, mode: bug.mode, tune: bug.tune });
}

/** Runs one seed with the bug in. */
export async function runWithBug(
  bug: Bug,
  seed: number,
  more: { readonly print?: ((line: string) => void) | null; readonly only?: ReadonlySet<number> | null } = {},
): Promise<RunResult> {
  const { planted, undo } = bug.plant();
  try {
    return await runSeed({ program: programOf(bug), seed, mode: bug.mode, tune: bug.tune, planted, ...more });
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

function programOf(bug: Bug): Program {
  return PROGRAMS.find(({ name }) => name === bug.program)!;
}
