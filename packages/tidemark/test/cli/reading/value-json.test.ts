import { describe, expect, it } from 'vitest';
import { actorJson, toPlainJson } from '../../../src/cli/reading/value-json.ts';

describe('a stored value as JSON', () => {
  it.each([
    [{ a: [1, 'x', null, true] }, { a: [1, 'x', null, true] }],
    [new Map<unknown, unknown>([['a', new Map()]]), { $type: 'Map', value: [['a', { $type: 'Map', value: [] }]] }],
    [new Set([1n]), { $type: 'Set', value: [{ $type: 'bigint', value: '1' }] }],
    [new Date(0), { $type: 'Date', value: '1970-01-01T00:00:00.000Z' }],
    [new Date(Number.NaN), { $type: 'Date', value: null }],
    [2n ** 70n, { $type: 'bigint', value: '1180591620717411303424' }],
    [Float64Array.of(1.5, Number.NaN), { $type: 'Float64Array', value: [1.5, { $type: 'number', value: 'NaN' }] }],
    [BigInt64Array.of(-1n), { $type: 'BigInt64Array', value: ['-1'] }],
    [Uint8Array.of(1, 2, 3), { $type: 'Uint8Array', value: 'AQID' }],
    [Uint8Array.of(1, 2, 3).buffer, { $type: 'ArrayBuffer', value: 'AQID' }],
    [new DataView(Uint8Array.of(1, 2, 3).buffer, 1), { $type: 'DataView', value: 'AgM=' }],
    [
      [Number.NaN, undefined],
      [{ $type: 'number', value: 'NaN' }, { $type: 'undefined' }],
    ],
    [
      { $type: 'mine', n: 1n },
      {
        $type: 'Object',
        value: [
          ['$type', 'mine'],
          ['n', { $type: 'bigint', value: '1' }],
        ],
      },
    ],
  ])('%o', (value, json) => {
    expect(toPlainJson(value)).toEqual(json);
    expect(JSON.parse(JSON.stringify(toPlainJson(value)))).toEqual(json);
  });

  it('has tables in the fields where they stand', () => {
    const tables = [
      {
        name: 'open',
        entries: [
          ['a', { n: 1 }],
          [5, { n: 2n }],
        ] as const,
      },
    ];
    expect(actorJson({ type: 't', key: 'k', state: { total: 3 }, tables })).toEqual({
      total: 3,
      open: { a: { n: 1 }, 5: { n: { $type: 'bigint', value: '2' } } },
    });
    expect(actorJson({ type: 't', key: 'k', state: undefined, tables: [] })).toEqual({});
  });

  it('keeps keys of a table apart that look alike', () => {
    const tables = [
      {
        name: 'open',
        entries: [
          [1, 'number'],
          ['1', 'text'],
        ] as const,
      },
    ];
    expect(actorJson({ type: 't', key: 'k', state: {}, tables })).toEqual({
      open: {
        $type: 'Table',
        value: [
          [1, 'number'],
          ['1', 'text'],
        ],
      },
    });
  });
});
