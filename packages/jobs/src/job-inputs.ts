import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeValue, type UnitData } from '@tidemark/actors/internal';
import { JobError } from './errors.ts';
import { checkColumns } from './input/check-columns.ts';
import type { FileAccess } from './input/file-access.ts';
import { findFiles } from './input/input-files.ts';
import type { InputPlan } from './input/input-plan.ts';
import { planSplits } from './input/splits.ts';
import type { JobSpec } from './job-spec.ts';
import { JOB_TASK } from './job-task.ts';
import { SPLITS } from './limits.ts';
import { firstState } from './source.ts';

/** The file whose name tells the format: the first of those that the inputs stand for. */
export async function firstFile(files: FileAccess, inputs: readonly string[]): Promise<string> {
  // What is wrong with the inputs is told when they are planned.
  const [first] = await findFiles(files, inputs.slice(0, 1), []);
  return first ?? inputs[0] ?? '';
}

/**
 * Plans how the workers read the inputs of a run that begins.
 *
 * @throws JobError `JOB_NO_INPUT`; InputError with all that is wrong with the inputs
 */
export async function planInputs(
  files: FileAccess,
  spec: JobSpec,
  inputs: readonly string[],
  file: URL,
): Promise<InputPlan> {
  if (inputs.length === 0) {
    const command = `npx tidemark run ${fileURLToPath(file)} --input FILE`;
    throw new JobError('JOB_NO_INPUT', `job '${spec.name}' has no input: ${command}`);
  }
  const { format } = spec;
  const options = format.kind === 'csv' ? { files, delimiter: format.delimiter } : { files };
  const plan = await planSplits(inputs, format.kind, SPLITS, options);
  if (format.kind === 'csv') {
    const key = typeof format.key === 'string' ? [format.key] : [];
    checkColumns(plan, [...key, ...Object.keys(format.types)]);
  }
  return plan;
}

/**
 * A run goes on over the inputs that it began with; none need be named again.
 *
 * @throws JobError `INPUT_CHANGED` when others are named
 */
export function assertSamePaths(plan: InputPlan, inputs: readonly string[]): void {
  const outside = plan.files.find(({ path }) => !inputs.some((input) => covers(resolve(input), path)));
  if (inputs.length > 0 && outside !== undefined) {
    throw new JobError(
      'INPUT_CHANGED',
      `the checkpoint was taken while reading ${outside.path}, which is not among the inputs of now (${inputs.join(', ')}): name the same inputs, give the new ones a store of their own, or begin again with --fresh`,
    );
  }
}

/** Whether a path that was given names the file, its folder, or a pattern in its folder. */
function covers(given: string, path: string): boolean {
  if (path === given || path.startsWith(given + sep)) return true;
  const folder = given.slice(0, given.lastIndexOf(sep) + 1);
  return given.slice(folder.length).includes('*') && path.startsWith(folder);
}

/** The units of a run that begins: its splits, none of them read. */
export function firstUnits(plan: InputPlan): UnitData[] {
  return plan.splits.map((split, index) => ({
    type: JOB_TASK,
    key: '',
    table: 'splits',
    tableKey: index,
    value: encodeValue(firstState(split)),
  }));
}
