import { actor, type Ref, Refusal, type Reply, table } from '@tidemark/actors';
import { type DeadLetter, limits } from '@tidemark/actors/internal';
import { describe, expect, test } from 'vitest';
import { Keeper } from './support/keeper.ts';
import { Threads } from './support/threads.ts';

/** What handlers throw; null for nothing. */
let thrown: unknown = null;
const broken = new Error('broken');

const Shaky = actor('careful-shaky', {
  state: () => ({ n: 0, list: [1], rows: table<string, { n: number }>() }),
  on: {
    change(ctx, value: { n: number }): number {
      ctx.state.n++;
      ctx.state.list.push(2);
      ctx.state.rows.set('set', { n: 2 });
      ctx.state.rows.update('old', (row) => void row.n++);
      ctx.state.rows.set('old', { n: 5 });
      ctx.state.rows.delete('gone');
      ctx.state.rows.update(
        'new',
        (row) => void row.n++,
        () => ({ n: 0 }),
      );
      ctx.state.rows.delete('gone');
      ctx.state.rows.set('gone', { n: 9 });
      ctx.tell(ctx.ref(Keeper, 'a')).keep(value.n);
      ctx.call(ctx.ref(Keeper, 'a')).all().into(Shaky, 'heard', 1);
      ctx.after(1, 't').into(Shaky, 'later');
      value.n = -1;
      if (thrown !== null) throw thrown;
      return ctx.state.n;
    },
    begin(ctx): void {
      ctx.state.rows.set('old', { n: 1 });
      ctx.state.rows.set('gone', { n: 1 });
    },
    forget(ctx): void {
      ctx.forget();
    },
    show: (ctx) => [ctx.state.n, ctx.state.list, Object.fromEntries(ctx.state.rows.entries())] as unknown[],
    heard(ctx, _answer: Reply<unknown[]>, by: number): void {
      ctx.state.n += by;
      if (thrown !== null) throw thrown;
    },
    later(ctx): void {
      ctx.state.n += 100;
      if (thrown !== null) throw thrown;
    },
  },
});

const start = (): Threads => {
  thrown = null;
  const threads = new Threads(2, 1, [{ type: Shaky.name, key: 'a' }]).go();
  void threads.tell(Shaky).begin();
  threads.run();
  return threads;
};
const show = (threads: Threads): Promise<unknown[]> => threads.answerOf(threads.ask(Shaky).show());
const BEFORE = [0, [1], { old: { n: 1 }, gone: { n: 1 } }];
const settle = async (threads: Threads, handler: string, id: string): Promise<boolean> => {
  const done = threads.border.askOwn(threads.ref(Shaky) as Ref<unknown>, handler, id);
  return threads.answerOf(done);
};

describe('A15: a careful actor', () => {
  test('a turn that throws leaves nothing behind but a letter', async () => {
    const threads = start();
    thrown = broken;
    const asked = threads
      .ask(Shaky)
      .change({ n: 7 })
      .catch((error: unknown) => error);
    threads.run();
    thrown = null;
    threads.clock.advance(1000);
    expect(await show(threads)).toEqual(BEFORE);
    expect(await threads.answerOf(threads.ask(Keeper).all())).toEqual([]);
    expect(await asked).toMatchObject({ code: 'DEAD_LETTER', message: expect.stringContaining('broken') });
    expect(threads.letters).toEqual([
      {
        id: expect.any(String),
        actor: { type: Shaky.name, key: 'a' },
        handler: 'change',
        // As it was sent, though the handler has changed it.
        args: [{ n: 7 }],
        code: 'Error',
        message: 'broken',
        stack: expect.stringContaining('careful.test'),
        at: expect.any(Number),
      },
    ]);
    expect(threads.runtimes.flatMap((runtime) => runtime.letters())).toEqual(threads.letters);
  });

  test('what is told of a letter is not the letter: whoever hears of it may change it, or move its buffers away', async () => {
    const threads = start();
    thrown = broken;
    void threads.tell(Shaky).change({ n: 7 });
    threads.run();
    const all = (): readonly DeadLetter[] => threads.runtimes.flatMap((runtime) => runtime.letters());
    for (const [{ args }] of [threads.letters, all()]) (args[0] as { n: number }).n = 0;
    expect(all()[0].args).toEqual([{ n: 7 }]);
  });

  test('a turn that ends well takes effect as any other', async () => {
    const threads = start();
    expect(await threads.answerOf(threads.ask(Shaky).change({ n: 7 }))).toBe(1);
    threads.clock.advance(1);
    const rows = { old: { n: 5 }, set: { n: 2 }, new: { n: 1 }, gone: { n: 9 } };
    expect(await show(threads)).toEqual([102, [1, 2], rows]);
    expect(await threads.answerOf(threads.ask(Keeper).all())).toEqual([7]);
  });

  test('a Refusal keeps what it has changed, as of any other', async () => {
    const threads = start();
    thrown = new Refusal('NO');
    const asked = threads
      .ask(Shaky)
      .change({ n: 7 })
      .catch((error: unknown) => error);
    threads.run();
    thrown = null;
    expect(await asked).toMatchObject({ code: 'NO' });
    expect((await show(threads)).slice(0, 2)).toEqual([1, [1, 2]]);
    expect(threads.letters).toEqual([]);
  });

  test.each([
    ['~resend', [1, [1, 2]], [7]],
    ['~discard', [0, [1]], []],
  ])('%s: the letter is there once', async (handler, state, kept) => {
    const threads = start();
    thrown = broken;
    void threads.tell(Shaky).change({ n: 7 });
    threads.run();
    thrown = null;
    const [{ id }] = threads.letters;
    expect(await settle(threads, handler, id)).toBe(true);
    expect((await show(threads)).slice(0, 2)).toEqual([(state[0] as number) + (kept.length > 0 ? 1 : 0), state[1]]);
    expect(await threads.answerOf(threads.ask(Keeper).all())).toEqual(kept);
    expect(await settle(threads, handler, id)).toBe(false);
    expect(threads.runtimes.flatMap((runtime) => runtime.letters())).toEqual([]);
  });

  test('a timer whose turn throws is a letter too, and can be sent again', async () => {
    const threads = start();
    await threads.answerOf(threads.ask(Shaky).change({ n: 7 }));
    thrown = broken;
    threads.clock.advance(1);
    threads.run();
    thrown = null;
    const late = threads.letters.find(({ handler }) => handler === 'later')!;
    expect(late.args).toEqual([]);
    const [before] = await show(threads);
    expect(await settle(threads, '~resend', late.id)).toBe(true);
    expect((await show(threads))[0]).toBe((before as number) + 100);
  });

  test('letters outlive forget()', async () => {
    const threads = start();
    thrown = broken;
    void threads.tell(Shaky).change({ n: 7 });
    threads.run();
    thrown = null;
    await threads.answerOf(threads.ask(Shaky).forget());
    expect(threads.runtimes.flatMap((runtime) => runtime.letters())).toEqual(threads.letters);
    expect(await settle(threads, '~resend', threads.letters[0].id)).toBe(true);
    // The change, and the answer to its question.
    expect((await show(threads))[0]).toBe(2);
  });

  test('is trusted again after ten checkpoints without a throw', () => {
    const threads = start();
    const home = threads.runtimes[threads.host.homeOf(Shaky.name, 'a')];
    const publish = (times: number): void => {
      for (let i = 0; i < times; i++) home.published();
    };
    publish(limits.CAREFUL_CHECKPOINTS - 1);
    thrown = broken;
    void threads.tell(Shaky).change({ n: 7 });
    threads.run();
    expect(threads.failures).toEqual([]);
    publish(limits.CAREFUL_CHECKPOINTS - 1);
    void threads.tell(Shaky).change({ n: 7 });
    threads.run();
    expect(threads.failures).toEqual([]);
    publish(limits.CAREFUL_CHECKPOINTS);
    void threads.tell(Shaky).change({ n: 7 });
    threads.run();
    expect(threads.failures).toEqual([
      expect.objectContaining({ code: 'TURN_THREW', actor: { type: Shaky.name, key: 'a' } }),
    ]);
  });

  test('others are not careful', () => {
    const threads = start();
    thrown = broken;
    void threads.tell(Shaky, 'b').change({ n: 7 });
    threads.run();
    expect(threads.failures).toHaveLength(1);
  });

  test('DEAD_LETTERS_SPENT: a program that always throws ends', () => {
    const threads = start();
    thrown = broken;
    for (let i = 0; i <= limits.DEAD_LETTERS_MAX; i++) void threads.tell(Shaky).change({ n: i });
    threads.run();
    expect(threads.failures).toEqual([expect.objectContaining({ code: 'DEAD_LETTERS_SPENT' })]);
    expect(threads.letters).toHaveLength(limits.DEAD_LETTERS_MAX + 1);
  });

  test('messages balance: sent = handled + waiting + dead + dropped', async () => {
    const threads = start();
    for (let i = 0; i < 5; i++) void threads.tell(Shaky).change({ n: i });
    threads.run();
    thrown = broken;
    for (let i = 0; i < 5; i++) void threads.tell(Shaky).change({ n: i });
    threads.run();
    thrown = null;
    const [letter] = threads.letters;
    await settle(threads, '~resend', letter.id);
    threads.run();
    const sum = (of: 'sent' | 'handled' | 'dead' | 'dropped'): number =>
      threads.runtimes.reduce((total, { inside }) => total + inside.actors.counts[of], 0);
    expect(sum('sent')).toBe(sum('handled') + sum('dead') + sum('dropped'));
    expect(sum('dead')).toBeGreaterThanOrEqual(5);
  });
});
