/**
 * Reads one row of CSV in the slow way that covers everything: doubled quotes, odd numbers, missing and extra fields,
 * a last row without a line end. Says what is wrong and goes on behind the row.
 *
 * The grammar is RFC 4180, made total so that any bytes have exactly one reading. The search for seams (csv-seams.ts)
 * follows the same rules, or splits would begin inside of rows:
 * - A quote opens a quoted field only as the first byte of a field. Any other quote outside of quotes is text.
 * - Inside of quotes, a doubled quote is a quote and a single one closes. Text between it and the next delimiter makes
 *   the row bad.
 * - A row ends with \n or \r\n outside of quotes. A lone \r is text.
 */
import { badRow, type RowFault } from './bad-row.ts';
import { carriageReturn, lineFeed, quote, utf8Slice } from './bytes.ts';
import type { CsvFormat, CsvValue } from './csv-format.ts';
import { numberOfText } from './csv-numbers.ts';
import { shownFieldMax } from './limits.ts';
import type { BadRow } from './row-parser.ts';

export type CarefulRow =
  /** The bytes end before the row does. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'empty'; readonly next: number }
  | { readonly kind: 'row'; readonly next: number; readonly values: readonly CsvValue[] }
  | { readonly kind: 'bad'; readonly next: number; readonly row: BadRow };

interface Field {
  readonly start: number;
  /** Offset after it: of its delimiter, of the line end, or the end of the bytes. */
  readonly end: number;
  readonly text: string;
  readonly fault: RowFault | undefined;
}

interface Line {
  readonly fields: readonly Field[];
  /** Offset after the last field, and after the line end. */
  readonly end: number;
  readonly next: number;
}

const incomplete: CarefulRow = { kind: 'incomplete' };

/** Reads the row at `start`; `last` says that the input ends at `end`. */
export function carefulRow(bytes: Buffer, start: number, end: number, last: boolean, format: CsvFormat): CarefulRow {
  const first = lineEndAt(bytes, start, end, last);
  if (first > 0) return { kind: 'empty', next: start + first };
  const line = readLine(bytes, start, end, last, format.delimiter);
  if (line === undefined) return incomplete;
  const values: CsvValue[] = [];
  const fault = readValues(line, format, values);
  return fault === undefined
    ? { kind: 'row', next: line.next, values }
    : { kind: 'bad', next: line.next, row: badRow(bytes, start, line.end, fault) };
}

/** A row as texts only. */
export interface TextRow {
  readonly texts: readonly string[];
  readonly next: number;
  readonly fault: RowFault | undefined;
}

/** The texts of the row at `start`, for a header; undefined when the bytes end before it does. */
export function textRow(
  bytes: Buffer,
  start: number,
  end: number,
  last: boolean,
  delimiter: number,
): TextRow | undefined {
  const line = readLine(bytes, start, end, last, delimiter);
  return (
    line && {
      texts: line.fields.map((field) => field.text),
      next: line.next,
      fault: line.fields.find((field) => field.fault)?.fault,
    }
  );
}

/** Bytes of the line end at `at`: 0 for none, 2 for \r\n. At the end of the input a missing one, or half of one, counts. */
export function lineEndAt(bytes: Buffer, at: number, end: number, last: boolean): number {
  if (at < end && bytes[at] === lineFeed) return 1;
  if (at < end && bytes[at] === carriageReturn) {
    if (at + 1 < end) return bytes[at + 1] === lineFeed ? 2 : 0;
    return last ? 1 : 0;
  }
  return 0;
}

/** Pushes the values of the line's fields until the first fault. */
function readValues(line: Line, { columns, isNumber }: CsvFormat, values: CsvValue[]): RowFault | undefined {
  for (const [index, { start, text, fault }] of line.fields.entries()) {
    if (fault !== undefined) return fault;
    if (index >= columns.length) break;
    const value = isNumber[index] === 1 ? numberOfText(text) : text;
    if (value === undefined) return { at: start, reason: `${columns[index]} is not a number: ${shown(text)}` };
    values.push(value);
  }
  return wrongCount(line, columns.length);
}

function readLine(bytes: Buffer, start: number, end: number, last: boolean, delimiter: number): Line | undefined {
  const fields: Field[] = [];
  for (let at = start; ; at++) {
    const quoted = at < end && bytes[at] === quote;
    const field = quoted ? quotedField(bytes, at, end, last, delimiter) : plainField(bytes, at, end, last, delimiter);
    if (field === undefined) return undefined;
    fields.push(field);
    at = field.end;
    if (at >= end || bytes[at] !== delimiter) return { fields, end: at, next: at + lineEndAt(bytes, at, end, last) };
  }
}

function plainField(bytes: Buffer, start: number, end: number, last: boolean, delimiter: number): Field | undefined {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === delimiter || (byte <= carriageReturn && lineEndAt(bytes, at, end, last) > 0)) {
      return { start, end: at, text: utf8Slice(bytes, start, at), fault: undefined };
    }
  }
  return last ? { start, end, text: utf8Slice(bytes, start, end), fault: undefined } : undefined;
}

function quotedField(bytes: Buffer, start: number, end: number, last: boolean, delimiter: number): Field | undefined {
  let close = start + 1;
  let doubled = false;
  for (;;) {
    close = bytes.indexOf(quote, close);
    if (close < 0 || close >= end) {
      return last
        ? { start, end, text: '', fault: { at: start, reason: 'a quote opens a field and none closes it' } }
        : undefined;
    }
    if (close + 1 >= end || bytes[close + 1] !== quote) break;
    doubled = true;
    close += 2;
  }
  const rest = plainField(bytes, close + 1, end, last, delimiter);
  if (rest === undefined) return undefined;
  const inner = utf8Slice(bytes, start + 1, close);
  const fault =
    rest.text === '' ? undefined : { at: close + 1, reason: `text follows the closing quote: ${shown(rest.text)}` };
  return { start, end: rest.end, text: doubled ? inner.replaceAll('""', '"') : inner, fault };
}

function wrongCount({ fields, end }: Line, expected: number): RowFault | undefined {
  if (fields.length === expected) return undefined;
  const at = fields.length > expected ? fields[expected].start : end;
  return { at, reason: `${fields.length} ${fields.length === 1 ? 'field' : 'fields'} instead of ${expected}` };
}

function shown(text: string): string {
  return JSON.stringify(text.length > shownFieldMax ? `${text.slice(0, shownFieldMax)}…` : text);
}
