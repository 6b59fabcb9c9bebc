import { encodeValue, UnitTable } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKeys, decodeRowsData } from '../src/stored-rows.ts';
import { hashKeys, hashOfKey } from '../src/stored-keys.ts';

type Key = string | number;

const anyKey: fc.Arbitrary<Key> = fc.oneof(
  fc.integer(),
  fc.integer({ min: -300, max: 300 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ minLength: 30, maxLength: 300 }),
  fc.constant('x'.repeat(70_000)),
);

const keys = fc.uniqueArray(anyKey, { maxLength: 40, comparator: (a, b) => a === b });

describe('keys of stored rows', () => {
  it('are looked over as the codec has written them', () => {
    const property = fc.property(keys, (all) => {
      const hashes: number[] = [];
      const body = encodeValue([all, all.map(() => ({ some: 'value' }))]);
      const end = hashKeys(body, (hash) => hashes.push(hash));
      expect(hashes).toEqual(all.map(hashOfKey));
      expect(decodeKeys(body)).toEqual(all.map((each) => (each === 0 ? 0 : each)));
      expect(end).not.toBeNull();
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('spread over the hashes', () => {
    const texts = new Set(Array.from({ length: 100_000 }, (_, i) => hashOfKey(`user-${i}`) & 0xffff));
    const numbers = new Set(Array.from({ length: 100_000 }, (_, i) => hashOfKey(i * 64) & 0xffff));
    // 100,000 balls thrown at 65,536 places leave about 21.7 % of them empty.
    for (const { size } of [texts, numbers]) expect(size).toBeGreaterThan(0.75 * 65_536);
  });

  it.each([
    ['nothing', []],
    ['a key that is a list', [[[1]], [0]]],
    ['a key that is true', [[true], [0]]],
    ['a large whole number', [[2n ** 40n], [0]]],
    ['three values', [[1], [2], [3]]],
    ['no array', { keys: [1] }],
  ])('of a form that is not known are left to the codec: %s', (_, value) => {
    expect(hashKeys(encodeValue(value), () => undefined)).toBeNull();
  });
});

/** Rows of a part file: those of each entry, and which of them newer files hide. */
interface Stored {
  readonly rows: readonly (readonly [Key, number])[];
  readonly hidden: readonly (readonly Key[])[];
}

const action = fc.oneof(
  fc.record({ kind: fc.constantFrom('get', 'has', 'set', 'update', 'delete', 'touch', 'touchKnown'), at: fc.nat() }),
  fc.record({ kind: fc.constantFrom('size', 'entries', 'capture'), at: fc.constant(0) }),
);

const split = fc.record({ all: keys, hideEvery: fc.nat({ max: 4 }), perEntry: fc.integer({ min: 1, max: 8 }) });

function storedOf({ all, hideEvery, perEntry }: { all: Key[]; hideEvery: number; perEntry: number }): Stored[] {
  const entries: Stored[] = [];
  const every = (n: number): readonly Key[] => all.filter((_, i) => i % n === 0);
  const hidden = hideEvery === 0 ? [] : [every(hideEvery), every(hideEvery + 2)];
  for (let from = 0; from < all.length; from += perEntry) {
    entries.push({ rows: all.slice(from, from + perEntry).map((each, i) => [each, from + i]), hidden });
  }
  return entries;
}

describe('a table that was loaded with stored rows', () => {
  it('does what one does whose rows were loaded one by one', () => {
    const property = fc.property(split, keys, fc.array(action, { maxLength: 30 }), (told, others, actions) => {
      const lazy = new UnitTable<Key, { n: number }>();
      const eager = new UnitTable<Key, { n: number }>();
      for (const { rows, hidden } of storedOf(told)) {
        const body = encodeValue([rows.map(([each]) => each), rows.map(([, n]) => ({ n }))]);
        const data = { body, hidden: hidden.map((each) => new Set<unknown>(each)) };
        lazy.loadStored(data);
        decodeRowsData<Key, { n: number }>(data, (each, value) => eager.load(each, value));
      }
      const known = [...told.all, ...others];
      for (const { kind, at } of actions) {
        const one = known[at % Math.max(1, known.length)] ?? 'none';
        const results = [lazy, eager].map((table) => act(table, kind, one));
        expect(results[0]).toEqual(results[1]);
      }
      expect(sorted(lazy)).toEqual(sorted(eager));
      expect(lazy.size).toBe(eager.size);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('decodes what is asked for, and not the rest', () => {
    const rows = new UnitTable<string, { n: number }>();
    const broken = encodeValue([
      ['a', 'b'],
      [1, 2],
    ]);
    // Whoever decoded its values would throw.
    broken.set([0xc1, 0xc1], broken.length - 2);
    const memory = new Uint8Array(new SharedArrayBuffer(64));
    const good = encodeValue([
      ['c', 'd'],
      [{ n: 3 }, { n: 4 }],
    ]);
    memory.set(good);
    rows.loadStored({ body: broken.subarray(0, -1), hidden: [] });
    rows.loadStored({ body: memory.subarray(0, good.length), hidden: [] });
    expect(rows.get('c')).toEqual({ n: 3 });
    expect(rows.get('d')).toEqual({ n: 4 });
    expect(rows.get('e')).toBeUndefined();
    expect(() => rows.get('a')).toThrow();
  });
});

function act(table: UnitTable<Key, { n: number }>, kind: string, key: Key): unknown {
  switch (kind) {
    case 'get':
      return table.get(key);
    case 'has':
      return table.has(key);
    case 'set':
      return table.set(key, { n: -1 });
    case 'update':
      return table.update(
        key,
        (value) => void value.n++,
        () => ({ n: 100 }),
      );
    case 'delete':
      return table.delete(key);
    case 'touch':
      return table.touch(key, () => ({ n: 200 })).value;
    case 'touchKnown':
      return table.touchKnown(key)?.value;
    case 'size':
      return table.size;
    case 'capture':
      return [...table.captureUnits()].length >= 0;
    default:
      return sorted(table);
  }
}

function sorted(table: UnitTable<Key, { n: number }>): unknown {
  return [...table.entries()].sort(([a], [b]) => (`${typeof a}${a}` < `${typeof b}${b}` ? -1 : 1));
}
