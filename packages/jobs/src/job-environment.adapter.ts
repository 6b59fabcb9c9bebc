import { systemClock } from '@tidemark/actors/internal';
import { startEngine, writeLog } from '@tidemark/checkpoint/internal';
import type { JobEnvironment } from './job-environment.ts';
import { nodeOutside } from './job-outside.adapter.ts';
import { loadJob } from './load-job.adapter.ts';

/** This machine, its clock, its files. */
export const nodeJobEnvironment: JobEnvironment = {
  ...nodeOutside,
  clock: systemClock,
  loadJob,
  startEngine: (options) =>
    startEngine({
      ...options,
      observe(event) {
        // Of the job's own code, for whoever looks at this process.
        if (event.kind === 'log') writeLog(event);
        options.observe(event);
      },
    }),
};
