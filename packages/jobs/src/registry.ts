import { JobError } from './errors.ts';
import type { JobClass } from './job.ts';

/** The job of each module of this thread, by URL without query. One table even if this package is loaded twice. */
const KEY = Symbol.for('tidemark.jobs');
const root = globalThis as { [KEY]?: Map<string, JobClass> };

function jobs(): Map<string, JobClass> {
  return (root[KEY] ??= new Map());
}

export function registerJob(job: JobClass, url: string): void {
  jobs().set(plain(url), job);
}

/** @throws JobError `JOB_NOT_FOUND` */
export function jobOf(url: string): JobClass {
  const job = jobs().get(plain(url));
  if (job !== undefined) return job;
  throw new JobError(
    'JOB_NOT_FOUND',
    `${plain(url)} has run and made no job: end it with a line like 'await MyJob.main(import.meta)', where MyJob extends Job`,
  );
}

function plain(url: string): string {
  return url.replace(/[?#].*$/, '');
}

/** Name of a job in its store: the class name in kebab case. */
export function jobName(job: JobClass): string {
  const name = job.name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  if (/^[a-z][a-z0-9-]{0,63}$/.test(name)) return name;
  throw new JobError(
    'JOB_NAME_INVALID',
    `the job's class is named ${JSON.stringify(job.name)}; it needs a name of letters and digits, since its checkpoints go by it`,
  );
}
