export { type FileFacts, type JobFacts, jobFacts, type WaitingFacts } from './checkpoint-facts.ts';
export { type ChunkUnit, FileSink, type FileSinkOptions } from './file-sink.ts';
export { loadProgram, type Program } from './load-program.ts';
export { runJob } from './run-job.ts';
export type { JobResult, JobRun, Progress, RunEvent, RunOptions } from './run-events.ts';
