import { ActorError } from '@tidemark/actors';
import { assertPlain, copyValue, decodeValue, encodeValue } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plain } from './support/plain.ts';
import { same } from './support/same.ts';

class Custom {
  readonly n = 1;
}
class CustomArray extends Array<number> {}
class CustomMap extends Map<number, number> {}
class CustomDate extends Date {}

const cycle: { self?: unknown } = {};
cycle.self = cycle;
// oxlint-disable-next-line no-sparse-arrays -- it is what this test is about
const hole = [1, , 3];

/** What is refused, and how the text names it. */
const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['a function', () => 1, /: function\. /],
  ['a symbol', Symbol('s'), /: symbol\. /],
  ['an instance of a class', new Custom(), /: instance of Custom\. /],
  [
    'an instance of an unnamed class',
    new (class {
      readonly n = 1;
    })(),
    /: instance of an unnamed class\. /,
  ],
  ['an instance of a subclass of Array', CustomArray.from([1]), /: instance of CustomArray\. /],
  ['an instance of a subclass of Map', new CustomMap(), /: instance of CustomMap\. /],
  ['an instance of a subclass of Date', new CustomDate(0), /: instance of CustomDate\. /],
  ['a Buffer', Buffer.from('ab'), /: a Buffer, which would arrive as a Uint8Array: make it one\. /],
  ['an error', new TypeError('x'), /: instance of TypeError\. /],
  ['a regular expression', /x/, /: instance of RegExp\. /],
  ['a promise', Promise.resolve(), /: instance of Promise\. /],
  ['a WeakMap', new WeakMap(), /: instance of WeakMap\. /],
  ['a boxed number', Object(1), /: instance of Number\. /],
  ['shared memory', new SharedArrayBuffer(1), /: instance of SharedArrayBuffer\. /],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), /: an object without a prototype\. /],
  ['a cycle', cycle, /: nested deeper than 200, or a cycle\. /],
  ['half of a surrogate pair', 'a\ud800', /: a string with half of a surrogate pair\. /],
];

/** Ways to hide something in a value, and the path that leads to it. */
const PLACES: readonly (readonly [string, (bad: unknown) => unknown, string])[] = [
  ['by itself', (bad) => bad, 'v'],
  ['in a field', (bad) => ({ order: { items: [0, { price: bad }] } }), 'v.order.items[1].price'],
  ['as a value of a Map', (bad) => new Map([['k', bad]]), 'v.get("k")'],
  ['behind a key of a Map that is an object', (bad) => new Map([[{}, bad]]), 'v.get(an object)'],
  ['in a key of a Map', (bad) => new Map([[{ inner: bad }, 1]]), 'v.key(an object).inner'],
  ['in a Set', (bad) => new Set([[bad]]), 'v.item(an object)[0]'],
];

describe('what is accepted', () => {
  test('comes back from the codec as it was', () => {
    fc.assert(
      fc.property(plain, (value) => {
        assertPlain(value, 'v');
        expect(same(decodeValue(encodeValue(value)), value)).toBe(true);
      }),
    );
  });

  test('is copied as it is, and the copy shares nothing with it', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const copy = copyValue(value, 'v');
        expect(same(copy, value)).toBe(true);
        const own = objectsIn(copy);
        for (const object of objectsIn(value)) expect(own.has(object)).toBe(false);
      }),
    );
  });

  test.each([
    ['a view of a part of a larger buffer', new Uint8Array(new ArrayBuffer(1_000_000), 10, 3)],
    ['a DataView of a part', new DataView(new ArrayBuffer(1_000), 10, 3)],
    ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(3))],
  ])('%s arrives with its own bytes only', (_, view) => {
    const copy = copyValue<ArrayBufferView>(view, 'v');
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    expect(copy.buffer.byteLength).toBe(3);
    expect(copy.constructor).toBe(view.constructor);
  });

  test('an object that stands in two places is two objects afterwards', () => {
    const both = {};
    const [first, second] = copyValue([both, both], 'v');
    expect(first).not.toBe(second);
  });

  test('a negative zero is a zero, here as over there', () => {
    for (const value of [-0, [-0], { n: -0 }, new Map([[1, -0]])]) {
      const copy = copyValue(value, 'v');
      expect(decodeValue(encodeValue(copy))).toStrictEqual(copy);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
    }
    expect(copyValue(-0, 'v')).toBe(0);
  });

  test('201 levels of nesting are accepted, and the codec can write them', () => {
    const value = nested(201);
    expect(same(decodeValue(encodeValue(copyValue(value, 'v'))), value)).toBe(true);
    expect(() => copyValue(nested(202), 'v')).toThrow('nested deeper');
  });
});

describe.each([
  ['copyValue', (value: unknown) => void copyValue(value, 'v')],
  ['assertPlain', (value: unknown) => assertPlain(value, 'v')],
])('%s refuses with the path', (_, take) => {
  for (const [what, bad, says] of REFUSED) {
    // A cycle is found at the depth at which it is given up.
    const places = what === 'a cycle' ? PLACES.slice(0, 1) : PLACES;
    test.each(places)(`${what} %s`, (_where, hide, path) => {
      const error = refusal(() => take(hide(bad)));
      expect(error.message).toMatch(says);
      if (what !== 'a cycle') expect(error.message.startsWith(`${path}: `)).toBe(true);
    });
  }

  test.each(['text', 5, {}, null])('a key __proto__ with %j', (value) => {
    const object: unknown = JSON.parse(`{"a":{"__proto__":${JSON.stringify(value)}}}`);
    expect(refusal(() => take(object)).message).toMatch(/^v\.a\.__proto__: a key of this name\. /);
  });

  test('a key with half of a surrogate pair', () => {
    expect(refusal(() => take({ 'x\udfff': 1 })).message).toMatch(
      /: a key that is a string with half of a surrogate pair\. /,
    );
  });

  test('a hole in an array', () => {
    expect(refusal(() => take({ list: hole })).message).toMatch(/^v\.list\[1\]: a hole in the array\. /);
    expect(() => take({ list: [1, undefined, 3] })).not.toThrow();
  });
});

describe('objects of many shapes', () => {
  const shapes = 10_000;
  const shaped = (n: number): Record<string, unknown> => ({ [`of${n % 7}`]: n, [`shape${n}`]: { n }, last: -0 });

  test('are copied, though more of them come than are remembered', () => {
    for (let n = 0; n < shapes; n++) {
      for (const each of [shaped(n), shaped(n >> 1)]) {
        const copy = copyValue(each, 'v');
        expect(Object.entries(copy)).toStrictEqual(Object.entries({ ...each, last: 0 }));
      }
    }
  });

  test.each([
    ['half of a surrogate pair', 'x\ud800', /: a key that is a string with half/],
    ['__proto__', '__proto__', /\.__proto__: a key of this name/],
    ['a symbol', Symbol('s'), /: a field named by a symbol somewhere in it/],
  ])('have no field named by %s, however often they come', (_, name, says) => {
    for (const before of [0, 1, 3, 63, 64, 65, 200]) {
      for (let time = 0; time < 3; time++) {
        const fields = Array.from({ length: before }, (_of, i) => [`${says.source}${before}.${i}`, i] as const);
        const bad = Object.fromEntries(fields);
        Object.defineProperty(bad, name, { value: 1, enumerable: true });
        // Others of the same beginning are none the worse.
        if (before > 0 && typeof name !== 'symbol') copyValue(Object.fromEntries(fields), 'v');
        if (before > 0 || typeof name !== 'symbol') expect(refusal(() => copyValue(bad, 'v')).message).toMatch(says);
      }
    }
  });
});

test('copyValue and assertPlain agree about every value', () => {
  const bad = fc.constantFrom(...REFUSED.map(([, value]) => value));
  const hidden = fc.tuple(bad, fc.constantFrom(...PLACES)).map(([value, [, hide]]) => hide(value));
  fc.assert(
    fc.property(fc.oneof(plain, fc.anything({ withSparseArray: true, withNullPrototype: true }), hidden), (value) => {
      expect(verdict(() => copyValue(value, 'v'))).toBe(verdict(() => assertPlain(value, 'v')));
    }),
  );
});

function refusal(run: () => void): ActorError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ActorError);
    expect((error as ActorError).code).toBe('DATA_NOT_SERIALISABLE');
    return error as ActorError;
  }
  throw new Error('it was accepted');
}

function verdict(run: () => void): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = { value };
  return value;
}

function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null) return found;
  found.add(value);
  if (ArrayBuffer.isView(value)) found.add(value.buffer);
  else if (value instanceof Map) for (const entry of value) for (const each of entry) objectsIn(each, found);
  else if (value instanceof Set) for (const each of value) objectsIn(each, found);
  else for (const each of Object.values(value)) objectsIn(each, found);
  return found;
}
