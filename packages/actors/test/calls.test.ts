import { actor, type AnyActor, type Ctx, type Ref, Refusal, type Reply, service } from '@tidemark/actors';
import { beforeEach, describe, expect, test } from 'vitest';
import { unitsByTable } from './support/captured.ts';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

const Purse = actor('calls-purse', {
  state: () => ({ money: 10 }),
  on: {
    take(ctx, amount: number): number {
      if (ctx.state.money < amount) throw new Refusal('TOO_LITTLE', 'there is not enough');
      return (ctx.state.money -= amount);
    },
    never(): void {
      // Its answer is lost in the tests of time limits.
    },
    bad: () => ({ f: () => 1 }) as unknown as number,
  },
});

/** What a test lets a service wait for. */
let gate: { readonly wait: Promise<void>; open(): void };
const newGate = (): typeof gate => {
  let open = (): void => undefined;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
};
/** Calls that services have got, and signals that were aborted. */
let seen: { what: string; callId: string; aborted: boolean }[];

const Slow = service('calls-slow', {
  async work(ctx, what: string): Promise<string> {
    const call = { what, callId: ctx.callId, aborted: false };
    seen.push(call);
    ctx.signal.addEventListener('abort', () => (call.aborted = true));
    await gate.wait;
    return `${what}!`;
  },
  fail(_ctx, code: string): number {
    throw Object.assign(new Error('it broke'), code === '' ? {} : { code });
  },
});
const Narrow = service(
  'calls-narrow',
  { run: async (ctx, what: string) => Slow.on.work(ctx, what) },
  { maxConcurrent: 2 },
);
const Here = service('calls-here', { where: (ctx) => ctx.callId }, { place: 'here' });

const Asker = actor('calls-asker', {
  state: () => ({ got: [] as unknown[] }),
  on: {
    take(ctx, from: Ref<typeof Purse>, amount: number, label: string): void {
      ctx.call(from).take(amount).into(Asker, 'taken', label, amount);
    },
    taken(ctx, answer: Reply<number>, label: string, amount: number): void {
      ctx.state.got.push([label, amount, answer]);
    },
    takeWithin(ctx, from: Ref<typeof Purse>, timeoutMs: number): void {
      ctx.call(from, { timeoutMs }).take(1).into(Asker, 'taken', 'limited', 1);
    },
    serve(ctx, what: string, timeoutMs: number): void {
      ctx.call(Slow, { timeoutMs }).work(what).into(Asker, 'served', what);
    },
    failing(ctx, code: string): void {
      ctx.call(Slow).fail(code).into(Asker, 'failed');
    },
    served(ctx, answer: Reply<string>, what: string): void {
      ctx.state.got.push([what, answer]);
    },
    failed(ctx, answer: Reply<number>): void {
      ctx.state.got.push(answer);
    },
    badly(ctx, from: Ref<typeof Purse>): void {
      ctx.call(from).bad().into(Asker, 'failed');
    },
    woken(_ctx, _label: string): void {
      // Its turn refuses, so it is never set.
    },
    forget(ctx): void {
      ctx.forget();
    },
    refuse(ctx, from: Ref<typeof Purse>): void {
      ctx.call(from).take(1).into(Asker, 'taken', 'never', 1);
      ctx.after(0, 'never').into(Asker, 'woken', 'never');
      throw new Refusal('NO');
    },
    got: (ctx): unknown[] => ctx.state.got,
  },
});

let threads: Threads;
beforeEach(() => {
  threads = new Threads(3).go();
  gate = newGate();
  seen = [];
});
const got = (key = 'a'): Promise<unknown[]> => threads.answerOf(threads.ask(Asker, key).got());
const purse = (key: string): Ref<typeof Purse> => threads.ref(Purse, key);
const kept = (): { calls: number; timers: number } => {
  const tables = unitsByTable(threads.runtimes[threads.host.homeOf(Asker.name, 'a')]);
  return { calls: tables['~calls'] ?? 0, timers: tables['~timers'] ?? 0 };
};

describe('A16: a question', () => {
  test.each(['a', 'b', 'c', 'd', 'e'])('to an actor (%s) is answered once, with what was bound', async (key) => {
    void threads.tell(Asker).take(purse(key), 3, 'x');
    threads.run();
    expect(await got()).toEqual([['x', 3, { ok: true, value: 7 }]]);
    expect(kept().calls).toBe(0);
  });

  test('is answered with the code of a Refusal, and of an answer that cannot cross', async () => {
    void threads.tell(Asker).take(purse('b'), 11, 'x');
    void threads.tell(Asker).badly(purse('b'));
    threads.run();
    expect(await got()).toEqual([
      ['x', 11, { ok: false, code: 'TOO_LITTLE', message: 'there is not enough' }],
      expect.objectContaining({ ok: false, code: 'DATA_NOT_SERIALISABLE' }),
    ]);
  });

  test('is data of the actor that asks until it is answered', async () => {
    void threads.tell(Asker).serve('x', 1e6);
    await threads.runAll();
    expect(kept().calls).toBe(1);
    gate.open();
    await threads.runAll();
    expect(await got()).toEqual([['x', { ok: true, value: 'x!' }]]);
    expect(kept().calls).toBe(0);
  });

  test('CALL_TIMEOUT: is answered by its time limit, and an answer that comes later is dropped', async () => {
    void threads.tell(Asker).serve('x', 500);
    await threads.runAll();
    threads.clock.advance(499);
    expect(await got()).toEqual([]);
    threads.clock.advance(1);
    const message = 'calls-slow work has not answered within 500 ms; it may still run';
    expect(await got()).toEqual([['x', { ok: false, code: 'CALL_TIMEOUT', message }]]);
    gate.open();
    await threads.runAll();
    expect(await got()).toHaveLength(1);
    expect(seen).toMatchObject([{ what: 'x', aborted: true }]);
  });

  test('CALL_TIMEOUT: of an actor; its late answer finds no question and is counted', async () => {
    const key = ['b', 'c', 'd', 'e', 'f'].find(
      (name) => threads.host.homeOf(Purse.name, name) !== threads.host.homeOf(Asker.name, 'a'),
    )!;
    void threads.tell(Asker).takeWithin(purse(key), 5);
    const asking = threads.host.homeOf(Asker.name, 'a');
    // The question is asked, and its request stays on the way.
    threads.network.hold(asking, threads.host.homeOf(Purse.name, key));
    threads.run();
    threads.clock.advance(5);
    expect(await got()).toMatchObject([['limited', 1, { code: 'CALL_TIMEOUT' }]]);
    threads.network.letGo();
    expect(await got()).toHaveLength(1);
    expect(threads.runtimes[asking].inside.actors.counts.dropped).toBe(1);
  });

  test('of an actor that has forgotten itself meanwhile is answered to nobody', async () => {
    void threads.tell(Asker).serve('x', 1e6);
    await threads.runAll();
    void threads.tell(Asker).forget();
    await threads.runAll();
    gate.open();
    await threads.runAll();
    expect(await got()).toEqual([]);
    expect(threads.runtimes.reduce((sum, { inside }) => sum + inside.actors.counts.dropped, 0)).toBe(1);
  });

  test('leaves nothing when its turn refuses', async () => {
    void threads.tell(Asker).refuse(purse('b'));
    threads.run();
    threads.clock.advance(1);
    expect(await got()).toEqual([]);
    expect(kept()).toEqual({ calls: 0, timers: 0 });
  });

  type Into = (...args: unknown[]) => void;
  const question = (ctx: Ctx<object>): Into => {
    const asked = ctx.call(purse('b')).take(1);
    return (asked.into as Into).bind(asked);
  };
  test.each<[string, (ctx: Ctx<object>, own: unknown) => void]>([
    ['without into', (ctx) => void question(ctx)],
    ['into another actor', (ctx) => question(ctx)(Asker, 'taken', 'x', 1)],
    ['into a handler that is not there', (ctx, own) => question(ctx)(own, 'nope')],
    [
      'into twice',
      (ctx, own) => {
        const into = question(ctx);
        into(own, 'run');
        into(own, 'run');
      },
    ],
  ])('CALL_INCOMPLETE: a call %s', (name, misuse) => {
    const Wrong: AnyActor = actor(`calls-${name.replaceAll(' ', '-')}`, {
      state: () => ({}),
      on: { run: (ctx) => misuse(ctx, Wrong) },
    });
    threads.host.send({ type: Wrong.name, key: 'a', handler: 'run', args: [], reply: null });
    threads.run();
    expect(threads.failures).toEqual([
      expect.objectContaining({ code: 'TURN_THREW', cause: expect.objectContaining({ code: 'CALL_INCOMPLETE' }) }),
    ]);
  });
});

describe('A17: a service', () => {
  test('answers the host, from whichever worker has the fewest open calls', async () => {
    const asks = Array.from({ length: 9 }, (_, i) => threads.askService(Slow).work(String(i)));
    await threads.runAll();
    expect([...threads.calls]).toEqual([0, 3, 3, 3]);
    gate.open();
    await threads.runAll();
    expect(await Promise.all(asks)).toEqual(Array.from({ length: 9 }, (_, i) => `${i}!`));
    expect([...threads.calls]).toEqual([0, 0, 0, 0]);
    expect(new Set(seen.map(({ callId }) => callId)).size).toBe(9);
  });

  test('that throws answers with the code of the error, or SERVICE_THREW', async () => {
    void threads.tell(Asker).failing('MINE');
    void threads.tell(Asker).failing('');
    const asked = threads
      .askService(Slow)
      .fail('')
      .catch((error: unknown) => error);
    await threads.runAll();
    const answers = (await got()) as { code: string }[];
    expect(answers.sort((a, b) => a.code.localeCompare(b.code))).toEqual([
      { ok: false, code: 'MINE', message: 'it broke' },
      { ok: false, code: 'SERVICE_THREW', message: 'it broke' },
    ]);
    expect(await asked).toMatchObject({ code: 'SERVICE_THREW', stack: expect.stringContaining('calls.test') });
  });

  test('runs as many calls at once as it allows, in order', async () => {
    threads = new Threads(1).go();
    const asks = ['a', 'b', 'c', 'd'].map((what) => threads.askService(Narrow).run(what));
    await threads.runAll();
    expect(seen.map(({ what }) => what)).toEqual(['a', 'b']);
    gate.open();
    await threads.runAll();
    expect(seen.map(({ what }) => what)).toEqual(['a', 'b', 'c', 'd']);
    expect(await Promise.all(asks)).toEqual(['a!', 'b!', 'c!', 'd!']);
  });

  test('an ask that is aborted stops the remote signal, and its neighbour runs on', async () => {
    const abort = new AbortController();
    const aborted = threads
      .askService(Slow, { signal: abort.signal })
      .work('x')
      .catch((error: unknown) => error);
    const neighbour = threads.askService(Slow).work('y');
    await threads.runAll();
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await aborted).toBe(reason);
    await threads.runAll();
    expect(seen).toMatchObject([
      { what: 'x', aborted: true },
      { what: 'y', aborted: false },
    ]);
    gate.open();
    await threads.runAll();
    expect(await neighbour).toBe('y!');
    expect([...threads.calls]).toEqual([0, 0, 0, 0]);
  });

  test('an ask that runs out of time stops the remote signal; one in line never starts', async () => {
    threads = new Threads(1).go();
    const late = ['a', 'b', 'c'].map((what) =>
      threads
        .askService(Narrow, { timeoutMs: 10 })
        .run(what)
        .catch((error: unknown) => error),
    );
    await threads.runAll();
    threads.clock.advance(10);
    await threads.runAll();
    for (const error of await Promise.all(late)) expect(error).toMatchObject({ code: 'ASK_TIMEOUT' });
    expect(seen).toMatchObject([
      { what: 'a', aborted: true },
      { what: 'b', aborted: true },
    ]);
    gate.open();
    await threads.runAll();
    expect(seen).toHaveLength(2);
    expect([...threads.calls]).toEqual([0, 0]);
  });

  test('that does not end after it was aborted is told once, with its age; one that ends in time is not', async () => {
    const limited = { timeoutMs: 10 };
    const late = [threads.askService(Slow, limited).work('x'), threads.askService(Slow).work('patient')];
    for (const each of late) each.catch(() => undefined);
    await threads.runAll();
    threads.clock.advance(10);
    await threads.runAll();
    threads.clock.advance(999);
    expect(threads.hung).toEqual([]);
    threads.clock.advance(1);
    const { callId } = seen.find(({ what }) => what === 'x')!;
    expect(threads.hung).toEqual([{ service: 'calls-slow', handler: 'work', callId, ageMs: 1_010, abortedMs: 1_000 }]);
    threads.clock.advance(1e6);
    expect(threads.hung).toHaveLength(1);
    threads
      .askService(Slow, limited)
      .work('y')
      .catch(() => undefined);
    await threads.runAll();
    threads.clock.advance(10);
    await threads.runAll();
    gate.open();
    await threads.runAll();
    threads.clock.advance(1e6);
    expect(threads.hung).toHaveLength(1);
    expect([...threads.calls]).toEqual([0, 0, 0, 0]);
  });

  test('starts only while the ingress is open; the question waits', async () => {
    // The first slices of all threads are over.
    threads.run();
    const asking = threads.host.homeOf(Asker.name, 'a');
    const busy = asking === 1 ? 2 : 1;
    threads.ingress[busy] = 1;
    threads.runtimes[asking].send({
      type: Asker.name,
      key: 'a',
      handler: 'serve',
      args: ['x', 1e6],
      reply: null,
    });
    await threads.runAll();
    expect([seen.length, kept().calls]).toEqual([0, 1]);
    threads.ingress[busy] = 0;
    threads.runtimes[asking].wake();
    await threads.runAll();
    expect(seen.map(({ what }) => what)).toEqual(['x']);
  });

  test('of place here runs in the thread of its caller', async () => {
    const asked = threads.askService(Here).where();
    await threads.runAll();
    expect(await asked).toMatch(/^ask\./);
    expect([...threads.calls]).toEqual([0, 0, 0, 0]);
  });

  test('answers nothing after its generation, and its signals are aborted', async () => {
    void threads.tell(Asker).serve('x', 1e6);
    await threads.runAll();
    for (const runtime of threads.runtimes) runtime.stop();
    expect(seen).toMatchObject([{ aborted: true }]);
    gate.open();
    await settled();
    expect(threads.failures).toEqual([]);
  });

  test('DEFINITION_UNKNOWN: one that the program has no more answers so after a restore', async () => {
    threads = new Threads(3);
    const home = threads.runtimes[threads.host.homeOf(Asker.name, 'a')];
    const asked = { to: null, service: 'calls-removed', handler: 'work', args: ['x'], timeoutMs: null, askedAt: 0 };
    const value = { ...asked, into: 'served', bound: ['x'] };
    home.loadValue({ type: Asker.name, key: 'a', table: '~calls', tableKey: '1.1.1.1', value });
    threads.go();
    await threads.runAll();
    expect(await got()).toEqual([['x', expect.objectContaining({ ok: false, code: 'DEFINITION_UNKNOWN' })]]);
    expect(kept().calls).toBe(0);
  });

  test.each([{ place: 'everywhere' }, { maxConcurrent: 0 }, { maxConcurrent: 1.5 }])(
    'DEFINITION_INVALID: with %o',
    (options) => {
      expect(() => service('calls-odd', { run: () => 1 }, options as never)).toThrow(
        expect.objectContaining({ code: 'DEFINITION_INVALID' }),
      );
    },
  );

  test('REQUEST_ID_REUSED: takes no request id', async () => {
    await expect(threads.askService(Slow, { requestId: 'r' }).work('x')).rejects.toMatchObject({
      code: 'REQUEST_ID_REUSED',
    });
  });
});
