import type { CheckpointConfig } from './checkpoint-config.ts';
import { JobError } from './errors.ts';
import type { InputFormat } from './formats.ts';
import { type AnyJob, SETTINGS } from './job.ts';
import { jobName, jobOf } from './registry.ts';
import { formatOf } from './source-format.ts';

/** A job as its module, its `setup()` and the options from outside describe it; every thread makes the same of them. */
export interface JobSpec {
  readonly name: string;
  readonly job: AnyJob;
  readonly format: InputFormat;
  readonly checkpoint: CheckpointConfig | null;
}

/**
 * Makes the job of a module that was loaded.
 *
 * @throws JobError `JOB_NOT_FOUND`, `JOB_NAME_INVALID`, `CONFIG_INVALID`
 */
export function jobSpec(url: string, firstInput: string, keyColumn: string | null): JobSpec {
  const JobClass = jobOf(url);
  const job = new JobClass();
  // The compiler asks for it, and JavaScript does not.
  if (typeof job.process !== 'function') {
    throw new JobError(
      'CONFIG_INVALID',
      `class ${JobClass.name} has no method process(key, value): a job needs one, called for each record, e.g. process(key, value) { this.emit(key, value); }`,
    );
  }
  job.setup();
  const format = jobFormat(job, firstInput, keyColumn);
  return { name: jobName(JobClass), job, checkpoint: job[SETTINGS].checkpoint, format };
}

/** How a job reads its inputs: as its `setup()` has said, or as the name of the first file says. */
export function jobFormat(job: AnyJob, firstInput: string, keyColumn: string | null): InputFormat {
  const format = job[SETTINGS].input ?? formatOf(firstInput, keyColumn ?? undefined);
  return withKey(format, keyColumn);
}

function withKey(format: InputFormat, key: string | null): InputFormat {
  if (key === null) return format;
  if (format.kind !== 'text') return { ...format, key };
  throw new JobError('CONFIG_INVALID', '--key names a column; this job reads plain text, which has none');
}
