export { CheckpointConfig, type CheckpointConfigOptions } from './checkpoint-config.ts';
export { JobError, type JobErrorCode } from './errors.ts';
export {
  csv,
  type CsvFormat,
  type InputFormat,
  type Key,
  ndjson,
  type NdjsonFormat,
  text,
  type TextFormat,
} from './formats.ts';
export { InputError, type InputErrorCode } from './input/input-error.ts';
export { type Collected, Job } from './job.ts';
export type { JobResult, JobRun, Progress, RunEvent, RunOptions } from './run-events.ts';
