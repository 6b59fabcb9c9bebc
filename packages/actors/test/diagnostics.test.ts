import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { actor, type FrameSeen, Refusal, type Reply, type TurnSeen } from '@tidemark/actors';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Keeper } from './support/keeper.ts';
import { Threads } from './support/threads.ts';

let threads: Threads;
beforeEach(() => {
  threads = new Threads(2).go();
  threads.run();
});

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function listen<T>(name: string): { readonly seen: T[]; readonly stop: () => void } {
  const seen: T[] = [];
  const listener = (message: unknown): void => void seen.push(message as T);
  subscribe(name, listener);
  const stop = (): void => void unsubscribe(name, listener);
  stops.push(stop);
  return { seen, stop };
}

const Watched = actor('watched', {
  place: 'host',
  onThrow: 'forget',
  state: () => ({ answers: 0 }),
  on: {
    work: () => threads.clock.advance(7),
    refuse() {
      throw new Refusal('NO');
    },
    fail() {
      throw new Error('broken');
    },
    ask(ctx) {
      ctx.call(ctx.ref(Keeper, 'a')).all().into(Watched, 'got');
      ctx.after(1_000, 'later').into(Watched, 'work');
    },
    got: (ctx, _answer: Reply<unknown[]>) => void ctx.state.answers++,
  },
});

describe('tidemark:turn', () => {
  test('tells of each turn what ran, where, why, for how long, and how it ended', () => {
    const { seen } = listen<TurnSeen>('tidemark:turn');
    for (const handler of ['work', 'refuse', 'fail', 'ask'] as const) void threads.tell(Watched, 'w')[handler]();
    threads.run();
    threads.clock.advance(1_000);
    threads.run();
    const turn = { thread: 0, type: 'watched', key: 'w', durationMs: 0, by: 'message', end: 'done' };
    const keeper = threads.host.homeOf('keeper', 'a');
    expect(seen).toEqual([
      { ...turn, handler: 'work', durationMs: 7 },
      { ...turn, handler: 'refuse', end: 'refused' },
      { ...turn, handler: 'fail', end: 'forget' },
      { ...turn, handler: 'ask' },
      { ...turn, thread: keeper, type: 'keeper', key: 'a', handler: 'all' },
      { ...turn, handler: 'got', by: 'answer' },
      { ...turn, handler: 'work', by: 'timer', durationMs: 7 },
    ]);
  });

  test('tells of a turn after which its thread cannot go on', () => {
    const Fatal = actor('fatal', {
      place: 'host',
      state: () => ({}),
      on: {
        fail() {
          throw new Error('broken');
        },
      },
    });
    const { seen } = listen<TurnSeen>('tidemark:turn');
    void threads.tell(Fatal).fail();
    threads.run();
    expect(threads.failures).toHaveLength(1);
    expect(seen).toMatchObject([{ type: 'fatal', handler: 'fail', end: 'failed' }]);
  });

  test('is heard from the next slice on, and no more when nobody listens', () => {
    const { seen, stop } = listen<TurnSeen>('tidemark:turn');
    void threads.tell(Watched).work();
    threads.run();
    expect(seen).toHaveLength(1);
    stop();
    void threads.tell(Watched).work();
    threads.run();
    expect(seen).toHaveLength(1);
  });
});

describe('tidemark:frame', () => {
  test('tells of each frame at both its ends', () => {
    const { seen } = listen<FrameSeen>('tidemark:frame');
    for (let i = 0; i < 5; i++) void threads.tell(Keeper, 'a').keep(i);
    threads.run();
    const home = threads.host.homeOf('keeper', 'a');
    const frame = { codec: 'messages', count: 5, bytes: seen[0]?.bytes };
    expect(seen).toEqual([
      { ...frame, thread: 0, peer: home, direction: 'out' },
      { ...frame, thread: home, peer: 0, direction: 'in' },
    ]);
    expect(seen[0].bytes).toBeGreaterThan(5);
  });
});

test('nothing is made of turns and frames while nobody listens', () => {
  const published = ['tidemark:turn', 'tidemark:frame'].map((name) => vi.spyOn(channel(name), 'publish'));
  stops.push(() => vi.restoreAllMocks());
  for (let i = 0; i < 100; i++) void threads.tell(Keeper, String(i)).keep(i);
  for (let i = 0; i < 100; i++) void threads.tell(Watched, String(i)).work();
  threads.run();
  expect(threads.runtimes.reduce((sum, { inside }) => sum + inside.actors.counts.handled, 0)).toBe(200);
  for (const publish of published) expect(publish).not.toHaveBeenCalled();
  expect(threads.runtimes.map(({ inside }) => inside.actors.turns.watch)).toEqual([null, null, null]);
});
