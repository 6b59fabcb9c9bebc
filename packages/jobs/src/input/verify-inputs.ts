import type { FileAccess } from './file-access.ts';
import { type InputProblem, throwProblems } from './input-error.ts';
import { identify, withFile } from './input-files.ts';
import type { InputPlan } from './input-plan.ts';

/**
 * Compares the files of a plan with what they were when it was made, before a job goes on from a checkpoint: its
 * positions mean nothing in other bytes.
 *
 * @throws InputError with all problems found: INPUT_CHANGED, INPUT_NOT_FOUND, INPUT_NOT_READABLE.
 */
export async function verifyInputs(files: FileAccess, plan: InputPlan): Promise<void> {
  const problems: InputProblem[] = [];
  for (const { path, size, fingerprint } of plan.files) {
    const now = await withFile(files, path, problems, identify);
    if (now === undefined || (now.size === size && now.fingerprint === fingerprint)) continue;
    const difference =
      now.size === size
        ? `its size is the same, ${size} bytes, but its first or last 4 KB are not`
        : `it had ${size} bytes and has ${now.size}`;
    problems.push({
      code: 'INPUT_CHANGED',
      message: `The input ${path} changed since the checkpoint to go on from: ${difference}. Put the former file back, or begin anew with --fresh.`,
    });
  }
  throwProblems(problems);
}
