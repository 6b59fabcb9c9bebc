import { JobError } from './errors.ts';
import { runJob } from './run-job.ts';
import type { JobResult, RunOptions } from './run-events.ts';

/** Runs the job of a file that is itself the program, to its end, in this process. */
export async function runHere(file: URL, options: RunOptions): Promise<JobResult | undefined> {
  if (options.input === undefined) {
    throw new JobError(
      'JOB_NO_INPUT',
      `this job was started without an input: npx tidemark run ${file.pathname} --input FILE`,
    );
  }
  let result: JobResult | undefined;
  const run = await runJob(file, options, (event) => {
    if (event.event === 'finished') ({ result } = event);
    if (event.event === 'warning') process.emitWarning(event.message, { code: event.code });
  });
  await run.done;
  return result;
}
