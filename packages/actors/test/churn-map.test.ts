import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChurnMap } from '../src/churn-map.ts';

const acts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('churn' as const), times: fc.integer({ min: 1, max: 1_500 }) }),
    fc.record({ kind: fc.constant('put' as const), key: fc.integer({ min: 0, max: 2_000 }) }),
    fc.record({ kind: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 2_000 }) }),
  ),
  { maxLength: 60 },
);

describe('a map for what comes and goes', () => {
  test('has what a Map has, in the same order, however often it was made anew', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const model = new Map<number, number>();
        const map = new ChurnMap<number, number>();
        let n = 0;
        for (const act of list) {
          if (act.kind === 'put') {
            model.set(act.key, n);
            map.set(act.key, n++);
          } else if (act.kind === 'delete') expect(map.delete(act.key)).toBe(model.delete(act.key));
          else {
            for (let i = 0; i < act.times; i++) {
              map.set(-1, i);
              map.delete(-1);
            }
          }
          expect(map.size).toBe(model.size);
        }
        expect([...map.values()]).toEqual([...model.values()]);
        for (const [key, value] of model) expect(map.get(key)).toBe(value);
      }),
    );
  });
});
