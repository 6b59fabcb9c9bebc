import { carriageReturn, lineFeed } from './bytes.ts';
import type { BadRow, RowParser } from './row-parser.ts';

/** Reads the line of the bytes from `start` to `end`, without its line end: pushes at most one row to `out` or `bad`. */
export type LineReader<V> = (bytes: Buffer, start: number, end: number, out: V[], bad: BadRow[]) => void;

/** A parser of inputs in which each line is a row; a line ends with \n or \r\n. */
export function lineParser<V>(read: LineReader<V>): RowParser<V> {
  return {
    parse(bytes, start, end, last, rowsMax, out, bad) {
      const full = out.length + bad.length + rowsMax;
      let at = start;
      while (at < end && out.length + bad.length < full) {
        const found = bytes.indexOf(lineFeed, at);
        const whole = found >= 0 && found < end;
        if (!whole && !last) break;
        const lineEnd = whole ? found : end;
        read(bytes, at, lineEnd > at && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd, out, bad);
        at = whole ? lineEnd + 1 : end;
      }
      return at;
    },
  };
}
