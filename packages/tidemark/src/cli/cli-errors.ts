/** Codes of the command line's own errors; all others come from below. docs/errors.md says of each what to do. */
export type CliErrorCode =
  /** The process was ended from inside before the job was done. */
  | 'EXITED_EARLY'
  | 'RESTARTS_SPENT'
  | 'UNCAUGHT_EXCEPTION'
  /** An error without a code, or no error at all, was thrown. */
  | 'UNEXPECTED'
  | 'UNHANDLED_REJECTION'
  | 'USAGE';

/** How every error of Tidemark looks: people look it up by its code. */
export function codedText(code: CliErrorCode, message: string): string {
  return `${code}: ${message}`;
}
