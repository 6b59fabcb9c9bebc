export type DataErrorCode =
  /** Bytes of a data file are not those that the examples and benchmarks were written for. */
  | 'DATA_DAMAGED'
  /** A package that carries example data is not installed. */
  | 'DATA_NOT_INSTALLED';

/** What the example data throws; `message` says which file, what was expected and got, and what to do. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly code: DataErrorCode;

  constructor(code: DataErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
