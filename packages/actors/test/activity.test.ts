import { Activity } from '@tidemark/actors/internal';
import { describe, expect, test } from 'vitest';

const names = (activity: Activity): string[] => activity.take().map(({ type, key }) => `${type}/${key}`);

describe('the most active actors', () => {
  test('are counted one by one while there are few turns, and anew after each look', () => {
    const activity = new Activity();
    for (const [key, turns] of Object.entries({ a: 3, b: 2_000, c: 10 })) {
      for (let i = 0; i < turns; i++) activity.turn('each', key);
    }
    expect(activity.take()).toEqual([
      { type: 'each', key: 'b', turns: 2_000 },
      { type: 'each', key: 'c', turns: 10 },
      { type: 'each', key: 'a', turns: 3 },
    ]);
    expect(activity.take()).toEqual([]);
    activity.turn('each', 'a');
    expect(activity.take()).toEqual([{ type: 'each', key: 'a', turns: 1 }]);
  });

  test('are ten', () => {
    const activity = new Activity();
    for (let key = 0; key < 30; key++) for (let i = 0; i <= key; i++) activity.turn('each', String(key));
    expect(names(activity)).toEqual(Array.from({ length: 10 }, (_, i) => `each/${29 - i}`));
  });

  test('are found among a hundred thousand others, with about their number of turns', () => {
    const activity = new Activity();
    const turns = 1_000_000;
    // Of a hundred turns five are of one, two of another and one of a third; each of the others has ten in all.
    const active = ['a', 'a', 'a', 'a', 'a', 'b', 'b', 'c'];
    for (let turn = 0; turn < turns; turn++) {
      activity.turn('each', active[turn % 100] ?? String(turn % 99_991));
    }
    const [a, b, c] = activity.take();
    expect([a.key, b.key, c.key]).toEqual(['a', 'b', 'c']);
    expect(Math.abs(a.turns / 50_000 - 1)).toBeLessThan(0.2);
    expect(Math.abs(b.turns / 20_000 - 1)).toBeLessThan(0.3);
  });

  test('are told apart, though they take turns in a fixed order', () => {
    const activity = new Activity();
    for (let turn = 0; turn < 1_000_000; turn++) activity.turn('each', String(turn % 4));
    const found = activity.take();
    expect(found).toHaveLength(4);
    for (const { turns } of found) expect(Math.abs(turns / 250_000 - 1)).toBeLessThan(0.1);
  });
});
