/** What of a CSV file is known before its rows are read. */
export interface CsvFormat {
  readonly columns: readonly string[];
  /** 1 for a column of numbers, by index. */
  readonly isNumber: Uint8Array;
  /** One ASCII byte. */
  readonly delimiter: number;
}

/** A field as the job sees it; null is an empty field of a column of numbers. */
export type CsvValue = string | number | null;

/** The byte of a delimiter: one ASCII character that can be no part of a number, a quote or a line end; a comma when not given. */
export function delimiterByte(delimiter = ','): number {
  if (delimiter.length !== 1 || delimiter > '\x7e' || /[\0\n\r"\w.+-]/.test(delimiter)) {
    throw new RangeError(
      `A CSV delimiter is one ASCII character and no letter, digit, quote or any of + - . _, not ${JSON.stringify(delimiter)}.`,
    );
  }
  return delimiter.charCodeAt(0);
}
