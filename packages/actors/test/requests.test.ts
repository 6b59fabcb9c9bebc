import { actor, type ActorOptions, type Asks, Refusal } from '@tidemark/actors';
import { limits } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

const Counter = actor('requests-counter', {
  state: () => ({ n: 0 }),
  on: {
    add(ctx, by: { n: number }): { n: number } {
      ctx.state.n += by.n;
      return ctx.state;
    },
    refuse(ctx): void {
      ctx.state.n++;
      throw new Refusal('NO', 'not now');
    },
    forget(ctx): number {
      ctx.forget();
      return ctx.state.n;
    },
    bad: () => ({ f: () => 1 }) as unknown as number,
    n: (ctx) => ctx.state.n,
  },
});

const Clerk = actor('requests-host-clerk', {
  place: 'host',
  state: () => ({ stamps: 0 }),
  on: {
    stamp: (ctx) => Uint8Array.of(++ctx.state.stamps, 2),
  },
});

let threads: Threads;
beforeEach(() => {
  threads = new Threads(2).go();
});
const ask = (requestId: string, key = 'a') => threads.border.ask(threads.ref(Counter, key), { requestId });
const caught = async (answer: Promise<unknown>): Promise<unknown> => {
  const seen = answer.catch((error: unknown) => error);
  threads.run();
  return seen;
};

describe('requestId', () => {
  test.each(['a', 'b', 'c'])('the handler runs once, and everybody gets its answer (actor %s)', async (key) => {
    expect(await threads.answerOf(ask('r', key).add({ n: 1 }))).toEqual({ n: 1 });
    await threads.answerOf(threads.ask(Counter, key).add({ n: 5 }));
    expect(await threads.answerOf(ask('r', key).add({ n: 1 }))).toEqual({ n: 1 });
    expect(await threads.answerOf(ask('other', key).add({ n: 1 }))).toEqual({ n: 7 });
    expect(await threads.answerOf(threads.ask(Counter, key).n())).toBe(7);
  });

  test("the answer that is remembered is nobody else's: whoever gets it may change it, or move it on", async () => {
    // A host's actor is in the thread of the app: nothing is encoded on the way.
    const clerk = (): Asks<typeof Clerk> => threads.border.ask(threads.ref(Clerk), { requestId: 'r' });
    for (let i = 0; i < 3; i++) {
      const answer = await threads.answerOf(clerk().stamp());
      expect(answer).toEqual(Uint8Array.of(1, 2));
      if (i === 0) answer.fill(0);
      else structuredClone(answer, { transfer: [answer.buffer] });
    }
  });

  test('REQUEST_ID_REUSED: with another handler or other arguments', async () => {
    await threads.answerOf(ask('r').add({ n: 1 }));
    expect(await caught(ask('r').add({ n: 2 }))).toMatchObject({ code: 'REQUEST_ID_REUSED' });
    expect(await caught(ask('r').n())).toMatchObject({ code: 'REQUEST_ID_REUSED' });
    expect(await threads.answerOf(threads.ask(Counter).n())).toBe(1);
  });

  test('a Refusal is an answer, and so is one that cannot cross', async () => {
    for (let i = 0; i < 2; i++)
      expect(await caught(ask('r').refuse())).toMatchObject({ code: 'NO', message: 'not now' });
    expect(await threads.answerOf(threads.ask(Counter).n())).toBe(1);
    for (let i = 0; i < 2; i++) expect(await caught(ask('b').bad())).toMatchObject({ code: 'DATA_NOT_SERIALISABLE' });
  });

  test('outlives forget()', async () => {
    await threads.answerOf(ask('r').add({ n: 1 }));
    expect(await threads.answerOf(ask('f').forget())).toBe(1);
    expect(await threads.answerOf(threads.ask(Counter).n())).toBe(0);
    expect(await threads.answerOf(ask('r').add({ n: 1 }))).toEqual({ n: 1 });
    expect(await threads.answerOf(ask('f').forget())).toBe(1);
    expect(await threads.answerOf(threads.ask(Counter).n())).toBe(0);
  });

  test('is kept for an hour', async () => {
    await threads.answerOf(ask('r').add({ n: 1 }));
    threads.clock.advance(limits.REQUEST_KEPT_MS - 1);
    expect(await threads.answerOf(ask('r').add({ n: 1 }))).toEqual({ n: 1 });
    threads.clock.advance(1);
    threads.run();
    expect(await threads.answerOf(ask('r').add({ n: 1 }))).toEqual({ n: 2 });
  });

  test('after a rollback it is asked again by itself', async () => {
    const asked = ask('r').add({ n: 1 });
    const undone = threads
      .ask(Counter)
      .n()
      .catch((error: unknown) => error);
    const args = { n: 1 };
    threads.border.pause();
    threads.border.rollBack(0);
    expect(await undone).toMatchObject({ code: 'ROLLED_BACK' });
    args.n = 2;
    // What runs now knows nothing of it.
    const next = new Threads(2).go();
    threads.border.use(next.host);
    next.host.go();
    next.run();
    for (let i = 0; i < 3; i++) {
      next.run();
      await settled();
    }
    expect(next.runtimes.reduce((sum, { inside }) => sum + inside.actors.counts.handled, 0)).toBe(1);
    void asked.catch(() => undefined);
  });
});

describe("release: 'after-checkpoint'", () => {
  const held = (): { answer: unknown } => {
    const seen: { answer: unknown } = { answer: undefined };
    const asked = threads.border
      .ask(threads.ref(Counter), { release: 'after-checkpoint', timeoutMs: 100 })
      .add({ n: 1 });
    asked.then(
      (answer) => (seen.answer = answer),
      (error: unknown) => (seen.answer = error),
    );
    threads.run();
    return seen;
  };

  test('the answer comes when a later cut than that of its turn is published', async () => {
    for (const { cut } of threads.runtimes) cut.cut = 3;
    const seen = held();
    await settled();
    expect(threads.border.answersWait(3)).toBe(false);
    threads.border.published(3);
    await settled();
    expect(seen.answer).toBeUndefined();
    expect(threads.border.answersWait(4)).toBe(true);
    threads.border.published(4);
    await settled();
    expect(seen.answer).toEqual({ n: 1 });
  });

  test('its time limit is one for the answer, not for the checkpoint', async () => {
    const seen = held();
    threads.clock.advance(1e6);
    await settled();
    expect(seen.answer).toBeUndefined();
    threads.border.answersWait(1);
    threads.border.published(1);
    await settled();
    expect(seen.answer).toEqual({ n: 1 });
  });

  test('an answer that comes when the record is under way waits for the next', async () => {
    expect(threads.border.answersWait(1)).toBe(false);
    const seen = held();
    threads.border.published(1);
    await settled();
    expect(seen.answer).toBeUndefined();
    expect(threads.border.answersWait(2)).toBe(true);
    threads.border.published(2);
    await settled();
    expect(seen.answer).toEqual({ n: 1 });
  });

  test('an answer that is undone is not given', async () => {
    const seen = held();
    threads.border.rollBack(0);
    threads.border.published(1);
    await settled();
    expect(seen.answer).toMatchObject({ code: 'ROLLED_BACK' });
  });

  test('an answer that was before the cut is waited for again', async () => {
    const seen = held();
    threads.border.rollBack(1);
    threads.border.published(5);
    await settled();
    expect(seen.answer).toBeUndefined();
  });
});

describe('a bounded mailbox', () => {
  const bounded = (overflow: NonNullable<ActorOptions<object, never>['mailbox']>['overflow']) =>
    actor(`requests-${overflow}`, {
      mailbox: { max: 2, overflow },
      state: () => ({ got: [] as number[] }),
      on: { put: (ctx, n: number) => void ctx.state.got.push(n), got: (ctx) => ctx.state.got },
    });

  test.each([
    ['refuse', [0, 1], [2, 3, 4]],
    ['drop-newest', [0, 1], [2, 3, 4]],
    ['drop-oldest', [3, 4], [0, 1, 2]],
  ] as const)('%s: keeps two, tells whoever asked, and counts', async (overflow, kept, lost) => {
    const Full = bounded(overflow);
    const home = threads.runtimes[threads.host.homeOf(Full.name, 'a')];
    const answers = [0, 1, 2, 3, 4].map((n) => threads.ask(Full).put(n));
    threads.run();
    const settledAnswers = await Promise.allSettled(answers);
    for (const n of kept) expect(settledAnswers[n]).toMatchObject({ status: 'fulfilled' });
    for (const n of lost) expect(settledAnswers[n]).toMatchObject({ reason: { code: 'MAILBOX_FULL' } });
    expect(await threads.answerOf(threads.ask(Full).got())).toEqual(kept);
    expect(home.inside.actors.counts.dropped).toBe(3);
  });

  test('DEFINITION_INVALID: with an overflow that is none', () => {
    const mailbox = { max: 1, overflow: 'block' as never };
    expect(() => actor('requests-odd', { mailbox, state: () => ({}), on: {} })).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID' }),
    );
  });

  test.each([0, 1.5, -1])('DEFINITION_INVALID: of %s', (max) => {
    expect(() => actor('requests-odd', { mailbox: { max, overflow: 'refuse' }, state: () => ({}), on: {} })).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID' }),
    );
  });
});
