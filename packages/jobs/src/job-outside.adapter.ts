import { nodeFiles } from './input/file-access.adapter.ts';
import type { JobOutside } from './job-environment.ts';

/** What each thread of a job takes from this machine. A worker that has no output loads no store. */
export const nodeOutside: JobOutside = {
  files: nodeFiles,
  openStore: async (location) => (await import('@tidemark/stores')).openStore(location),
};
