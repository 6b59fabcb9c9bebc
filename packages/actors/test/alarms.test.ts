import { Alarms } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

test('alarms are taken in the order of their times, none before its time, and those that were dropped never', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(50) }),
    fc.record({ take: fc.nat(50) }),
    fc.record({ keepMultiplesOf: fc.integer({ min: 1, max: 5 }) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const alarms = new Alarms<{ at: number; id: number }>();
    let expected: { at: number; id: number }[] = [];
    for (const [id, each] of steps.entries()) {
      if ('add' in each) {
        const alarm = { at: each.add, id };
        alarms.add(alarm);
        expected.push(alarm);
      } else if ('take' in each) {
        const taken = alarms.takeDue(each.take);
        const due = expected.filter(({ at }) => at <= each.take).sort((a, b) => a.at - b.at);
        expect(taken?.at).toBe(due[0]?.at);
        expected = expected.filter((alarm) => alarm !== taken);
      } else {
        alarms.keep((alarm) => alarm.id % each.keepMultiplesOf === 0);
        expected = expected.filter((alarm) => alarm.id % each.keepMultiplesOf === 0);
      }
      expect(alarms.size).toBe(expected.length);
      expect(alarms.next).toBe(expected.length === 0 ? undefined : Math.min(...expected.map(({ at }) => at)));
    }
  });
  fc.assert(property, { numRuns: 300 });
});
