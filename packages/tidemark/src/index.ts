export {
  actor,
  type Actor,
  ActorError,
  type ActorErrorCode,
  type AskOptions,
  type Ctx,
  type DeepReadonly,
  type Ref,
  Refusal,
  RemoteError,
  type Table,
  table,
  type Wire,
} from '@tidemark/actors';
export { CheckpointError, type CheckpointErrorCode, createSystem, main, type System, type SystemOptions } from '@tidemark/checkpoint';
export {
  CheckpointConfig,
  type CheckpointConfigOptions,
  type Collected,
  csv,
  InputError,
  type InputErrorCode,
  Job,
  JobError,
  type JobErrorCode,
  type JobResult,
  ndjson,
  type RunEvent,
  type RunOptions,
  text,
} from '@tidemark/jobs';
export { StoreError, type StoreErrorCode } from '@tidemark/stores';
