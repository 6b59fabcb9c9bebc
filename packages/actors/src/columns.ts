/**
 * Batches of flat records of one shape, column by column: numbers as typed arrays, texts as a dictionary of the frame
 * and indexes into it. Three times fewer CPU seconds than a record a row; readable alone, like every frame.
 */

/** One column: its kind, and what stands in it. */
export type Column =
  | readonly ['integers', Int32Array]
  | readonly ['numbers', Float64Array]
  | readonly ['texts', Uint16Array, readonly string[]]
  /** Anything else, one by one. */
  | readonly ['values', readonly unknown[]];

type Row = Readonly<Record<string, unknown>>;

/** Rows whose fields are exactly `names`, in this order, as columns. At most 65,536 rows. */
export function toColumns(names: readonly string[], rows: readonly Row[]): Column[] {
  return names.map((name) => {
    const first = rows[0]?.[name];
    if (typeof first === 'number') return numbersOf(name, rows) ?? valuesOf(name, rows);
    if (typeof first === 'string') return textsOf(name, rows) ?? valuesOf(name, rows);
    return valuesOf(name, rows);
  });
}

function numbersOf(name: string, rows: readonly Row[]): Column | null {
  const integers = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i][name];
    // Before it is put in: an object would be asked for its number, and a bigint has none.
    if (typeof value !== 'number') return null;
    integers[i] = value;
    // Zero may be negative.
    if (integers[i] !== value || (value === 0 && Object.is(value, -0))) return floatsOf(name, rows);
  }
  return ['integers', integers];
}

function floatsOf(name: string, rows: readonly Row[]): Column | null {
  const numbers = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i][name];
    if (typeof value !== 'number') return null;
    numbers[i] = value;
  }
  return ['numbers', numbers];
}

function textsOf(name: string, rows: readonly Row[]): Column | null {
  const indexes = new Uint16Array(rows.length);
  const dictionary: string[] = [];
  const known = new Map<string, number>();
  let last: unknown;
  let lastIndex = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i][name];
    // Real columns often repeat the value of the row before.
    if (value !== last) {
      if (typeof value !== 'string') return null;
      const index = known.get(value);
      if (index === undefined) {
        lastIndex = dictionary.length;
        known.set(value, lastIndex);
        dictionary.push(value);
      } else lastIndex = index;
      last = value;
    }
    indexes[i] = lastIndex;
  }
  return ['texts', indexes, dictionary];
}

function valuesOf(name: string, rows: readonly Row[]): Column {
  return ['values', rows.map((row) => row[name])];
}

/** @throws RangeError when these are no columns of so many rows */
export function assertColumns(names: unknown, columns: unknown, count: number): asserts columns is readonly Column[] {
  const good =
    Array.isArray(names) &&
    Array.isArray(columns) &&
    names.length === columns.length &&
    names.every((name) => typeof name === 'string') &&
    columns.every((column) => isColumn(column as Column, count));
  if (!good) throw new RangeError('no such columns');
}

function isColumn(column: Column, count: number): boolean {
  if (!Array.isArray(column) || column[1]?.length !== count) return false;
  switch (column[0]) {
    case 'integers':
      return column[1] instanceof Int32Array;
    case 'numbers':
      return column[1] instanceof Float64Array;
    case 'texts':
      return (
        column[1] instanceof Uint16Array && Array.isArray(column[2]) && column[1].every((at) => at < column[2].length)
      );
    case 'values':
      return Array.isArray(column[1]);
    default:
      return false;
  }
}

/** The rows that `toColumns` was given: new objects of one hidden class. */
export function fromColumns(names: readonly string[], columns: readonly Column[], count: number): Row[] {
  const rows = new Array<Row>(count);
  const make = rowMaker(names, columns);
  const data = columns.map((column) => column[1]);
  const dictionaries = columns.map((column) => (column[0] === 'texts' ? column[2] : NO_DICTIONARY));
  for (let i = 0; i < count; i++) rows[i] = make(data, dictionaries, i);
  return rows;
}

const NO_DICTIONARY: readonly string[] = [];

type Indexed = readonly unknown[] | Int32Array | Float64Array | Uint16Array;
type RowMaker = (data: readonly Indexed[], dictionaries: readonly (readonly string[])[], i: number) => Row;

/** Makers by shape: there are as many as there are inputs with different headers. */
const makers = new Map<string, RowMaker>();
const MAKERS_MAX = 1_000;
/** Fields of a row that code is made for: V8 keeps more of them as a table anyway. */
const FIELDS_MAX = 1_000;

function rowMaker(names: readonly string[], columns: readonly Column[]): RowMaker {
  const texts = columns.map((column) => column[0] === 'texts');
  const shape = JSON.stringify([names, texts]);
  let maker = makers.get(shape);
  if (maker === undefined) {
    maker = compiled(names, texts) ?? ((data, dictionaries, i) => plainRow(names, texts, data, dictionaries, i));
    if (makers.size < MAKERS_MAX) makers.set(shape, maker);
  }
  return maker;
}

/** An object literal for the shape: five times faster than setting fields one by one. Null where code may not be made. */
function compiled(names: readonly string[], texts: readonly boolean[]): RowMaker | null {
  if (names.length > FIELDS_MAX) return null;
  const fields = names.map((name, at) => {
    const key = name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
    return `${key}:${texts[at] ? `t[${at}][d[${at}][i]]` : `d[${at}][i]`}`;
  });
  try {
    // oxlint-disable-next-line no-implied-eval -- only names, quoted by JSON.stringify, become code
    return new Function('d', 't', 'i', `return {${fields.join(',')}}`) as RowMaker;
  } catch {
    return null;
  }
}

function plainRow(
  names: readonly string[],
  texts: readonly boolean[],
  data: readonly Indexed[],
  dictionaries: readonly (readonly string[])[],
  i: number,
): Row {
  const row: Record<string, unknown> = {};
  for (let at = 0; at < names.length; at++) {
    const found = data[at][i];
    const value = texts[at] ? dictionaries[at][found as number] : found;
    // The setter of that name would change the prototype.
    if (names[at] !== '__proto__') row[names[at]] = value;
    else Object.defineProperty(row, names[at], { value, enumerable: true, configurable: true, writable: true });
  }
  return row;
}
