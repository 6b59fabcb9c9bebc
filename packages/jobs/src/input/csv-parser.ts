/**
 * Parses CSV (RFC 4180, in UTF-8) into row objects, at several million rows per second and thread.
 *
 * Nearly all rows are simple: read by #simpleRow in one pass over the bytes, without a call into C++ and without a test
 * for the end of the bytes, as the last line feed stops every loop. It declines whatever is rare, and carefulRow reads
 * that row again.
 *
 * Integers and decimals of up to 15 digits are exact: both the digits and the power of ten are then exact doubles, so
 * that their quotient is rounded once (Clinger, How to Read Floating Point Numbers Accurately, 1990).
 */
import { carriageReturn, digitNine, digitZero, dot, lineFeed, minus, quote } from './bytes.ts';
import { carefulRow } from './csv-careful-row.ts';
import { type CsvFormat, type CsvValue, delimiterByte } from './csv-format.ts';
import { numberOfText } from './csv-numbers.ts';
import { type RowObject, rowFactory } from './row-objects.ts';
import type { BadRow, RowParser } from './row-parser.ts';
import { cachedBytesMax, TextFields } from './text-fields.ts';

export type CsvRow = RowObject<CsvValue>;

export interface CsvOptions {
  /** The header: names of all columns, in order and without repetition. */
  readonly columns: readonly string[];
  /** What a column holds; a string when it is not named here. An empty field of a number is null. */
  readonly types: Readonly<Record<string, 'string' | 'number'>>;
  /** One ASCII character; a comma when not given. */
  readonly delimiter?: string;
}

/**
 * A parser of rows of CSV. The header is not a row: splits begin behind it.
 *
 * @example
 * const parser = csvParser({ columns: ['city', 'degrees'], types: { degrees: 'number' } });
 * parser.parse(Buffer.from('Oslo,-3\n'), 0, 8, true, 100, rows, bad); // rows: [{ city: 'Oslo', degrees: -3 }]
 */
export function csvParser(options: CsvOptions): RowParser<CsvRow> {
  return new CsvParser(options);
}

/** What #simpleRow and its parts answer when the row is not for them. */
const declined = -1;

const exactDigitsMax = 15;
const powersOfTen = Float64Array.from({ length: exactDigitsMax + 1 }, (_, power) => 10 ** power);

class CsvParser implements RowParser<CsvRow> {
  readonly #format: CsvFormat;
  readonly #make: (values: readonly CsvValue[]) => CsvRow;
  /** Of the simple row being read. */
  readonly #values: CsvValue[];
  readonly #texts = new TextFields();
  /** 1 for the bytes that may end a plain field, none of which is over #stopMax. */
  readonly #isStop = new Uint8Array(256);
  readonly #stopMax: number;
  /**
   * By column, the last long text read: real columns often repeat the value of the row before, and comparing bytes is
   * cheaper than making a string. Starts and lengths are those in the bytes, quotes included; length 0 is none.
   */
  readonly #lastText: string[];
  readonly #lastStart: Int32Array;
  readonly #lastLength: Int32Array;

  constructor({ columns, types, delimiter }: CsvOptions) {
    const isNumber = Uint8Array.from(columns, (name) =>
      Object.hasOwn(types, name) && types[name] === 'number' ? 1 : 0,
    );
    this.#format = { columns, isNumber, delimiter: delimiterByte(delimiter) };
    this.#make = rowFactory<CsvValue>(columns);
    this.#values = columns.map(() => null);
    const stops = [this.#format.delimiter, lineFeed, carriageReturn];
    for (const byte of stops) this.#isStop[byte] = 1;
    this.#stopMax = Math.max(...stops);
    this.#lastText = columns.map(() => '');
    this.#lastStart = new Int32Array(columns.length);
    this.#lastLength = new Int32Array(columns.length);
  }

  parse(
    bytes: Buffer,
    start: number,
    end: number,
    last: boolean,
    rowsMax: number,
    out: CsvRow[],
    bad: BadRow[],
  ): number {
    const lastLineFeed = end > start ? bytes.lastIndexOf(lineFeed, end - 1) : -1;
    this.#texts.open(bytes, end);
    this.#lastLength.fill(0);
    let at = start;
    for (let left = rowsMax; left > 0 && at < end; ) {
      if (at > lastLineFeed && !last) break;
      const next = at > lastLineFeed ? declined : this.#simpleRow(bytes, at, lastLineFeed);
      if (next !== declined) {
        out.push(this.#make(this.#values));
        at = next;
        left--;
        continue;
      }
      const row = carefulRow(bytes, at, end, last, this.#format);
      if (row.kind === 'incomplete') break;
      if (row.kind === 'row') out.push(this.#make(row.values));
      if (row.kind === 'bad') bad.push(row.row);
      if (row.kind !== 'empty') left--;
      at = row.next;
    }
    this.#texts.close();
    return at;
  }

  /** Reads the row at `start` into #values; answers the offset after it. */
  #simpleRow(bytes: Buffer, start: number, lastLineFeed: number): number {
    const { isNumber, delimiter } = this.#format;
    const lastColumn = isNumber.length - 1;
    // An empty line is not a row of one empty field.
    if (bytes[start] <= carriageReturn && this.#isStop[bytes[start]] === 1 && bytes[start] !== delimiter)
      return declined;
    let at = start;
    for (let column = 0; column <= lastColumn; column++) {
      at = isNumber[column] === 1 ? this.#number(bytes, at, column) : this.#text(bytes, at, column, lastLineFeed);
      if (at === declined) return declined;
      let byte = bytes[at];
      if (column < lastColumn) {
        if (byte !== delimiter) return declined;
      } else {
        if (byte === carriageReturn) byte = bytes[++at];
        if (byte !== lineFeed) return declined;
      }
      at++;
    }
    return at;
  }

  /** Reads a number, quoted or not; answers the offset after it. */
  #number(bytes: Buffer, start: number, column: number): number {
    let at = start;
    let byte = bytes[at];
    const quoted = byte === quote;
    if (quoted) byte = bytes[++at];
    const first = at;
    const negative = byte === minus;
    if (negative) byte = bytes[++at];
    const whole = at;
    let value = 0;
    while (byte >= digitZero && byte <= digitNine) {
      value = value * 10 + (byte - digitZero);
      byte = bytes[++at];
    }
    let digits = at - whole;
    let fractionDigits = 0;
    if (byte === dot) {
      const fraction = ++at;
      byte = bytes[at];
      while (byte >= digitZero && byte <= digitNine) {
        value = value * 10 + (byte - digitZero);
        byte = bytes[++at];
      }
      fractionDigits = at - fraction;
      digits += fractionDigits;
    }
    const empty = at === first;
    const ends = quoted ? byte === quote : this.#isStop[byte] === 1;
    if (!ends || (!empty && (digits === 0 || digits > exactDigitsMax))) {
      return quoted ? declined : this.#oddNumber(bytes, start, column);
    }
    if (fractionDigits > 0) value /= powersOfTen[fractionDigits];
    this.#values[column] = empty ? null : negative ? -value : value;
    return quoted ? at + 1 : at;
  }

  /** Reads a number with an exponent, more digits than are exact, a sign or spaces; it is not quoted. */
  #oddNumber(bytes: Buffer, start: number, column: number): number {
    let at = start;
    while (this.#isStop[bytes[at]] === 0) at++;
    const value = numberOfText(this.#texts.long(start, at, 0));
    if (value === undefined) return declined;
    this.#values[column] = value;
    return at;
  }

  /** Reads a text, quoted or not; answers the offset after it. */
  #text(bytes: Buffer, start: number, column: number, lastLineFeed: number): number {
    const lastLength = this.#lastLength[column];
    if (lastLength > 0 && start + lastLength <= lastLineFeed && this.#isStop[bytes[start + lastLength]] === 1) {
      if (this.#texts.same(start, this.#lastStart[column], lastLength)) {
        this.#values[column] = this.#lastText[column];
        return start + lastLength;
      }
    }
    return bytes[start] === quote
      ? this.#quotedText(bytes, start, column, lastLineFeed)
      : this.#plainText(bytes, start, column);
  }

  #plainText(bytes: Buffer, start: number, column: number): number {
    const isStop = this.#isStop;
    const stopMax = this.#stopMax;
    let at = start;
    let ored = 0;
    for (;;) {
      const byte = bytes[at];
      if (byte <= stopMax && isStop[byte] === 1) break;
      ored |= byte;
      at++;
    }
    if (at - start <= cachedBytesMax) this.#values[column] = this.#texts.short(start, at - start);
    else this.#keepText(column, start, at, this.#texts.long(start, at, ored));
    return at;
  }

  #quotedText(bytes: Buffer, start: number, column: number, lastLineFeed: number): number {
    const inner = start + 1;
    let at = inner;
    let ored = 0;
    let doubled = false;
    // What is open at the last line feed is left to carefulRow, which looks for the end of the bytes.
    for (; at < lastLineFeed; at++) {
      const byte = bytes[at];
      ored |= byte;
      if (byte !== quote) continue;
      if (bytes[at + 1] !== quote) break;
      doubled = true;
      at++;
    }
    if (at >= lastLineFeed) return declined;
    if (doubled) this.#keepText(column, start, at + 1, this.#texts.long(inner, at, ored).replaceAll('""', '"'));
    else if (at - inner <= cachedBytesMax) this.#values[column] = this.#texts.short(inner, at - inner);
    else this.#keepText(column, start, at + 1, this.#texts.long(inner, at, ored));
    return at + 1;
  }

  #keepText(column: number, start: number, end: number, text: string): void {
    this.#values[column] = text;
    this.#lastText[column] = text;
    this.#lastStart[column] = start;
    this.#lastLength[column] = end - start;
  }
}
