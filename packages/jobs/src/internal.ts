export { type FileFacts, type JobFacts, jobFacts, type WaitingFacts } from './checkpoint-facts.ts';
export { type ChunkUnit, FileSink, type FileSinkOptions } from './file-sink.ts';
export type { FileAccess, OpenFile } from './input/file-access.ts';
export { installJob } from './job-entry.ts';
export type { JobEnvironment, JobOutside } from './job-environment.ts';
export { loadProgram, type Program } from './load-program.ts';
export { runJob } from './run-job.ts';
export type { JobResult, JobRun, Progress, RunEvent, RunOptions } from './run-events.ts';
