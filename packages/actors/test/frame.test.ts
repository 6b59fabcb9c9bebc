import {
  type Batch,
  decodeValue,
  encodeValue,
  encodeValueInPlace,
  type Envelope,
  limits,
  packBatch,
  packMessages,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainEnvelope } from './support/envelopes.ts';
import { same } from './support/same.ts';

const reply = fc.option(fc.record({ ask: fc.nat(), term: fc.nat() }, { noNullPrototype: true }));
const envelope: fc.Arbitrary<Envelope> = fc.record(
  {
    type: fc.string(),
    key: fc.string({ unit: 'binary' }),
    handler: fc.string(),
    args: fc.array(fc.oneof(fc.integer(), fc.string(), fc.constantFrom(null, undefined, { a: [1] }))),
    reply,
  },
  { noNullPrototype: true },
);

describe('a value', () => {
  test('is encoded over the one before it: a thread takes no new memory for each', () => {
    const [first, second] = [encodeValueInPlace({ n: 1 }), encodeValueInPlace({ n: 2 })];
    expect([second.buffer, second.byteOffset]).toEqual([first.buffer, first.byteOffset]);
    expect(first).toEqual(second);
    // What is too much to keep is let go of.
    const large = encodeValueInPlace({ text: 'x'.repeat(limits.SLAB_BYTES_KEPT) });
    const text = (decodeValue(large) as { text: string }).text;
    expect([text.length, large.buffer.byteLength > limits.SLAB_BYTES_KEPT]).toEqual([limits.SLAB_BYTES_KEPT, true]);
    expect(encodeValueInPlace({ n: 3 }).buffer.byteLength).toBeLessThan(limits.SLAB_BYTES_KEPT);
  });

  test('that cannot be encoded leaves the next ones as they are', () => {
    const before = encodeValue([1, 'two', { three: 3n }]);
    const throwing = {
      text: 'x'.repeat(100_000),
      get now(): number {
        throw new Error('on purpose');
      },
    };
    expect(() => encodeValue(throwing)).toThrow('on purpose');
    expect(encodeValue([1, 'two', { three: 3n }])).toEqual(before);
  });
});

describe('a frame of messages', () => {
  test('gives them back, with who waits for an answer', () => {
    fc.assert(
      fc.property(fc.array(envelope, { minLength: 1, maxLength: 20 }), (envelopes) => {
        const [frame, ...more] = packMessages(envelopes);
        expect(more).toEqual([]);
        expect(frame).toMatchObject({ codec: 'messages', count: envelopes.length });
        expect(unpackMessages(frame).map(plainEnvelope)).toStrictEqual(envelopes);
      }),
    );
  });

  test('two messages with equal arguments share nothing at the receiver', () => {
    const args = [{ n: 1 }];
    const message: Envelope = { type: 'actor', key: 'a', handler: 'take', args, reply: null };
    const [first, second] = unpackMessages(packMessages([message, { ...message, args: structuredClone(args) }])[0]);
    expect(first.args[0]).not.toBe(second.args[0]);
  });

  test('can be read alone, in any order', () => {
    const message = (n: number): Envelope => ({
      type: 'actor',
      key: 'a',
      handler: 'take',
      args: [{ n, same: 'fields' }],
      reply: null,
    });
    const frames = [1, 2, 3].map((n) => packMessages([message(n)])[0]);
    expect(frames.toReversed().map((frame) => unpackMessages(frame)[0].args[0])).toEqual(
      [3, 2, 1].map((n) => ({ n, same: 'fields' })),
    );
  });

  test('MESSAGE_TOO_LARGE: the last guard, for what no send has measured', () => {
    const message: Envelope = {
      type: 'actor',
      key: 'a',
      handler: 'take',
      args: [new Uint8Array(34 * 1024 * 1024)],
      reply: null,
    };
    expect(() => packMessages([message])).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
  });
});

/** Columns of one kind, of mixed kinds, and of values that look like numbers or texts at first. −0 stays −0 among numbers. */
const cell = fc.oneof(
  fc.integer(),
  fc.double().map((number) => number + 0),
  fc.constantFrom(Number.NaN, null, true, 2 ** 31, '', 'same', 'constructor', 10n, new Date(5), [1]),
  fc.string(),
);
const column = (rows: number): fc.Arbitrary<unknown[]> =>
  fc.oneof(
    ...[fc.integer(), fc.double(), fc.constantFrom(0, -0), fc.constantFrom('a', 'b'), fc.string(), cell].map((each) =>
      fc.array<unknown>(each, { minLength: rows, maxLength: rows }),
    ),
  );
const names = fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '"', 'a b')), {
  minLength: 1,
  maxLength: 5,
});
const flatRows = fc.tuple(names, fc.integer({ min: 1, max: 12 })).chain(([fields, count]) =>
  fc.tuple(...fields.map(() => column(count))).map((columns) => ({
    fields,
    rows: Array.from({ length: count }, (_, i) => Object.fromEntries(fields.map((name, at) => [name, columns[at][i]]))),
  })),
);

describe('a frame of records', () => {
  test('as columns gives back every field as it was', () => {
    fc.assert(
      fc.property(flatRows, ({ fields, rows }) => {
        const batch: Batch = { task: 'job', keys: null, values: rows, columns: fields };
        const frame = packBatch(batch);
        expect(frame).toMatchObject({ codec: 'columns', count: rows.length });
        const back = unpackBatch(frame);
        expect([back.task, back.keys, back.columns]).toEqual(['job', null, fields]);
        expect(same(back.values, rows)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('as rows gives back values of any shape, and their keys', () => {
    const values = [1, 'two', null, { three: [3] }, { four: { deep: true } }, [5]];
    const batch: Batch = { task: 'job', keys: ['a', 1, 'b', 2, 'c', 3], values, columns: null };
    expect(unpackBatch(packBatch(batch))).toStrictEqual(batch);
  });
});
