import { badRow } from './bad-row.ts';
import { utf8Slice } from './bytes.ts';
import { lineParser } from './lines.ts';
import type { RowParser } from './row-parser.ts';

const space = 0x20;

/** A parser of newline-delimited JSON: each line is one value, of any kind. Lines of spaces only are skipped. */
export function ndjsonParser(): RowParser<unknown> {
  return lineParser((bytes, start, end, out, bad) => {
    if (isBlank(bytes, start, end)) return;
    const text = utf8Slice(bytes, start, end);
    try {
      out.push(JSON.parse(text));
    } catch (error) {
      const { message } = error as SyntaxError;
      const before = Buffer.byteLength(text.slice(0, faultIndex(message, text)));
      bad.push(badRow(bytes, start, end, { at: start + before, reason: message }));
    }
  });
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] > space) return false;
  }
  return true;
}

/** Where JSON.parse stopped: V8 tells it in some of its messages only; else the line's first character. */
function faultIndex(message: string, text: string): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  return message.includes('end of JSON input') ? text.length : 0;
}
