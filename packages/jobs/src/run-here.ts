import { JobError } from './errors.ts';
import { nodeJobEnvironment } from './job-environment.adapter.ts';
import { runJob } from './run-job.ts';
import type { JobResult, RunEvent, RunOptions } from './run-events.ts';

/** Runs the job of a file that is itself the program, to its end, in this process. */
export async function runHere(file: URL, options: RunOptions): Promise<JobResult | undefined> {
  if (options.input === undefined) {
    throw new JobError(
      'JOB_NO_INPUT',
      `this job was started without an input: npx tidemark run ${file.pathname} --input FILE`,
    );
  }
  let result: JobResult | undefined;
  const observe = (event: RunEvent): void => {
    if (event.event === 'finished') ({ result } = event);
    if (event.event === 'warning') process.emitWarning(event.message, { code: event.code });
  };
  // The file is loaded: it waits for this very run, so an import of it would wait for its own end.
  const run = await runJob(file, options, observe, { ...nodeJobEnvironment, loadJob: () => Promise.resolve() });
  await run.done;
  return result;
}
