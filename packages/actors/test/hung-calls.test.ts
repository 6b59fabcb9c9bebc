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

test('shows those that run, from the abort on and whether or not they were told, the oldest ten first', () => {
  const clock = new ManualClock();
  for (const limitMs of [0, 10]) {
    const hung = new HungCalls(clock, limitMs, () => undefined);
    const calls = Array.from({ length: 12 }, (_, i) => ({ ...call(`${i}`), beganAt: clock.monotonic() }));
    for (const one of calls) {
      clock.advance(1);
      hung.aborted(one);
    }
    clock.advance(100);
    const shown = (at: number) => ({
      service: 'pages',
      handler: 'load',
      callId: `${at}`,
      ageMs: 112,
      abortedMs: 111 - at,
    });
    expect(hung.open).toEqual({ open: 12, oldest: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(shown) });
    for (const one of calls.slice(1)) hung.ended(one);
    expect(hung.open).toEqual({ open: 1, oldest: [shown(0)] });
    hung.stop();
    expect(hung.open).toEqual({ open: 0, oldest: [] });
  }
});
