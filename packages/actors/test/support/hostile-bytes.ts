import { encodeRows, encodeValue, type PackedFrame, unpackBatch, unpackMessages } from '@tidemark/actors/internal';
import { expect } from 'vitest';

export const MEGABYTE = 2 ** 20;
/** Begins the definition of a record, with the id that `0x40` is an object of. */
export const DEFINE = [0xd4, 0x72, 0x40];

/** A megabyte of what is dearest to read. */
export const DEAREST: readonly (readonly [string, () => Uint8Array])[] = [
  ['empty Maps', () => rowsOf([[0x80]])],
  ['empty arrays', () => rowsOf([[0x90]])],
  ['arrays in arrays', () => rowsOf([[0x91, 0x91, 0x91, 0x91, 0x91, 0x80]])],
  ['arrays without end', () => Uint8Array.from({ length: MEGABYTE }, () => 0x91)],
  ['errors', () => rowsOf([[0xd4, 0x65, 0, 0x90]])],
  ['regular expressions', () => rowsOf([[0xd4, 0x78, 0, 0x92, 0xa1, 0x61, 0xa0]])],
  ['typed arrays', () => rowsOf([[0xc7, 1, 0x74, 1]])],
  ['short texts', () => rowsOf([[0xa2, 0xc3, 0xa9]])],
  ['one bigint', () => Uint8Array.from({ length: MEGABYTE }, (_, i) => [0xc9, 0, 0x0f, 0xff, 0xfa, 0x42][i] ?? 7)],
  ['bytes left over', () => rowsOf([[0x90]], 1_000)],
  ['shapes, each met four times', () => rowsOf(shapes(40_000), 160_000)],
  ['shapes, each met once', () => rowsOf(shapes(60_000, 0), 60_000)],
  ['columns of a shape each', () => encodeRows([groupsOfAShape(9_000), null, null])],
  [
    'groups of a shape each',
    () => encodeRows([groupsOfAShape(4_096), Uint16Array.from({ length: 4_096 }, (__, i) => i), null]),
  ],
  ['empty Sets', () => rowsOf([[0xd4, 0x73, 0, 0x90]])],
  ['Maps of one entry', () => rowsOf([[0x81, 1, 1]])],
  ['no bytes', () => rowsOf([[0xc4, 0]])],
  ['dates that are none', () => rowsOf([[0xc7, 0, 0xff]])],
  ['small bigints', () => rowsOf([[0xc7, 1, 0x42, 5]])],
  ['objects without fields', () => rowsOf([[...DEFINE, 0x90], [0x40]], undefined, 1)],
  ['objects of 2,000 fields', () => objectsOf(2_000, 'f')],
  ['objects of 20 fields named by numbers', () => objectsOf(20, '1')],
  ['shapes of 300 fields, each met five times', () => wideShapes(300)],
  [
    'shapes defined with two bytes',
    () =>
      rowsOf(
        shapes(60_000, 0).map(([, , , ...more]) => [0xd5, 0x72, 0x40, 1, ...more]),
        60_000,
      ),
  ],
  ['arrays, and shapes enough for the plain reader', () => rowsOf([...shapes(600, 0), [0x91, 1]], undefined, 1)],
  ['a Map of numbers', () => mapOfNumbers(170_000)],
  [
    'references in rows',
    () =>
      rowsOf(
        [
          [0xd6, 0x69, 0, 0, 0, 1, 0x90],
          [0xd6, 0x70, 0, 0, 0, 1],
        ],
        undefined,
        1,
      ),
  ],
  ['groups that share a dictionary', () => sharedDictionaries(4_096)],
  ['columns without end', () => manyColumns(200_000)],
  [
    'columns of one byte',
    () =>
      encodeRows([
        'job',
        null,
        Array.from({ length: 250 }, (__, i) => `c${i}`),
        Array.from({ length: 250 }, () => ['values', new Array(4_096).fill(null)]),
      ]),
  ],
  ['fields that are all empty arrays', () => tuplesOf(240)],
  [
    'extras of one message',
    () => encodeRows([[['a', 'h', same1('k'), ['tuples', []]]], null, [new Uint16Array(500_000), same1(null)]]),
  ],
];

/** How many messages, or rows, a frame has. */
export function readFrame(frame: PackedFrame): number {
  const grouped = frame.codec === 'messages' || frame.codec === 'grouped';
  return grouped ? unpackMessages(frame).length : unpackBatch(frame).values.length;
}

export function expectNoPollution(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
}

/** An array of these units until a megabyte is full: each once, and with `last` 1 the last one over and over. */
export function rowsOf(
  units: readonly (readonly number[])[],
  count?: number,
  last = units.length === 1 ? 1 : 0,
): Uint8Array {
  const bytes = new Uint8Array(MEGABYTE);
  bytes[0] = 0xdd;
  let at = 5;
  let i = 0;
  for (; last === 1 || i < units.length; i++) {
    const unit = units[Math.min(i, units.length - 1)];
    if (at + unit.length > MEGABYTE) break;
    bytes.set(unit, at);
    at += unit.length;
  }
  new DataView(bytes.buffer).setUint32(1, count ?? i);
  return bytes.subarray(0, at);
}

/** Definitions of a record with a field of its own name, each used so many times more. */
function shapes(count: number, more = 3): number[][] {
  return Array.from({ length: count }, (_, i) => [
    ...DEFINE,
    0x91,
    ...fixed(i.toString(36).padStart(4, 'z')),
    1,
    ...Array.from({ length: more }, () => [0x40, 1]).flat(),
  ]);
}

export function fixed(name: string): number[] {
  return [0xa0 + name.length, ...Buffer.from(name)];
}

export function same1(value: unknown): unknown[] {
  return ['same', value];
}

function groupsOfAShape(count: number): unknown[] {
  return Array.from({ length: count }, (_, i) => [
    'a',
    'h',
    ['same', 'k'],
    ['tuples', [['records', [i.toString(36)], [['same', 1]]]]],
  ]);
}

/** One shape, and objects of it until a megabyte is full. */
function objectsOf(fields: number, begin: string): Uint8Array {
  const names = Array.from({ length: fields }, (_, i) => fixed(`${begin}${i}`)).flat();
  const values = Array.from({ length: fields }, () => 1);
  return rowsOf(
    [
      [...DEFINE, 0xdc, fields >> 8, fields & 0xff, ...names, ...values],
      [0x40, ...values],
    ],
    undefined,
    1,
  );
}

function wideShapes(fields: number): Uint8Array {
  const values = Array.from({ length: fields }, () => 1);
  const units = Array.from({ length: 400 }, (_, i) => {
    const names = values.flatMap((__, at) => fixed((i * fields + at).toString(36).padStart(4, 'z')));
    const again = Array.from({ length: 4 }, () => [0x40, ...values]).flat();
    return [...DEFINE, 0xdc, fields >> 8, fields & 0xff, ...names, ...values, ...again];
  });
  return rowsOf(units, 2_000);
}

function mapOfNumbers(count: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(5 + count * 6));
  bytes.setUint8(0, 0xdf);
  bytes.setUint32(1, count);
  for (let i = 0; i < count; i++) {
    bytes.setUint8(5 + i * 6, 0xce);
    bytes.setUint32(6 + i * 6, i * 7_919);
  }
  return new Uint8Array(bytes.buffer);
}

/** Each group has the same 200,000 texts to choose from. */
function sharedDictionaries(groups: number): Uint8Array {
  const texts = Array.from({ length: 200_000 }, () => 'ab');
  const one = new Uint16Array(1);
  return encodeValue([
    Array.from({ length: groups }, () => ['a', 'h', ['texts', one, texts], ['tuples', []]]),
    Uint16Array.from({ length: groups }, (_, i) => i),
    null,
  ]);
}

function manyColumns(count: number): Uint8Array {
  const column = new Int32Array(4_096);
  return encodeValue([
    'job',
    null,
    Array.from({ length: count }, () => ''),
    Array.from({ length: count }, () => column),
  ]).subarray(0, MEGABYTE);
}

/** Each message has so many empty arrays, from a few bytes. */
function tuplesOf(count: number): Uint8Array {
  const args = ['tuples', Array.from({ length: count }, () => ['tuples', []])];
  return encodeRows([[['a', 'h', same1('k'), args]], null, null]);
}
