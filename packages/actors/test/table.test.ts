import { type Table, table } from '@tidemark/actors';
import { CutState, UnitTable } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

interface Row {
  n: number;
}

/** A table in a state, and the units that its captures gave. */
class Owned {
  readonly cut = new CutState();
  readonly rows = new UnitTable<string, Row>();
  readonly captured: (readonly [string, Row])[] = [];
  readonly gone: string[] = [];

  constructor() {
    this.rows.attach({ type: 'actor', key: 'a', table: 'rows', cut: this.cut });
  }

  /** Begins a cut of what was changed after `base`. */
  flip(base = 0): void {
    this.captured.length = 0;
    this.gone.length = 0;
    this.cut.begin(this.cut.cut + 1, base, {
      unit: (_type, _key, _table, key, value) => this.captured.push([String(key), structuredClone(value) as Row]),
      gone: (_type, _key, _table, key) => this.gone.push(String(key)),
      passing: () => undefined,
      mail: () => undefined,
      batch: () => undefined,
      settle: () => undefined,
    });
  }

  /** What is left to capture of a cut of everything. */
  *rest(): Generator<void, void, void> {
    yield* this.rows.captureUnits();
    yield* this.cut.captureReplaced();
  }
}

describe('a table', () => {
  test('keeps values by key', () => {
    const rows: Table<string, Row> = table();
    rows.set('a', { n: 1 });
    rows.update(
      'b',
      (row) => void row.n++,
      () => ({ n: 5 }),
    );
    rows.update('c', (row) => void row.n++);
    expect([...rows.entries()]).toEqual([
      ['a', { n: 1 }],
      ['b', { n: 6 }],
    ]);
    expect([rows.size, rows.has('c'), rows.get('a'), rows.delete('a'), rows.delete('a'), rows.size]).toEqual([
      2,
      false,
      { n: 1 },
      true,
      false,
      1,
    ]);
  });

  test('update stores what the function returns, if it returns something', () => {
    const counts: Table<string, number> = table();
    counts.update(
      'a',
      (n) => n + 1,
      () => 0,
    );
    counts.update(
      'a',
      (n) => n + 1,
      () => 0,
    );
    expect(counts.get('a')).toBe(2);
  });

  test('set stores a copy', () => {
    const rows: Table<string, Row> = table();
    const row = { n: 1 };
    rows.set('a', row);
    row.n = 2;
    expect(rows.get('a')).toEqual({ n: 1 });
  });

  test('DATA_NOT_SERIALISABLE: set names the key and the field', () => {
    const rows: Table<string, object> = table();
    expect(() => rows.set('a', { f: () => 1 })).toThrow(
      expect.objectContaining({
        code: 'DATA_NOT_SERIALISABLE',
        message: expect.stringMatching(/^table\[a\]\.f: function/),
      }),
    );
  });

  test.each([['x\ud800'], [{}], [null]])('DATA_NOT_SERIALISABLE: no checkpoint could give back the key %j', (key) => {
    const rows = table<never, number>();
    expect(() => rows.set(key as never, 1)).toThrow(expect.objectContaining({ code: 'DATA_NOT_SERIALISABLE' }));
  });

  test('DEFINITION_INVALID: stands in one state only', () => {
    const rows = new UnitTable<string, Row>();
    rows.attach({ type: 'actor', key: 'a', table: 'rows', cut: new CutState() });
    expect(() => rows.attach({ type: 'actor', key: 'b', table: 'rows', cut: new CutState() })).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID' }),
    );
  });

  test('DATA_NOT_SERIALISABLE: a value that was changed in place is looked at when it is captured', () => {
    const owned = new Owned();
    owned.rows.update(
      'a',
      (row) => void Object.assign(row, { f: () => 1 }),
      () => ({ n: 1 }),
    );
    owned.flip();
    expect(() => owned.rows.captureUnits().next()).toThrow(
      expect.objectContaining({
        code: 'DATA_NOT_SERIALISABLE',
        message: expect.stringMatching(/^actor\/a rows\[a\]\.f: function/),
      }),
    );
  });
});

type Step =
  | { readonly kind: 'set' | 'update' | 'touch' | 'delete'; readonly key: string; readonly n: number }
  | { readonly kind: 'flip' }
  | { readonly kind: 'abandon' }
  | { readonly kind: 'capture'; readonly n: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('set' as const, 'update' as const, 'touch' as const, 'delete' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      n: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'flip' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'abandon' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('capture' as const), n: fc.integer({ min: 1, max: 3 }) }) },
);

test('C2: any interleaving captures every unit as it was at the flip, once, before its first change', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
      const owned = new Owned();
      const { rows, cut, captured } = owned;
      const model = new Map<string, Row>();
      let atFlip = new Map<string, Row>();
      let rest = owned.rest();
      for (const step of steps) {
        switch (step.kind) {
          case 'set':
            rows.set(step.key, { n: step.n });
            model.set(step.key, { n: step.n });
            break;
          case 'update':
            rows.update(
              step.key,
              (row) => void (row.n += step.n),
              () => ({ n: 0 }),
            );
            model.set(step.key, { n: (model.get(step.key)?.n ?? 0) + step.n });
            break;
          case 'touch':
            rows.touch(step.key, () => ({ n: 0 })).value.n = step.n;
            model.set(step.key, { n: step.n });
            break;
          case 'delete':
            expect(rows.delete(step.key)).toBe(model.delete(step.key));
            break;
          case 'flip':
            owned.flip();
            atFlip = structuredClone(model);
            rest = owned.rest();
            break;
          case 'abandon':
            cut.end();
            captured.length = 0;
            atFlip = new Map();
            break;
          case 'capture':
            for (let i = 0; i < step.n; i++) rest.next();
            break;
        }
        expect(new Map(rows.entries())).toEqual(model);
      }
      while (rest.next().done !== true);
      expect(captured.length).toBe(atFlip.size);
      expect(new Map(captured)).toEqual(atFlip);
    }),
    { numRuns: 1000 },
  );
});
