import { type HungCall, HungCalls } from '@tidemark/actors/internal';
import { expect, test } from 'vitest';
import { ManualClock } from './support/manual-clock.ts';

const call = (id: string) => ({ id, service: { name: 'pages' }, envelope: { handler: 'load' }, beganAt: 0 });

test('nothing is told of calls that have ended, of a generation that is over, or without a limit', () => {
  const clock = new ManualClock();
  const told: HungCall[] = [];
  const hung = new HungCalls(clock, 10, (one) => told.push(one));
  const [ended, over] = [call('ended'), call('over')];
  hung.aborted(ended);
  hung.ended(ended);
  hung.aborted(over);
  hung.stop();
  for (const never of [0, Number.POSITIVE_INFINITY]) {
    new HungCalls(clock, never, (one) => told.push(one)).aborted(call('unlimited'));
  }
  clock.advance(1_000);
  expect(told).toEqual([]);
  hung.aborted(call('hung'));
  clock.advance(10);
  expect(told.map(({ callId }) => callId)).toEqual(['hung']);
});
