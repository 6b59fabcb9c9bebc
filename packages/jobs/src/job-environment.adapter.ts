import { systemClock } from '@tidemark/actors/internal';
import { startEngine, writeLog } from '@tidemark/checkpoint/internal';
import { openStore } from '@tidemark/stores';
import { nodeFiles } from './input/file-access.adapter.ts';
import type { JobEnvironment, JobOutside } from './job-environment.ts';
import { loadJob } from './load-job.adapter.ts';

export const nodeOutside: JobOutside = { files: nodeFiles, openStore };

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
