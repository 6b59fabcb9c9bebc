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
import {
  DEAREST,
  DEFINE,
  expectNoPollution,
  fixed,
  MEGABYTE,
  readFrame,
  rowsOf,
  same1,
} from './support/hostile-bytes.ts';
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

describe('bytes that nobody has written', () => {
  test('BYTES_UNREADABLE: a frame of them is refused, or has as many messages as it says', () => {
    let refused = 0;
    fc.assert(
      fc.property(hostile, (frame) => {
        const error = thrownBy(() => expect(readFrame(frame)).toBe(frame.count));
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
    const error = thrownBy(() => readFrame({ codec: codecOf[what] ?? 'rows', count: 1, body }));
    if (error !== null) expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
    expectNoPollution();
  });

  test('a few of them never become many values', () => {
    const wide = ['tuples', Array.from({ length: 300 }, () => ['same', 1])];
    const many = (args: unknown, count: number): PackedFrame => {
      return { codec: 'grouped', count, body: encodeRows([[['a', 'h', ['same', 'k'], args]], null, null]) };
    };
    expect(() => readFrame(many(wide, 10))).toThrow(expect.objectContaining({ code: 'BYTES_UNREADABLE' }));
    expect(() => readFrame(many(['tuples', []], 1_000_000))).toThrow(
      expect.objectContaining({ code: 'BYTES_UNREADABLE' }),
    );
    expect(readFrame(many(['tuples', []], 4_096))).toBe(4_096);
    const deep = ['tuples', Array.from({ length: 200 }, () => ['tuples', []])];
    expect(readFrame(many(deep, 1_000))).toBe(1_000);
    expect(() => readFrame(many(deep, 4_000))).toThrow(expect.objectContaining({ code: 'BYTES_UNREADABLE' }));
  });

  test('are refused before any of them is read where they are more than anybody writes, or are said to be more', () => {
    const empty = encodeRows(['job', null, [], []]);
    const said = (each: Codec, count: number, body: Uint8Array): string => {
      const error = thrownBy(() => readFrame({ codec: each, count, body }));
      expect(error).toMatchObject({ code: 'BYTES_UNREADABLE' });
      return error?.message ?? '';
    };
    for (const each of ['messages', 'grouped'] as const) {
      expect(said(each, 4_097, empty)).toContain('more than 4096 messages');
      expect(said(each, 1, new Uint8Array(32 * MEGABYTE + 1))).toContain('more than 33554432 bytes');
    }
    for (const each of ['rows', 'columns'] as const) {
      expect(said(each, 1, new Uint8Array(512 * MEGABYTE + 1))).toContain('more than 536870912 bytes');
      expect(said(each, Number.NaN, empty)).toContain('more than');
      expect(said(each, -1, empty)).not.toContain('more than');
    }
    expect(said('rows', empty.length + 1, empty)).toContain(`more than ${empty.length} messages, or rows`);
    // Rows without fields take no bytes.
    expect(said('columns', 65_537, empty)).toContain('more than 65536 messages, or rows');
    expect(readFrame({ codec: 'columns', count: 65_536, body: empty })).toBe(65_536);
    const values = Array.from({ length: 65_537 }, () => ({}));
    const more = packBatch({ task: 'job', keys: null, values, columns: [] });
    expect([more.codec, readFrame(more)]).toEqual(['rows', 65_537]);
  });

  test('are refused where they have more objects than so many bytes may have, however they are spread', () => {
    const refusal = { code: 'BYTES_UNREADABLE', message: expect.stringContaining('more objects') as unknown };
    for (const unit of [[0x80], [0x90], [0xd4, 0x73, 0, 0x90], [0x92, 0x80, 1], [0xc7, 1, 0x74, 1]]) {
      const body = rowsOf([unit]);
      for (const each of ['messages', 'grouped', 'rows', 'columns'] as const) {
        expect(() => readFrame({ codec: each, count: 4_096, body })).toThrow(expect.objectContaining(refusal));
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
        const error = thrownBy(() => readFrame({ codec: each, count: 4_096, body }));
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

function mapOf(name: string): number[] {
  return [0x81, ...fixed(name), 1];
}
