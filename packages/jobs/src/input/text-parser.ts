import { utf8Slice } from './bytes.ts';
import { lineParser } from './lines.ts';
import type { RowParser } from './row-parser.ts';

/** A parser of plain text in UTF-8: each line is a string, empty ones too, and no line is bad. */
export function textParser(): RowParser<string> {
  return lineParser((bytes, start, end, out) => {
    out.push(utf8Slice(bytes, start, end));
  });
}
