/** Which bytes are read by whom: plain data, made once on the host, kept in the checkpoint and sent to the workers. */

export type InputFormat = 'csv' | 'ndjson' | 'text';

export interface InputFile {
  /** Absolute. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** CRC-32 of its first and its last 4 KB, in hexadecimal: tells a changed file, not a forged one. */
  readonly fingerprint: string;
  /** Names of the columns of a CSV file. */
  readonly header?: readonly string[];
}

/** Bytes of a file from a row's first byte to the end of a row. */
export interface Split {
  /** Index of the file. */
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

export interface InputPlan {
  readonly files: readonly InputFile[];
  /** In the order of files and of bytes; together they hold each row exactly once. */
  readonly splits: readonly Split[];
}
