import { setFlagsFromString } from 'node:v8';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { carefulRow } from '../../src/input/csv-careful-row.ts';
import { type CsvRow, csvParser } from '../../src/input/csv-parser.ts';
import type { BadRow, RowParser } from '../../src/input/row-parser.ts';
import { parseChunked, parseWhole } from './parsing.ts';
import { csvOfRows, entriesOf, tables } from './tables.ts';

const chunkings = { chunkBytes: fc.integer({ min: 1, max: 300 }), rowsMax: fc.integer({ min: 1, max: 50 }) };

describe('tables', () => {
  it('come back from CSV, however the bytes are cut', () => {
    fc.assert(
      fc.property(tables, fc.record(chunkings), (table, { chunkBytes, rowsMax }) => {
        const { columns, delimiter, rows } = table;
        const expected = rows.map((row) => columns.map((name, index) => [name, row[index]]));
        const csv = csvOfRows(table);
        for (const parsed of [
          parseWhole(csvParser({ columns, types: {}, delimiter }), csv),
          parseChunked(csvParser({ columns, types: {}, delimiter }), csv, chunkBytes, rowsMax),
        ]) {
          expect(parsed.bad).toEqual([]);
          expect(entriesOf(parsed.rows, columns)).toEqual(expected);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of numbers come back exactly', () => {
    const number = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc
        .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.integer({ min: 0, max: 6 }))
        .map(([n, e]) => n / 10 ** e),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number)), fc.boolean(), fc.record(chunkings), (rows, quoted, cut) => {
        const text = (value: number | null) => (quoted ? `"${value ?? ''}"` : `${value ?? ''}`);
        const csv = rows.map(([a, b]) => `${text(a)},${text(b)}\n`).join('');
        const parser = csvParser({ columns: ['a', 'b'], types: { a: 'number', b: 'number' } });
        const expected = rows.map(([a, b]) => ({ a: a === 0 ? 0 : a, b: b === 0 ? 0 : b }));
        expect(parseChunked(parser, csv, cut.chunkBytes, cut.rowsMax)).toEqual({ rows: expected, bad: [] });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('any bytes', () => {
  const columns = ['a', 'b'];
  const types = { b: 'number' } as const;
  const anyText = fc.string({
    unit: fc.constantFrom('a', '1', '2', '-', '.', 'e', '"', '"', ',', ',', '\n', '\n', '\r', ' ', 'é', 'longer text'),
    maxLength: 80,
  });

  it('have one reading, however they are cut', () => {
    fc.assert(
      fc.property(anyText, fc.record(chunkings), (text, { chunkBytes, rowsMax }) => {
        const parser = csvParser({ columns, types });
        expect(parseChunked(parser, text, chunkBytes, rowsMax)).toEqual(parseWhole(parser, text));
      }),
      { numRuns: 5000 },
    );
  });

  it('are read by the quick way as by the careful one', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText.map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 60 }),
        ),
        (input) => {
          expect(parseWhole(csvParser({ columns, types }), input)).toEqual(parseWhole(carefulParser, input));
        },
      ),
      { numRuns: 10_000 },
    );
  });

  const carefulParser: RowParser<CsvRow> = {
    parse(bytes, start, end, last, _rowsMax, out, bad) {
      for (let at = start; at < end; ) {
        const row = carefulRow(bytes, at, end, last, { columns, isNumber: Uint8Array.of(0, 1), delimiter: 44 });
        if (row.kind === 'incomplete') return at;
        if (row.kind === 'bad') bad.push(row.row);
        if (row.kind === 'row') out.push({ a: row.values[0], b: row.values[1] });
        at = row.next;
      }
      return end;
    },
  };
});

describe('numbers', () => {
  const parse = (text: string) => parseWhole(csvParser({ columns: ['n', 'x'], types: { n: 'number' } }), `${text},x\n`);

  it.each([
    ['0', 0],
    ['-0', -0],
    ['007', 7],
    ['-12', -12],
    ['+5', 5],
    ['3.25', 3.25],
    ['.5', 0.5],
    ['5.', 5],
    ['0.1', 0.1],
    ['123456789012345', 123456789012345],
    ['12345678901234567890', 12345678901234567000],
    ['0.12345678901234568', 0.12345678901234568],
    ['1e3', 1000],
    ['-2.5E-3', -0.0025],
    [' 7 ', 7],
    ['"8"', 8],
    ['"-8.5"', -8.5],
    ['', null],
    ['""', null],
    ['  ', null],
  ])('%j is %d', (text, value) => {
    expect(parse(text)).toEqual({ rows: [{ n: value, x: 'x' }], bad: [] });
  });

  it.each(['abc', '-', '.', '1-2', '1 2', '0x10', 'NaN', 'Infinity', '1e', '1e999', '--1', '1.2.3', '"1x"', '٣'])(
    '%j is none',
    (text) => {
      const { rows, bad } = parse(text);
      expect(rows).toEqual([]);
      expect(bad).toEqual([expect.objectContaining({ offset: 0, column: 1, text: `${text},x` })]);
      expect(bad[0].reason).toMatch(/^n is not a number: "/);
    },
  );
});

describe('bad rows', () => {
  const parser = csvParser({ columns: ['city', 'degrees'], types: { degrees: 'number' } });

  it('are set aside, and the rows around them are read', () => {
    const { rows, bad } = parseWhole(parser, 'Oslo,-3\nRome\nParis,9,extra\r\nMálaga,warm\n\n"A"b,1\nLima,20');
    expect(rows).toEqual([
      { city: 'Oslo', degrees: -3 },
      { city: 'Lima', degrees: 20 },
    ]);
    expect(bad).toEqual([
      { offset: 8, column: 5, reason: '1 field instead of 2', text: 'Rome' },
      { offset: 13, column: 9, reason: '3 fields instead of 2', text: 'Paris,9,extra' },
      { offset: 28, column: 8, reason: 'degrees is not a number: "warm"', text: 'Málaga,warm' },
      { offset: 42, column: 4, reason: 'text follows the closing quote: "b"', text: '"A"b,1' },
    ]);
  });

  it('hold all that follows a quote that is never closed', () => {
    const { rows, bad } = parseWhole(parser, 'Oslo,1\nRome,"2\nLima,3\n');
    expect(rows).toEqual([{ city: 'Oslo', degrees: 1 }]);
    expect(bad).toEqual([
      { offset: 7, column: 6, reason: 'a quote opens a field and none closes it', text: 'Rome,"2\nLima,3\n' },
    ]);
  });

  it('are cut at 500 characters', () => {
    const { bad } = parseWhole(parser, `${'é'.repeat(600)}\n`);
    expect(bad[0].text).toBe('é'.repeat(500));
    expect(bad[0].column).toBe(601);
  });
});

describe('rows', () => {
  it('a quote within an unquoted field is text', () => {
    const parser = csvParser({ columns: ['size', 'name'], types: {} });
    expect(parseWhole(parser, '5" pipe,a"b"\n6,c\n')).toEqual({
      rows: [
        { size: '5" pipe', name: 'a"b"' },
        { size: '6', name: 'c' },
      ],
      bad: [],
    });
  });

  it('end with a line end, and at the end of the input without one', () => {
    const parser = csvParser({ columns: ['a', 'b'], types: {} });
    const lone = { a: 'p\rq', b: '\rr' };
    for (const [text, ...rows] of [
      ['x,y\n', { a: 'x', b: 'y' }],
      ['x,y\r\n', { a: 'x', b: 'y' }],
      ['x,y\r', { a: 'x', b: 'y' }],
      ['x,y', { a: 'x', b: 'y' }],
      ['x,', { a: 'x', b: '' }],
      ['p\rq,\rr\nx,"y"\r', lone, { a: 'x', b: 'y' }],
    ] as const) {
      expect(parseWhole(parser, text)).toEqual({ rows, bad: [] });
    }
  });

  it('are not read before they are whole', () => {
    const parser = csvParser({ columns: ['a', 'b'], types: {} });
    for (const text of ['', 'x', 'x,y', 'x,"y\n', 'x,"y"', 'x,y\r', 'x,"y""\n']) {
      const rows: CsvRow[] = [];
      const bad: BadRow[] = [];
      expect(parser.parse(Buffer.from(text), 0, text.length, false, 10, rows, bad)).toBe(0);
      expect([...rows, ...bad]).toEqual([]);
    }
  });

  it('stop after the number asked for', () => {
    const parser = csvParser({ columns: ['a'], types: { a: 'number' } });
    const rows: CsvRow[] = [];
    const bad: BadRow[] = [];
    const bytes = Buffer.from('1\n\nx\n\n3\n4\n');
    const at = parser.parse(bytes, 0, bytes.length, true, 2, rows, bad);
    expect([rows.length, bad.length]).toEqual([1, 1]);
    parser.parse(bytes, at, bytes.length, true, 2, rows, bad);
    expect(rows).toEqual([{ a: 1 }, { a: 3 }, { a: 4 }]);
  });

  it('have one hidden class, however they were read', () => {
    setFlagsFromString('--allow-natives-syntax');
    // oxlint-disable-next-line typescript/no-implied-eval -- natives exist in code that is compiled after the flag.
    const sameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
    const parser = csvParser({ columns: ['a', '__proto__', 'c'], types: { c: 'number' } });
    const { rows } = parseWhole(parser, 'x,y,1\n"a ""b""",z,\nx,y, 2.5\nx,y,1');
    expect(rows.length).toBe(4);
    for (const row of rows) expect(sameMap(row, rows[0])).toBe(true);
    expect(Object.keys(rows[0])).toEqual(['a', '__proto__', 'c']);
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype);
  });

  it('keep short strings that look alike apart', () => {
    const texts = ['a', 'a\0', 'a\0\0', 'aaaa', 'aaaa\0', 'éé', 'abcdefgh', 'abcdefgi', '12345678', '漢字'];
    const parser = csvParser({ columns: ['text'], types: {} });
    const { rows } = parseWhole(parser, [...texts, ...texts].map((text) => `${text}\n`).join(''));
    expect(rows.map((row) => row['text'])).toEqual([...texts, ...texts]);
    // At the end of a buffer too, where bytes are not read four at a time.
    for (const text of ['ab', 'ba', 'abcdefgh', 'abcdefhg', 'bacdefgh']) {
      expect(parseWhole(parser, `${text}\n`).rows).toEqual([{ text }]);
    }
  });
});

describe('without code generation', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('rows are the same', () => {
    vi.stubGlobal('Function', () => {
      throw new EvalError('Code generation from strings disallowed for this context');
    });
    const parser = csvParser({ columns: ['__proto__', 'b'], types: { b: 'number' } });
    const { rows } = parseWhole(parser, 'x,1\n');
    expect(entriesOf(rows, ['__proto__', 'b'])).toEqual([
      [
        ['__proto__', 'x'],
        ['b', 1],
      ],
    ]);
  });
});

it.each(['', ',,', 'é', '"', '\n', '5', 'a', '.', '-'])('the delimiter %j is refused', (delimiter) => {
  expect(() => csvParser({ columns: ['a'], types: {}, delimiter })).toThrow(RangeError);
});
