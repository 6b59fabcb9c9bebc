/** Codes of this package's errors beside those of the inputs. docs/errors.md says of each what happened and what to do. */
export type JobErrorCode =
  | 'BAD_ROW'
  | 'CONFIG_INVALID'
  | 'INPUT_CHANGED'
  | 'JOB_NAME_INVALID'
  | 'JOB_NOT_FOUND'
  | 'JOB_NO_INPUT'
  | 'JOB_NO_KEY'
  | 'JOB_CHANGED'
  | 'OUTPUT_DIFFERS'
  | 'OUTPUT_NOT_A_FOLDER'
  | 'OUTPUT_NOT_EMPTY'
  | 'PROCESS_ASYNC'
  | 'PROCESS_THREW';

/** The error class of jobs: a code to act on, a message for people, the cause kept. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly code: JobErrorCode;

  constructor(code: JobErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A kind of unit that a later version of this package has: found out before anything is started. */
export function unitUnknown(table: string): JobError {
  return new JobError('JOB_CHANGED', `the checkpoint holds '${table}', which this version of Tidemark does not know`);
}
