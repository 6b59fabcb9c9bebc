import { actor } from '@tidemark/actors';
import { beforeEach, describe, expect, test } from 'vitest';
import { unitsByTable } from './support/captured.ts';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

const Sleeper = actor('timers-sleeper', {
  state: () => ({ got: [] as unknown[] }),
  on: {
    wake(ctx, delayMs: number, id: string, label: string): void {
      ctx.after(delayMs, id).into(Sleeper, 'woken', label);
    },
    woken(ctx, label: string): void {
      ctx.state.got.push([label, ctx.now(), ctx.random()]);
    },
    stopTimer(ctx, id: string): void {
      ctx.cancel(id);
    },
    forget(ctx): void {
      ctx.forget();
    },
    got: (ctx): unknown[] => ctx.state.got,
  },
});

let threads: Threads;
beforeEach(() => {
  threads = new Threads(3).go();
});
const got = (): Promise<unknown[]> => threads.answerOf(threads.ask(Sleeper).got());
const open = (): number => unitsByTable(threads.runtimes[threads.host.homeOf(Sleeper.name, 'a')])['~timers'] ?? 0;

describe('a timer', () => {
  test('goes off at its time, and once', async () => {
    void threads.tell(Sleeper).wake(100, 't', 'x');
    threads.run();
    threads.clock.advance(99);
    expect(await got()).toEqual([]);
    expect(open()).toBe(1);
    threads.clock.advance(1);
    expect(await got()).toEqual([['x', threads.clock.now(), 0.25]]);
    threads.clock.advance(1e6);
    expect(await got()).toHaveLength(1);
    expect(open()).toBe(0);
  });

  test('of an id takes the place of the one before', async () => {
    void threads.tell(Sleeper).wake(100, 't', 'first');
    void threads.tell(Sleeper).wake(50, 't', 'second');
    void threads.tell(Sleeper).wake(70, 'other', 'third');
    threads.run();
    threads.clock.advance(1000);
    expect((await got()).map((row) => (row as unknown[])[0])).toEqual(['second', 'third']);
  });

  test('that is cancelled does not go off', async () => {
    void threads.tell(Sleeper).wake(100, 't', 'x');
    void threads.tell(Sleeper).stopTimer('t');
    void threads.tell(Sleeper).stopTimer('unknown');
    threads.run();
    threads.clock.advance(1000);
    expect(await got()).toEqual([]);
    expect(open()).toBe(0);
  });

  test('goes with its actor', async () => {
    void threads.tell(Sleeper).wake(100, 't', 'x');
    void threads.tell(Sleeper).forget();
    threads.run();
    threads.clock.advance(1000);
    expect(await got()).toEqual([]);
  });

  test('that was replaced very often goes off once, and what it was before is not kept', async () => {
    for (let i = 0; i < 5_000; i++) void threads.tell(Sleeper).wake(1_000 + i, 't', String(i));
    threads.run();
    for (let i = 0; i < 20; i++) {
      await settled();
      threads.run();
    }
    const { turns } = threads.runtimes[threads.host.homeOf(Sleeper.name, 'a')].inside.actors;
    expect(turns.alarms).toBeLessThan(2_500);
    threads.clock.advance(10_000);
    expect((await got()).map((row) => (row as unknown[])[0])).toEqual(['4999']);
  });

  test('many go off in the order of their times', async () => {
    const delays = Array.from({ length: 200 }, (_, i) => (i * 7919) % 1000);
    for (const [i, delay] of delays.entries()) void threads.tell(Sleeper).wake(delay, `t${i}`, String(delay));
    threads.run();
    for (let i = 0; i < 100; i++) {
      threads.clock.advance(10);
      threads.run();
    }
    const fired = (await got()).map((row) => Number((row as unknown[])[0]));
    expect(fired).toEqual([...delays].sort((a, b) => a - b));
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('DELAY_INVALID: of %s ms', async (delay) => {
    void threads.tell(Sleeper).wake(delay, 't', 'x');
    threads.run();
    expect(threads.failures).toEqual([
      expect.objectContaining({ code: 'TURN_THREW', cause: expect.objectContaining({ code: 'DELAY_INVALID' }) }),
    ]);
  });
});
