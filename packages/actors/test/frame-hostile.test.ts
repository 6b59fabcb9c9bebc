import { ActorError } from '@tidemark/actors';
import {
  decodeRows,
  decodeValue,
  encodeRows,
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
];
let worstMs = 0;
afterAll(() => void process.stdout.write(`hostile bytes: ${worstMs.toFixed(0)} ms for the dearest megabyte\n`));

test.each(DEAREST)('a megabyte of %s is read or refused in a time that grows with the bytes only', (_, bytes) => {
  const body = bytes();
  expect(body.length).toBeLessThanOrEqual(MEGABYTE);
  let bestMs = Number.POSITIVE_INFINITY;
  for (const each of ['messages', 'grouped', 'rows', 'columns'] as const) {
    const began = performance.now();
    const made = functionsMade(() => {
      const error = thrownBy(() => read({ codec: each, count: 4_096, body }));
      if (error !== null) expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
    });
    bestMs = Math.min(bestMs, performance.now() - began);
    // What takes longer than reading a thousand values.
    expect(made).toBeLessThanOrEqual(1_000);
  }
  worstMs = Math.max(worstMs, bestMs);
  expect(bestMs).toBeLessThan(3_000);
});

function expectNoPollution(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
}

/** An array of these units, over and over until a megabyte is full. */
function rowsOf(units: readonly (readonly number[])[], count?: number): Uint8Array {
  const bytes = new Uint8Array(MEGABYTE);
  bytes[0] = 0xdd;
  let at = 5;
  let i = 0;
  for (; at + units[i % units.length].length <= MEGABYTE && (units.length === 1 || i < units.length); i++) {
    bytes.set(units[i % units.length], at);
    at += units[i % units.length].length;
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
