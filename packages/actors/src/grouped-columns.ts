import { FRAME_VALUES_MAX } from './limits.ts';

/**
 * Values of one kind, one after the other, as what they have in common and what differs: numbers as typed arrays, texts
 * as a dictionary, objects of one shape field by field. Chosen by what the values are; `values` takes whatever is left.
 */
export type Column =
  | readonly ['integers', Int32Array]
  | readonly ['numbers', Float64Array]
  | readonly ['texts', Uint16Array, readonly string[]]
  /** All are the same text, number, boolean, null or undefined. */
  | readonly ['same', unknown]
  /** Objects with exactly these fields in this order. */
  | readonly ['records', readonly string[], readonly Column[]]
  /** Arrays of so many items as there are columns. */
  | readonly ['tuples', readonly Column[]]
  /** Anything, one by one. */
  | readonly ['values', readonly unknown[]];

/** Fewer values are not worth looking at. */
const ROWS_MIN = 8;
/** Objects in objects that are taken apart: what lies deeper goes one by one. */
const DEPTH_MAX = 4;
/** Fields of a value that are taken apart: bounds what a few bytes can become. */
const LEAVES_MAX = 256;
/** Texts looked at before it is decided that they do not repeat. */
const TEXTS_TRIED = 64;

/** How many values the columns of a frame may still have: what is taken apart is bounded, what goes one by one is bytes. */
export class Room {
  #left = FRAME_VALUES_MAX;

  /** Answers whether there was room. */
  take(column: Column, count: number): boolean {
    const leaves = leavesOf(column);
    if (leaves > LEAVES_MAX || (leaves > 1 && leaves * count > this.#left)) return false;
    if (leaves > 1) this.#left -= leaves * count;
    return true;
  }
}

/**
 * @param values at most 65,536
 * @param room of the frame
 */
export function toColumn(values: readonly unknown[], room: Room): Column {
  const column = columnOf(values, 0);
  return room.take(column, values.length) ? column : ['values', values];
}

function leavesOf(column: Column): number {
  if (column[0] === 'records') return column[2].reduce((sum, each) => sum + leavesOf(each), 1);
  if (column[0] === 'tuples') return column[1].reduce((sum, each) => sum + leavesOf(each), 1);
  return 1;
}

function columnOf(values: readonly unknown[], depth: number): Column {
  return (values.length < ROWS_MIN ? null : commonColumn(values, depth)) ?? ['values', values];
}

/** What the values have in common, if they all have; the first one says what it may be. */
function commonColumn(values: readonly unknown[], depth: number): Column | null {
  const [first] = values;
  if (typeof first === 'number') return integersOf(values) ?? floatsOf(values);
  if (typeof first === 'string') return sameOf(values) ?? textsOf(values);
  if (typeof first === 'boolean' || first === undefined || first === null) return sameOf(values);
  if (typeof first !== 'object' || depth === DEPTH_MAX) return null;
  return tuplesOf(values, first, depth) ?? recordsOf(values, first, depth);
}

function sameOf(values: readonly unknown[]): Column | null {
  const [first] = values;
  for (let i = 1; i < values.length; i++) if (values[i] !== first) return null;
  return ['same', first];
}

function integersOf(values: readonly unknown[]): Column | null {
  const integers = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // Before it is put in: an object would be asked for its number.
    if (typeof value !== 'number') return null;
    integers[i] = value;
    // Zero may be negative.
    if (integers[i] !== value || (value === 0 && Object.is(value, -0))) return null;
  }
  return ['integers', integers];
}

function floatsOf(values: readonly unknown[]): Column | null {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number') return null;
    numbers[i] = value;
  }
  return ['numbers', numbers];
}

function textsOf(values: readonly unknown[]): Column | null {
  const indexes = new Uint16Array(values.length);
  const dictionary: string[] = [];
  const known = new Map<string, number>();
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'string') return null;
    let index = known.get(value);
    if (index === undefined) {
      index = dictionary.length;
      if (index >= TEXTS_TRIED && index * 2 > i) return null;
      known.set(value, index);
      dictionary.push(value);
    }
    indexes[i] = index;
  }
  return ['texts', indexes, dictionary];
}

function tuplesOf(values: readonly unknown[], first: object, depth: number): Column | null {
  if (!Array.isArray(first)) return null;
  const { length } = first;
  if (length > LEAVES_MAX) return null;
  for (const value of values) if (!Array.isArray(value) || value.length !== length) return null;
  const rows = values as readonly (readonly unknown[])[];
  const columns: Column[] = [];
  for (let at = 0; at < length; at++)
    columns.push(
      columnOf(
        rows.map((row) => row[at]),
        depth + 1,
      ),
    );
  return ['tuples', columns];
}

function recordsOf(values: readonly unknown[], first: object, depth: number): Column | null {
  const names = Object.keys(first);
  if (names.length === 0 || names.length > LEAVES_MAX) return null;
  for (const value of values) if (!hasShape(value, names)) return null;
  const rows = values as readonly Readonly<Record<string, unknown>>[];
  return ['records', names, splitRows(rows, names).map((each) => columnOf(each, depth + 1))];
}

type Rows = readonly Readonly<Record<string, unknown>>[];
type Splitter = (rows: Rows) => readonly (readonly unknown[])[];

const splitters = new Map<string, Splitter | null>();

/** The fields of the rows, each as a list. */
function splitRows(rows: Rows, names: readonly string[]): readonly (readonly unknown[])[] {
  const split = compiled(splitters, JSON.stringify(names), () => {
    const lists = names.map((_, at) => `l${at}=new Array(n)`);
    const fields = names.map((name, at) => `l${at}[i]=r[${JSON.stringify(name)}];`);
    const all = names.map((_, at) => `l${at}`);
    const loop = `for(let i=0;i<n;i++){const r=rows[i];${fields.join('')}}`;
    return ['rows', `const n=rows.length,${lists.join(',')};${loop}return[${all.join(',')}]`];
  });
  return split === null ? names.map((name) => rows.map((row) => row[name])) : split(rows);
}

function hasShape(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  let at = 0;
  for (const name in value) if (name !== names[at++]) return false;
  return at === names.length;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

type Reader = (i: number) => unknown;

/**
 * Reads the values of a column: new objects at each call.
 *
 * @throws RangeError when it is no column of `count` values
 */
export function columnReader(column: Column, count: number, room: Room): Reader {
  const parts: unknown[] = [];
  const code = codeOf(column, count, parts);
  check(room.take(column, count));
  if (column[0] === 'values') return (i) => column[1][i];
  const make = isFrequent(code, count) ? compiled(makers, code, () => ['p', 'i', `return ${code}`]) : null;
  return make === null ? (i) => valueAt(column, i) : (i) => make(parts, i);
}

type Maker = (parts: readonly unknown[], i: number) => unknown;

const makers = new Map<string, Maker | null>();

/** By shape, how many values were read before there was code for it. */
const met = new Map<string, number>();
/** Values that pay for making code: it takes as long as reading thousands. */
const MET_MIN = 64;

function isFrequent(shape: string, count: number): boolean {
  if (makers.has(shape)) return true;
  const seen = (met.get(shape) ?? 0) + count;
  if (seen >= MET_MIN) met.delete(shape);
  else if (met.size < SHAPES_MAX) met.set(shape, seen);
  return seen >= MET_MIN;
}

/** Checks a column, puts what it is made of into `parts`, and answers the code that makes a value of these. */
function codeOf(column: Column, count: number, parts: unknown[]): string {
  const part = parts.length;
  switch (column[0]) {
    case 'integers':
    case 'numbers':
      check(column[1] instanceof (column[0] === 'integers' ? Int32Array : Float64Array) && column[1].length === count);
      parts.push(column[1]);
      return `p[${part}][i]`;
    case 'values':
      check(Array.isArray(column[1]) && column[1].length === count);
      parts.push(column[1]);
      return `p[${part}][i]`;
    case 'texts':
      checkTexts(column[1], column[2], count);
      parts.push(column[1], column[2]);
      return `p[${part + 1}][p[${part}][i]]`;
    case 'same':
      check(typeof column[1] !== 'object' || column[1] === null);
      parts.push(column[1]);
      return `p[${part}]`;
    case 'records': {
      const [, names, columns] = column;
      check(Array.isArray(names) && Array.isArray(columns) && names.length === columns.length);
      check(names.every((name) => typeof name === 'string' && name !== '__proto__'));
      return `{${names.map((name, at) => `${JSON.stringify(name)}:${codeOf(columns[at], count, parts)}`).join(',')}}`;
    }
    case 'tuples':
      check(Array.isArray(column[1]));
      return `[${column[1].map((each) => codeOf(each, count, parts)).join(',')}]`;
    default:
      throw new RangeError('a column of an unknown kind');
  }
}

function checkTexts(indexes: Uint16Array, dictionary: readonly string[], count: number): void {
  check(indexes instanceof Uint16Array && indexes.length === count && Array.isArray(dictionary));
  check(dictionary.length <= count);
  check(dictionary.every((text) => typeof text === 'string'));
  for (let i = 0; i < count; i++) check(indexes[i] < dictionary.length);
}

function check(good: boolean): void {
  if (!good) throw new RangeError('a column that is none, or of another length');
}

function valueAt(column: Column, i: number): unknown {
  switch (column[0]) {
    case 'integers':
    case 'numbers':
    case 'values':
      return column[1][i];
    case 'texts':
      return column[2][column[1][i]];
    case 'same':
      return column[1];
    case 'records': {
      const record: Record<string, unknown> = {};
      column[1].forEach((name, at) => (record[name] = valueAt(column[2][at], i)));
      return record;
    }
    case 'tuples':
      return column[1].map((each) => valueAt(each, i));
  }
}

// ── code made for a shape ────────────────────────────────────────────────────────────────────────────────────────

/** Shapes that code is made for: there are as many as kinds of arguments, unless somebody makes them up. */
const SHAPES_MAX = 1_000;

/** The function made for a shape, five times faster than one for all. Null where code may not be made, or is for too many shapes. */
function compiled<F>(made: Map<string, F | null>, shape: string, code: () => readonly string[]): F | null {
  const known = made.get(shape);
  if (known !== undefined) return known;
  if (made.size >= SHAPES_MAX) return null;
  let make: F | null = null;
  try {
    // oxlint-disable-next-line no-implied-eval -- only names, quoted by JSON.stringify, become code
    make = new Function(...code()) as F;
  } catch {
    // Known as null from now on.
  }
  made.set(shape, make);
  return make;
}
