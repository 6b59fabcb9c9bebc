/** Tables of text for property tests, and how they are written as CSV. */
import * as fc from 'fast-check';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly delimiter: string;
  readonly lineEnd: string;
  /** Whether the last row ends with a line end. */
  readonly ended: boolean;
}

/** Mostly what CSV trips over, short enough to collide, and now and then a long text that repeats. */
const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '"', ',', ';', '\n', '\r', ' ', 'é', '漢', '🛫'), maxLength: 6 }),
  fc.constantFrom('', 'LAS', 'PHL', '2001-01-01T00:01:00.000Z', 'a text, with "quotes"', '"', '""'),
  fc.constantFrom('same start 1', 'same start 12', 'same start 2', 'same start é', 'same start\n', 'same start\n,"'),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);

export const tables: fc.Arbitrary<Table> = fc.integer({ min: 1, max: 5 }).chain((width) =>
  fc.record({
    columns: fc.uniqueArray(fc.oneof(cell, fc.constantFrom('__proto__', 'constructor', '1', 'a')), {
      minLength: width,
      maxLength: width,
    }),
    rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 40 }),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    ended: fc.boolean(),
  }),
);

/** The rows as CSV, without the header. */
export function csvOfRows({ rows, delimiter, lineEnd, ended }: Table): string {
  const lines = rows.map((row) => row.map((text) => csvOfCell(text, delimiter, row.length)).join(delimiter));
  return lines.join(lineEnd) + (ended && lines.length > 0 ? lineEnd : '');
}

export function csvOf(table: Table): string {
  const header = csvOfRows({ ...table, rows: [table.columns], ended: true });
  return header + csvOfRows(table);
}

/** Quoted where it must be; an empty cell that is alone in its row too, as an empty line is no row. */
function csvOfCell(text: string, delimiter: string, width: number): string {
  const mustQuote = /["\n\r]/.test(text) || text.includes(delimiter) || (text === '' && width === 1);
  return mustQuote ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Each row as pairs of name and value: comparable, whatever the names are. */
export function entriesOf(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): unknown {
  return rows.map((row) => columns.map((name) => [name, Object.getOwnPropertyDescriptor(row, name)?.value]));
}
