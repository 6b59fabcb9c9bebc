import { actor, table } from '@tidemark/actors';
import { checkState, testActor, testSystem } from '@tidemark/actors/testing';
import { describe, expect, test } from 'vitest';
import { Account, Teller } from './bank.ts';
import { Outside } from './kept-outside.ts';

let counted = 0;
const memo = new Map<number, number>();

const Suspect = actor('kit-suspect', {
  state: () => ({ n: 0, rows: table<string, { n: number }>() }),
  on: {
    count(ctx): number {
      return ++counted + ctx.state.n;
    },
    countIntoState(ctx): void {
      ctx.state.n = ++counted;
    },
    countIntoRow(ctx): void {
      ctx.state.rows.set('x', { n: ++counted });
    },
    countIntoMessage(ctx): void {
      ctx.tell(ctx.ref(Suspect, 'other')).good(++counted);
    },
    countIntoTimer(ctx): void {
      ctx.after(++counted, 'timer').into(Suspect, 'good', 1);
    },
    good(ctx, n: number): number {
      ctx.state.rows.update(
        'x',
        (row) => void (row.n += n),
        () => ({ n: 0 }),
      );
      if (n < 0) ctx.forget();
      return (ctx.state.n += n);
    },
    /** Remembers what it can work out again. */
    square(ctx, n: number): number {
      let square = memo.get(n);
      if (square === undefined) memo.set(n, (square = n * n));
      ctx.state.n = square;
      return square;
    },
    drawn: (ctx): number => ctx.random() + ctx.random() + ctx.now(),
    clock: (): number => performance.now(),
  },
});

const found = (message: string): object => ({
  code: 'TEST_STATE_OUTSIDE',
  message: expect.stringContaining(message) as unknown,
});

describe('checkState', () => {
  test.each([
    ['count', 'answer was '],
    ['countIntoState', 'state.n was '],
    ['countIntoRow', 'state.rows.get("x").n was '],
    ['countIntoMessage', 'sends[0].args[0] was '],
    ['countIntoTimer', 'timers.timer.dueAt was '],
    ['clock', 'answer was '],
  ] as const)(
    'TEST_STATE_OUTSIDE: finds a variable of the module that goes into a turn: %s',
    async (handler, place) => {
      const check = checkState(() => {
        const suspect = testActor(Suspect, 'a');
        suspect.send.good(1);
        suspect.send[handler]();
      });
      await expect(check).rejects.toMatchObject(
        found(
          `actor 'kit-suspect' handler '${handler}': state kept outside of ctx.state? Turn 2, kit-suspect/a ${handler}(): ${place}`,
        ),
      );
    },
  );

  test('finds one that another handler has set', async () => {
    const check = checkState(async () => {
      const system = testSystem({ seed: 4 });
      const outside = system.ref(Outside, 'a');
      for (let i = 0; i < 5; i++) {
        await system.tell(outside).set(i);
        expect(await system.ask(outside).get()).toBe(i);
      }
    });
    await expect(check).rejects.toMatchObject(found("actor 'kit-outside' handler 'get'"));
  });

  test('finds one that is set once, by a module that is imported anew', async () => {
    const scenario = (): void => {
      const outside = testActor(Outside, 'a');
      outside.send.set(5);
      expect(outside.send.get()).toBe(5);
    };
    expect(await checkState(scenario)).toEqual({ turns: 2, fresh: 0 });
    await expect(
      checkState(scenario, { fresh: (n) => import(new URL(`./kept-outside.ts?fresh=${n}`, import.meta.url).href) }),
    ).rejects.toMatchObject(
      found('get(): answer was 5, and 0 when the turn was run by a module that was imported anew'),
    );
  });

  test('does not mind a memo, time and chance of the context, refusals and tables', async () => {
    const check = await checkState(async () => {
      const suspect = testActor(Suspect, 'a');
      for (const n of [3, 4, 3, 5, 4, 3]) {
        suspect.send.square(n);
        suspect.send.drawn();
        suspect.send.good(n);
      }
      suspect.send.good(-1);
      const system = testSystem({ seed: 2, workers: 3 });
      for (const key of ['a', 'b', 'c']) {
        await system.tell(system.ref(Account, key)).pay('a', 3);
        await system.tell(system.ref(Teller, 't')).exchange(system.ref(Account, key), 'EUR');
      }
      await expect(system.ask(system.ref(Account, 'a')).withdraw(1_000)).rejects.toThrow();
      await system.run();
    });
    expect(check.turns).toBeGreaterThan(30);
  });

  test('what it was defined by stays as it was', async () => {
    await checkState(() => testActor(Outside).send.set(1), {
      fresh: (n) => import(new URL(`./kept-outside.ts?again=${n}`, import.meta.url).href),
    });
    const outside = testActor(Outside);
    outside.send.set(2);
    expect(outside.send.get()).toBe(2);
    const system = testSystem();
    expect(await system.ask(system.ref(Outside, 'a')).get()).toBe(2);
  });

  test('TEST_NOTHING_RAN, TEST_OPTIONS: a check that checks nothing says so', async () => {
    await expect(checkState(() => undefined)).rejects.toMatchObject({ code: 'TEST_NOTHING_RAN' });
    await expect(
      checkState(() => testActor(Outside).send.set(1), { fresh: () => Promise.resolve() }),
    ).rejects.toMatchObject({ code: 'TEST_OPTIONS' });
  });
});
