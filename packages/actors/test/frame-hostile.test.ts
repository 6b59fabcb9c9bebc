import { ActorError } from '@tidemark/actors';
import {
  decodeRows,
  decodeValue,
  encodeRows,
  encodeValue,
  packBatch,
  type PackedFrame,
  packMessages,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { messages, number, text } from './support/frames.ts';
import { functionsMade } from './support/functions-made.ts';
import { plain } from './support/plain.ts';
import { thrownBy } from './support/thrown.ts';
import { isSurelyLight, weightMax, weightOf } from '../src/weight.ts';

type Codec = PackedFrame['codec'];

/** Of each codec, frames as they are written. */
const valid: fc.Arbitrary<PackedFrame> = fc.oneof(
  messages.map((envelopes) => packMessages(envelopes)[0]),
  fc.array(plain, { maxLength: 9 }).map((values) => packBatch({ task: 'job', keys: null, values, columns: null })),
  fc
    .array(fc.record({ n: number, t: text }, { noNullPrototype: true }), { minLength: 1, maxLength: 40 })
    .map((values) => packBatch({ task: 'job', keys: values.map(({ t }) => t), values, columns: ['n', 't'] })),
);
const codec = fc.constantFrom<Codec>('messages', 'grouped', 'rows', 'columns');
const hostile: fc.Arbitrary<PackedFrame> = fc.oneof(
  fc.record({ codec, count: fc.nat(70_000), body: fc.uint8Array({ maxLength: 300 }) }),
  fc.tuple(valid, fc.nat()).map(([frame, at]) => ({ ...frame, body: frame.body.slice(0, at % frame.body.length) })),
  fc.tuple(valid, fc.uint8Array({ minLength: 1 })).map(([frame, more]) => ({
    ...frame,
    body: Uint8Array.from([...frame.body, ...more]),
  })),
  fc.tuple(valid, fc.nat(5_000)).map(([frame, count]) => ({ ...frame, count })),
  fc.tuple(valid, codec).map(([frame, other]) => ({ ...frame, codec: other })),
  fc.tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([frame, changes]) => {
    const body = frame.body.slice();
    for (const [at, byte] of changes) body[at % body.length] = byte;
    return { ...frame, body };
  }),
);

function read(frame: PackedFrame): number {
  const grouped = frame.codec === 'messages' || frame.codec === 'grouped';
  return grouped ? unpackMessages(frame).length : unpackBatch(frame).values.length;
}

describe('bytes that nobody has written', () => {
  test('BYTES_UNREADABLE: a frame of them is refused, or has as many messages as it says', () => {
    let refused = 0;
    fc.assert(
      fc.property(hostile, (frame) => {
        const error = thrownBy(() => expect(read(frame)).toBe(frame.count));
        if (error === null) return;
        expect(error).toBeInstanceOf(ActorError);
        expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
        refused++;
      }),
      { numRuns: 3_000 },
    );
    expect(refused).toBeGreaterThan(1_000);
    expectNoPollution();
  });

  test('BYTES_UNREADABLE: so is a value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(decodeValue, decodeRows), (bytes, decode) => {
        const error = thrownBy(() => decode(bytes));
        if (error !== null) expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
      }),
      { numRuns: 3_000 },
    );
    expectNoPollution();
  });

  test.each([
    ['a record', () => rowsOf([[...DEFINE, 0x91, ...fixed('__proto__'), ...mapOf('polluted')]])],
    ['columns', () => encodeRows(['job', null, ['__proto__'], [['values', [{ polluted: 1 }]]]])],
    [
      'a group',
      () =>
        encodeRows([
          [['a', 'h', same1('k'), ['tuples', [['records', ['__proto__'], [['values', [{}]]]]]]]],
          null,
          null,
        ]),
    ],
  ])('%s with a field __proto__ changes no prototype', (what, bytes) => {
    const body = bytes();
    const codecOf: Record<string, Codec> = { columns: 'columns', 'a group': 'grouped' };
    const error = thrownBy(() => read({ codec: codecOf[what] ?? 'rows', count: 1, body }));
    if (error !== null) expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
    expectNoPollution();
  });

  test('a few of them never become many values', () => {
    const wide = ['tuples', Array.from({ length: 300 }, () => ['same', 1])];
    const many = (args: unknown, count: number): PackedFrame => {
      return { codec: 'grouped', count, body: encodeRows([[['a', 'h', ['same', 'k'], args]], null, null]) };
    };
    expect(() => read(many(wide, 10))).toThrow(expect.objectContaining({ code: 'BYTES_UNREADABLE' }));
    expect(() => read(many(['tuples', []], 1_000_000))).toThrow(expect.objectContaining({ code: 'BYTES_UNREADABLE' }));
    expect(read(many(['tuples', []], 4_096))).toBe(4_096);
    const deep = ['tuples', Array.from({ length: 200 }, () => ['tuples', []])];
    expect(read(many(deep, 1_000))).toBe(1_000);
    expect(() => read(many(deep, 4_000))).toThrow(expect.objectContaining({ code: 'BYTES_UNREADABLE' }));
  });

  test('are refused where they have more objects than so many bytes may have, however they are spread', () => {
    const refusal = { code: 'BYTES_UNREADABLE', message: expect.stringContaining('more objects') as unknown };
    for (const unit of [[0x80], [0x90], [0xd4, 0x73, 0, 0x90], [0x92, 0x80, 1], [0xc7, 1, 0x74, 1]]) {
      const body = rowsOf([unit]);
      for (const each of ['messages', 'grouped', 'rows', 'columns'] as const) {
        expect(() => read({ codec: each, count: 4_096, body })).toThrow(expect.objectContaining(refusal));
      }
    }
  });
});

describe('objects of few bytes', () => {
  /** Far more than the bytes of a frame may have. */
  const heavy: readonly (readonly [string, () => unknown])[] = [
    ['Maps', () => Array.from({ length: 100_000 }, () => new Map())],
    ['Sets in objects', () => Array.from({ length: 50_000 }, (_, n) => ({ n, seen: new Set(), more: new Set() }))],
    ['arrays', () => Array.from({ length: 200_000 }, () => [])],
    ['typed arrays', () => Array.from({ length: 50_000 }, () => new Uint16Array(1))],
    ['shapes', () => Array.from({ length: 20_000 }, (_, i) => ({ [`f${i}`]: 1 }))],
    ['objects named by numbers', () => Array.from({ length: 20_000 }, () => ({ 11: 1, 222: 2, 3_333: 3 }))],
    [
      'shapes that come again',
      () => Array.from({ length: 20_000 }, (_, i) => ({ [`f${i % 400}`]: 1, ['g'.repeat(i % 40)]: 2 })),
    ],
  ];

  test.each(heavy)('are read from a frame as they were: %s of one message', (_, make) => {
    const envelope = { type: 'a', key: 'k', handler: 'h', args: [make()], reply: null };
    const frames = packMessages([envelope]);
    expect(frames).toHaveLength(1);
    expect(frames.flatMap(unpackMessages)).toEqual([envelope]);
    for (const { body } of frames)
      expect(weightOf(body, Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(weightMax(body));
  });

  test.each(heavy)('are read from frames as they were: %s of many messages, or rows', (_, make) => {
    const values = make() as unknown[];
    const envelopes = values.map((value) => ({ type: 'a', key: 'k', handler: 'h', args: [value], reply: null }));
    const frames = packMessages(envelopes.slice(0, 8_000));
    expect(frames.flatMap(unpackMessages)).toEqual(envelopes.slice(0, 8_000));
    const batch = { task: 'job', keys: null, values, columns: null };
    const rows = packBatch(batch);
    expect(unpackBatch(rows)).toEqual(batch);
    for (const { body } of [...frames, rows])
      expect(weightOf(body, Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(weightMax(body));
  });

  test('what is light at a look at all bytes weighs no more than it may', () => {
    const many = fc
      .tuple(plain, fc.integer({ min: 1, max: 4_000 }))
      .map(([value, times]) => Array.from({ length: times }, () => structuredClone(value)));
    let light = 0;
    fc.assert(
      fc.property(fc.oneof(many, fc.array(plain)), (value) => {
        const bytes = encodeRows(value);
        if (!isSurelyLight(bytes)) return;
        light++;
        expect(weightOf(bytes, Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(weightMax(bytes));
      }),
      { numRuns: 200 },
    );
    expect(light).toBeGreaterThan(50);
  });
});

/** A megabyte of what is dearest to read. */
const MEGABYTE = 2 ** 20;
const DEFINE = [0xd4, 0x72, 0x40];
const DEAREST: readonly (readonly [string, () => Uint8Array])[] = [
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
let worst = { ms: 0, what: 'nothing' };
afterAll(() => {
  process.stdout.write(`hostile bytes: ${worst.ms.toFixed(0)} ms for the dearest megabyte (${worst.what})\n`);
});

test.each(DEAREST)('a megabyte of %s is read or refused in a time that grows with the bytes only', (what, bytes) => {
  const body = bytes();
  expect(body.length).toBeLessThanOrEqual(MEGABYTE + 300);
  let madeMost = 0;
  for (const each of ['messages', 'grouped', 'rows', 'columns'] as const) {
    let bestMs = Number.POSITIVE_INFINITY;
    // The second and third time without what the first leaves to be collected and compiled.
    for (let turn = 0; turn < 3; turn++) {
      const began = performance.now();
      const made = functionsMade(() => {
        const error = thrownBy(() => read({ codec: each, count: 4_096, body }));
        if (error !== null) expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
      });
      bestMs = Math.min(bestMs, performance.now() - began);
      madeMost = Math.max(madeMost, made);
    }
    if (bestMs > worst.ms) worst = { ms: bestMs, what };
  }
  // Each takes as long as reading a thousand values.
  expect(madeMost).toBeLessThanOrEqual(500);
});

function expectNoPollution(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
}

/** An array of these units until a megabyte is full: each once, and with `last` 1 the last one over and over. */
function rowsOf(units: readonly (readonly number[])[], count?: number, last = units.length === 1 ? 1 : 0): Uint8Array {
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

function fixed(name: string): number[] {
  return [0xa0 + name.length, ...Buffer.from(name)];
}

function mapOf(name: string): number[] {
  return [0x81, ...fixed(name), 1];
}

function same1(value: unknown): unknown[] {
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
