import type { JobRun, RunEvent, RunOptions } from '@tidemark/jobs/internal';

/** What runs jobs, as the command line sees it. Resolves when the run is under way; rejects with a coded error. */
export type Engine = (file: URL, options: RunOptions, observe: (event: RunEvent) => void) => Promise<JobRun>;

/** Loads the real engine; late, because it is most of what there is to load. */
export async function loadEngine(): Promise<Engine> {
  const { runJob } = await import('@tidemark/jobs/internal');
  return runJob;
}
