/**
 * The contract of all parsers of input rows. A parser is pure computation on bytes: whoever reads the file owns the
 * buffer, carries the bytes after the last whole row over to the next call, and bounds the length of a row.
 *
 * A parser keeps no part of `bytes` between calls, and no value that it gives keeps `bytes` alive.
 */

/** A row that could not be read. The rows before and after it are not affected. */
export interface BadRow {
  /** Of the row's first byte within the bytes that were parsed. */
  readonly offset: number;
  /** Character of the row, from 1, at which it stops making sense. */
  readonly column: number;
  readonly reason: string;
  /** The row, cut at 500 characters. */
  readonly text: string;
}

export interface RowParser<V> {
  /**
   * Parses whole rows of `bytes` from `start` to `end` and pushes each either to `out` or to `bad`: what both have grown
   * by is the number of rows consumed, at most `rowsMax`. Empty lines of CSV and NDJSON are consumed and are not rows.
   *
   * `start` must be a row's first byte. `last` says that these bytes end the split, so that a final row without a line
   * end counts as whole.
   *
   * @returns the offset after the last row consumed; `start` when the bytes hold no whole row.
   */
  parse(bytes: Buffer, start: number, end: number, last: boolean, rowsMax: number, out: V[], bad: BadRow[]): number;
}
