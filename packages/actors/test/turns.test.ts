import { ActorError, actor, type AnyActor, type Ctx, type Ref, Refusal, RemoteError, table } from '@tidemark/actors';
import { type Envelope, limits } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { Keeper } from './support/keeper.ts';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

let threads: Threads;
beforeEach(() => {
  threads = new Threads(3).go();
});

/** Defines an actor for one test, runs its handler once, and lets everything that follows happen. */
let made = 0;
function once(run: (ctx: Ctx<{ n: number }>) => unknown, options: { readonly onThrow?: 'rollback' | 'forget' } = {}) {
  const definition = actor(`once-${++made}`, {
    ...options,
    state: () => ({ n: 0 }),
    on: { run: run as () => void, n: (ctx) => ctx.state.n, other: (ctx) => void ctx.state.n++ },
  });
  const answer = threads.ask(definition).run();
  const seen = answer.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error: error as RemoteError }),
  );
  threads.run();
  return { definition, seen };
}

const kept = (key = 'a'): Promise<unknown[]> => threads.answerOf(threads.ask(Keeper, key).all());

describe('A7: what a turn sends', () => {
  const keepers = ['a', 'b', 'c', 'd', 'e', 'f'];

  test('leaves when it returns, in order, to actors of every thread', async () => {
    once((ctx) => {
      for (const key of keepers) for (const n of [1, 2]) ctx.tell(ctx.ref(Keeper, key)).keep(n);
    });
    expect(new Set(keepers.map((key) => threads.host.homeOf('keeper', key))).size).toBe(3);
    for (const key of keepers) expect(await kept(key)).toEqual([1, 2]);
  });

  test.each([
    ['a Refusal', new Refusal('NO')],
    ['any other error, of an actor that forgets', new Error('broken')],
  ])('is dropped when it throws %s', async (_, error) => {
    once(
      (ctx) => {
        for (const key of keepers) ctx.tell(ctx.ref(Keeper, key)).keep(1);
        throw error;
      },
      { onThrow: 'forget' },
    );
    for (const key of keepers) expect(await kept(key)).toEqual([]);
  });

  test('is what it was at the send', async () => {
    const value = { list: [1] };
    once((ctx) => {
      for (const key of keepers) ctx.tell(ctx.ref(Keeper, key)).keep(value);
      value.list.push(2);
    });
    for (const key of keepers) expect(await kept(key)).toEqual([{ list: [1] }]);
  });

  test('DATA_NOT_SERIALISABLE: throws at the send and names actor, handler, argument and field', () => {
    let caught: unknown;
    once((ctx) => {
      try {
        ctx.tell(ctx.ref(Keeper, 'a')).keep({ f: [() => 1] });
      } catch (error) {
        caught = error;
      }
    });
    expect(caught).toMatchObject({
      code: 'DATA_NOT_SERIALISABLE',
      message: expect.stringMatching(/^keeper\.keep argument 1\.f\[0\]: function/),
    });
  });

  test('DATA_NOT_SERIALISABLE: no actor has a key that could not arrive', () => {
    let caught: unknown;
    once((ctx) => {
      try {
        ctx.tell(ctx.ref(Keeper, '\ud800')).keep(1);
      } catch (error) {
        caught = error;
      }
    });
    expect(caught).toMatchObject({ code: 'DATA_NOT_SERIALISABLE' });
  });

  test.each([
    ['of bytes', () => new Uint8Array(17 * 1024 * 1024)],
    ['of a text that grows when it is encoded', () => '語'.repeat(6 * 1024 * 1024)],
    ['of numbers', () => new Array<number>(2_500_000).fill(Math.PI)],
    ['of small objects', () => Array.from({ length: 1_000_000 }, () => ({ a: Math.PI, b: Math.E }))],
  ])('MESSAGE_TOO_LARGE: throws at the send %s', (_, make) => {
    let caught: unknown;
    once((ctx) => {
      try {
        ctx.tell(ctx.ref(Keeper, 'a')).keep(make());
      } catch (error) {
        caught = error;
      }
    });
    expect(caught).toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining(`the ${limits.MESSAGE_BYTES_MAX} allowed`),
    });
    expect(threads.failures).toEqual([]);
  });

  test('may go to itself, and is a turn of its own', async () => {
    const Looping: AnyActor = actor('looping', {
      state: () => ({ n: 0 }),
      on: {
        run(ctx) {
          ctx.tell(ctx.ref(Looping, 'a')).add();
          ctx.state.n = 10;
          return ctx.state.n;
        },
        add: (ctx) => void ctx.state.n++,
        n: (ctx) => ctx.state.n,
      },
    });
    expect(await threads.answerOf(threads.ask(Looping).run())).toBe(10);
    expect(await threads.answerOf(threads.ask(Looping).n())).toBe(11);
  });
});

describe('an answer', () => {
  test('is what the handler returned, from whichever thread', async () => {
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      expect(await threads.answerOf(threads.ask(Keeper, key).keepAndShow(key))).toEqual([key]);
    }
  });

  test('is as the turn left it, though later turns of the same slice change the state', async () => {
    const first = threads.ask(Keeper).keepAndShow(1);
    const second = threads.ask(Keeper).keepAndShow(2);
    threads.run();
    expect([await first, await second]).toEqual([[1], [1, 2]]);
    expect(await first).not.toBe(await second);
  });

  test('of an actor on the host shares nothing with its state', async () => {
    const Local = actor('local-list', {
      place: 'host',
      state: () => ({ list: [1] }),
      on: { list: (ctx) => ctx.state.list },
    });
    expect(threads.host.homeOf('local-list', 'a')).toBe(0);
    const got = await threads.answerOf(threads.ask(Local).list());
    got.push(2);
    expect(await threads.answerOf(threads.ask(Local).list())).toEqual([1]);
  });

  test.each([
    ['DATA_NOT_SERIALISABLE', () => ({ f: () => 1 })],
    ['MESSAGE_TOO_LARGE', () => new Uint8Array(17 * 1024 * 1024)],
  ])('%s: one that cannot cross is the error of whoever asked, and the system goes on', async (code, make) => {
    const { definition, seen } = once((ctx) => {
      ctx.state.n = 1;
      return make();
    });
    expect(await seen).toMatchObject({ error: { code } });
    expect(await threads.answerOf(threads.ask(definition).n())).toBe(1);
  });

  test('to a process of another term is dropped', async () => {
    const open = threads.ask(Keeper).all();
    threads.run();
    await open;
    threads.border.answered(2, 99, { ok: true, value: 'of another' });
    const mine = threads.ask(Keeper).keepAndShow('mine');
    threads.border.answered(2, 99, { ok: true, value: 'of another' });
    threads.run();
    expect(await mine).toEqual(['mine']);
  });
});

describe('a handler that throws', () => {
  test('a Refusal: whoever asked gets its code and text, and the state stays as the handler left it', async () => {
    const { definition, seen } = once((ctx) => {
      ctx.state.n = 7;
      throw new Refusal('TOO_LITTLE', 'there is not enough');
    });
    const { error } = (await seen) as { error: RemoteError };
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ code: 'TOO_LITTLE', message: 'there is not enough' });
    expect(await threads.answerOf(threads.ask(definition).n())).toBe(7);
    expect([threads.failures, threads.logged]).toEqual([[], []]);
  });

  test('TURN_THREW: ends the thread by default, and names actor, key and handler', async () => {
    const cause = new Error('broken');
    once(() => {
      throw cause;
    });
    expect(threads.failures).toEqual([
      expect.objectContaining({
        code: 'TURN_THREW',
        cause,
        message: expect.stringMatching(/^once-\d+\/a run: broken$/),
      }),
    ]);
  });

  test('A10: nothing runs in a thread that has failed', async () => {
    const ran: number[] = [];
    const Fails = actor('fails', {
      state: () => ({}),
      on: {
        run(_ctx, n: number) {
          ran.push(n);
          throw new Error('broken');
        },
      },
    });
    void threads.tell(Fails).run(1);
    void threads.tell(Fails).run(2);
    threads.run();
    void threads.tell(Fails).run(3);
    threads.run();
    expect(ran).toEqual([1]);
    expect(threads.failures).toHaveLength(1);
  });

  test('onThrow forget: drops the state, tells whoever asked, and messages behind it meet a new actor', async () => {
    const Shy = actor('shy', {
      onThrow: 'forget',
      state: () => ({ n: 0 }),
      on: {
        add: (ctx) => ++ctx.state.n,
        fail() {
          throw new TypeError('broken');
        },
      },
    });
    const answers = [threads.ask(Shy).add(), threads.ask(Shy).add(), threads.ask(Shy).fail(), threads.ask(Shy).add()];
    threads.run();
    expect(await Promise.allSettled(answers)).toMatchObject([
      { value: 1 },
      { value: 2 },
      { reason: { code: 'TURN_THREW', message: 'broken' } },
      { value: 1 },
    ]);
    void threads.tell(Shy).fail();
    threads.run();
    expect([threads.failures, threads.logged]).toEqual([[], ['shy/a fail threw: broken']]);
  });

  test.each(['rollback', 'forget'] as const)(
    'HANDLER_ASYNC: returning a promise ends the thread, with onThrow %s too',
    async (onThrow) => {
      // The promise fails when the ctx has expired: that must not be an unhandled rejection of this process.
      once(
        async (ctx) => {
          await settled();
          ctx.state.n++;
        },
        { onThrow },
      );
      for (let i = 0; i < 3; i++) await settled();
      expect(threads.failures).toEqual([
        expect.objectContaining({
          code: 'HANDLER_ASYNC',
          message: expect.stringContaining("handler 'run' of actor 'once-"),
        }),
      ]);
    },
  );

  test('HANDLER_UNKNOWN: a message for a handler that is no more names those that are', () => {
    const envelope: Envelope = { type: 'keeper', key: 'a', handler: 'gone', args: [], reply: null };
    threads.host.send(envelope);
    threads.run();
    expect(threads.failures).toEqual([
      expect.objectContaining({
        code: 'HANDLER_UNKNOWN',
        message: expect.stringContaining("'keeper' has no handler 'gone' (it has: keep, keepAndShow, all)"),
      }),
    ]);
  });
});

describe('ctx', () => {
  test('knows its actor', () => {
    let seen: unknown;
    once((ctx) => {
      seen = [ctx.key, ctx.self.type.slice(0, 5), ctx.self.key, ctx.ref(Keeper, 'k')];
      ctx.log('hello');
    });
    expect(seen).toEqual(['a', 'once-', 'a', { type: 'keeper', key: 'k' }]);
    expect(threads.logged).toEqual([expect.stringMatching(/^once-\d+\/a: hello$/)]);
  });

  test.each<[string, (ctx: Ctx<{ n: number }>, tells: { keep(n: number): void }) => unknown]>([
    ['state', (ctx) => ctx.state],
    ['tell', (ctx) => ctx.tell(ctx.ref(Keeper, 'a'))],
    ['forget', (ctx) => ctx.forget()],
    ['a send that was begun in the turn', (_, tells) => tells.keep(1)],
  ])('CTX_EXPIRED: %s after the turn', (_, use) => {
    let after: Ctx<{ n: number }> | undefined;
    let tells: { keep(n: number): void } | undefined;
    once((ctx) => {
      after = ctx;
      tells = ctx.tell(ctx.ref(Keeper, 'a'));
    });
    expect(() => use(after!, tells!)).toThrow(
      expect.objectContaining({ code: 'CTX_EXPIRED', message: expect.stringMatching(/^a ctx of once-\d+\/a /) }),
    );
  });

  test('CTX_EXPIRED also after a turn that threw', () => {
    let after: Ctx<{ n: number }> | undefined;
    once(
      (ctx) => {
        after = ctx;
        throw new Error('broken');
      },
      { onThrow: 'forget' },
    );
    expect(() => after!.state).toThrow(ActorError);
  });
});

describe('forget()', () => {
  const Forgetful = actor('forgetful', {
    state: () => ({ n: 0, rows: table<string, number>() }),
    on: {
      add: (ctx) => {
        ctx.state.rows.update(
          'x',
          (n) => n + 1,
          () => 0,
        );
        return [++ctx.state.n, ctx.state.rows.get('x')];
      },
      forget(ctx, self: Ref<never>) {
        ctx.tell(self as unknown as Ref<typeof Forgetful>).add();
        ctx.state.n = 100;
        ctx.forget();
        return ctx.state.n;
      },
      n: (ctx) => ctx.state.n,
    },
  });

  test('drops state and tables at the end of the turn; the next message starts anew', async () => {
    expect(await threads.answerOf(threads.ask(Forgetful).add())).toEqual([1, 1]);
    expect(await threads.answerOf(threads.ask(Forgetful).forget({ type: 'forgetful', key: 'elsewhere' }))).toBe(100);
    expect(await threads.answerOf(threads.ask(Forgetful).add())).toEqual([1, 1]);
  });

  test('messages behind it, and its own to itself, meet the new actor in their order', async () => {
    const answers = [
      threads.ask(Forgetful).add(),
      threads.ask(Forgetful).forget({ type: 'forgetful', key: 'a' }),
      threads.ask(Forgetful).add(),
      threads.ask(Forgetful).n(),
    ];
    threads.run();
    expect(await Promise.all(answers)).toEqual([[1, 1], 100, [1, 1], 1]);
    expect(await threads.answerOf(threads.ask(Forgetful).n())).toBe(2);
  });
});
