import {
  copyValue,
  decodeRows,
  decodeValue,
  encodeRows,
  encodeValue,
  type Envelope,
  packBatch,
  packMessages,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainEnvelope } from './support/envelopes.ts';
import { messages } from './support/frames.ts';
import { functionsMade } from './support/functions-made.ts';
import { plain } from './support/plain.ts';
import { same } from './support/same.ts';
import { thrownBy } from './support/thrown.ts';

describe('what copyValue accepts', () => {
  test('comes out of a frame as it was, in order, whatever the messages have in common', () => {
    const codecs = new Set<string>();
    fc.assert(
      fc.property(messages, (envelopes) => {
        const frames = packMessages(envelopes);
        for (const { codec } of frames) codecs.add(codec);
        expect(same(frames.flatMap(unpackMessages).map(plainEnvelope), envelopes)).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect([...codecs].sort()).toEqual(['grouped', 'messages']);
  });

  test('comes out of a frame of rows as it was', () => {
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 20 }), (values) => {
        const batch = { task: 'job', keys: null, values: values.map((value) => copyValue(value, 'v')), columns: null };
        expect(same(unpackBatch(packBatch(batch)), batch)).toBe(true);
      }),
    );
  });

  test('shares nothing with another message of its frame', () => {
    const envelopes = Array.from({ length: 50 }, (): Envelope => message([{ at: { n: 1 }, list: [{}] }]));
    const objects = packMessages(envelopes)
      .flatMap(unpackMessages)
      .flatMap(({ args: [value] }) => {
        const { at, list } = value as { at: object; list: object[] };
        return [value, at, list, list[0]];
      });
    expect(new Set(objects).size).toBe(200);
  });
});

/** More shapes than code is made for: what stands beside them is read in the other way. */
const manyShapes = Array.from({ length: 600 }, (_, i) => ({ [`field${i}`]: i }));

describe('values with very many shapes', () => {
  test.each([
    ['rows', encodeRows, decodeRows],
    ['states', encodeValue, decodeValue],
  ])('come back as they were among %s', (_, encode, decode) => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(same(decode(encode([manyShapes, value])), [manyShapes, value])).toBe(true);
      }),
      { numRuns: 300 },
    );
    const made = functionsMade(() => decode(encode(Array.from({ length: 4 }, () => manyShapes))));
    expect(made).toBe(0);
  });

  test('keep what is one object in a state', () => {
    const both = { n: 1 };
    const [, first, second] = decodeValue(encodeValue([manyShapes, both, both])) as unknown[];
    expect(first).toEqual(both);
    expect(second).toBe(first);
  });

  test('are read at their edges', () => {
    const values = [
      -1,
      -33,
      -129,
      -32_769,
      40_000,
      2 ** 31,
      2 ** 40,
      0.1,
      -(2n ** 63n),
      2n ** 64n,
      -(2n ** 64n),
      'x'.repeat(70_000),
    ];
    const dates = [0, 1, -1, 2 ** 33 * 1000 + 1, 8.64e15, -8.64e15].map((ms) => new Date(ms));
    const long = [Array.from({ length: 70_000 }, (_, i) => i), new Map(manyShapes.entries())];
    for (const value of [...values, ...dates, ...long]) {
      expect(same(decodeRows(encodeRows([manyShapes, value])), [manyShapes, value])).toBe(true);
    }
  });
});

const BAD: readonly (readonly [string, unknown])[] = [
  ['function', () => 1],
  ['symbol', Symbol('s')],
  ['instance of Error', new Error('x')],
  ['instance of URL', new URL('file:///x')],
  ['a string with half of a surrogate pair', 'a\ud800'],
  ['nested deeper than 200, or a cycle', cycle()],
];

test('DATA_NOT_SERIALISABLE: what is refused is named by its path, wherever it stands in whatever else', () => {
  const step = fc.oneof(
    fc.tuple(fc.constant('field' as const), fc.stringMatching(/^[a-z]{1,5}$/)),
    fc.tuple(fc.constant('item' as const), fc.nat(3)),
    fc.tuple(fc.constant('entry' as const), fc.nat(9)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), fc.constantFrom(...BAD), plain, (steps, [found, bad], beside) => {
      let value = bad;
      let path = '';
      for (const [way, name] of steps.toReversed()) {
        if (way === 'field') value = { [`_${name}`]: beside, [name]: value };
        else if (way === 'item') value = [...Array.from({ length: name }, () => beside), value];
        else value = new Map([[name, value]]);
        path = (way === 'field' ? `.${name}` : way === 'item' ? `[${name}]` : `.get(${name})`) + path;
      }
      const error = thrownBy(() => copyValue(value, 'v'));
      expect(error).toMatchObject({ code: 'DATA_NOT_SERIALISABLE' });
      // A cycle is found where it is too deep.
      const isCycle = found.startsWith('nested');
      expect(error?.message.startsWith(isCycle ? `v${path}.self` : `v${path}: ${found}`)).toBe(true);
      expect(error?.message).toContain(`: ${found}`);
    }),
  );
});

function message(list: readonly unknown[]): Envelope {
  return { type: 'actor', key: 'a', handler: 'take', args: list, reply: null };
}

function cycle(): object {
  const self: { self?: unknown } = {};
  self.self = self;
  return self;
}
