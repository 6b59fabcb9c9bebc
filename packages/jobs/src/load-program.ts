import type { AnyActor } from '@tidemark/actors';
import { definitions } from '@tidemark/actors/internal';
import { COLLECTOR } from './collector.ts';
import { JobError } from './errors.ts';
import { JOB_TASK } from './job-task.ts';
import { loadJob } from './load-job.adapter.ts';
import { jobName, jobOf } from './registry.ts';

/** What a module defines. */
export interface Program {
  /** Name of its job; null for a module of actors. */
  readonly job: string | null;
  readonly definitions: ReadonlyMap<string, AnyActor>;
  readonly tasks: readonly string[];
}

/**
 * Loads a module of a job or of actors, and starts nothing.
 *
 * @throws ActorError `MODULE_FAILED`; JobError `JOB_NAME_INVALID`
 */
export async function loadProgram(file: URL): Promise<Program> {
  await loadJob(file);
  const job = nameOfJob(file);
  // What this package itself defines is part of a job only.
  const own = [...definitions().values()].filter(({ name }) => job !== null || name !== COLLECTOR);
  return {
    job,
    definitions: new Map(own.map((definition) => [definition.name, definition])),
    tasks: job === null ? [] : [JOB_TASK],
  };
}

function nameOfJob(file: URL): string | null {
  try {
    return jobName(jobOf(file.href));
  } catch (error) {
    if (error instanceof JobError && error.code === 'JOB_NOT_FOUND') return null;
    throw error;
  }
}
