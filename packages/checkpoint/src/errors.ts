import { ActorError } from '@tidemark/actors/internal/worker';

/** Codes of this package's errors. docs/errors.md says of each what happened and what to do. */
export type CheckpointErrorCode =
  | 'ALREADY_RUNNING'
  | 'CAPTURE_TOO_LARGE'
  | 'CHECKPOINTS_FAILING'
  | 'CHECKPOINT_ABANDONED'
  | 'CHECKPOINT_DAMAGED'
  | 'CHECKPOINT_INCOMPATIBLE'
  | 'CHECKPOINT_OVERDUE'
  | 'CHECKPOINT_UNKNOWN'
  | 'COMPRESSION_UNAVAILABLE'
  | 'COPIES_INVALID'
  | 'COPY_TAKEN_OVER'
  | 'DUPLICATES_NOT_ACCEPTED'
  | 'FENCED'
  | 'KEEP_INVALID'
  | 'LABEL_INVALID'
  | 'LOG_UNSETTLED'
  | 'MAPPING_INVALID'
  | 'MIGRATION_FAILED'
  | 'PART_NOT_STORED'
  | 'PIN_REFUSED'
  | 'PIN_TAKEN'
  | 'PIN_UNKNOWN'
  | 'SAVEPOINT_UNANSWERED'
  | 'ROLLBACKS_SPENT'
  | 'SCHEDULE_INVALID'
  | 'STATE_UNCLAIMED'
  | 'STORE_NOT_EMPTY'
  | 'STORE_OTHER_JOB'
  | 'SYSTEM_FAILED'
  | 'UNIT_UNKNOWN'
  | 'WORKERS_INVALID';

/** The one error class of this package. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly code: CheckpointErrorCode;

  constructor(code: CheckpointErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The job is another owner's now. */
export function isFenced(error: Error | null): boolean {
  return error instanceof CheckpointError && error.code === 'FENCED';
}

export function startEnded(): ActorError {
  return new ActorError('SYSTEM_STOPPED', 'the system was ended while it started');
}

export function stopped(): ActorError {
  return new ActorError('SYSTEM_STOPPED', 'the system has stopped');
}
