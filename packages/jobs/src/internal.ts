export { FileSink } from './file-sink.ts';
export { runJob } from './run-job.ts';
export type { JobResult, JobRun, Progress, RunEvent, RunOptions } from './run-events.ts';
