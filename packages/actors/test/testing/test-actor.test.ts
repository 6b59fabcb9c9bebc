import { actor, ActorError, type Ref, Refusal, type Reply, service, table } from '@tidemark/actors';
import { testActor, TestKitError } from '@tidemark/actors/testing';
import { describe, expect, test } from 'vitest';

const Account = actor('kit-account', {
  state: () => ({ balance: 0, log: [] as string[], rows: table<string, { n: number }>() }),
  on: {
    deposit(ctx, amount: number): void {
      ctx.state.balance += amount;
    },
    withdraw(ctx, amount: number): number {
      if (ctx.state.balance < amount) throw new Refusal('TOO_LITTLE', 'there is not enough');
      return (ctx.state.balance -= amount);
    },
    count(ctx, what: string): number {
      ctx.state.rows.update(
        what,
        (row) => void row.n++,
        () => ({ n: 0 }),
      );
      return ctx.state.rows.get(what)!.n;
    },
    breakRow(ctx, what: string): void {
      (ctx.state.rows.get(what) as { n: number }).n = 7;
    },
    write(ctx, lines: string[]): string[] {
      ctx.state.log = lines;
      ctx.log(`${lines.length} lines`);
      return ctx.state.log;
    },
    add(ctx, line: string): string[] {
      ctx.state.log.push(line);
      return ctx.state.log;
    },
    fail(ctx): void {
      ctx.state.balance = -1;
      ctx.state.rows.set('failed', { n: 1 });
      ctx.tell(ctx.ref(Account, 'other')).deposit(1);
      throw new TypeError('it broke');
    },
    later: (): void => Promise.resolve() as unknown as void,
    unfit: () => ({ f: () => 1 }) as unknown as number,
    unfitState(ctx): void {
      Object.assign(ctx.state.log, [() => 1]);
    },
    chance: (ctx): number => ctx.random(),
    forget(ctx): void {
      ctx.forget();
    },
  },
});

const Pages = service('kit-pages', { load: async (_ctx, url: string): Promise<string> => url });

const Transfer = actor('kit-transfer', {
  state: () => ({ done: [] as string[] }),
  on: {
    start(ctx, from: Ref<typeof Account>, amount: number): void {
      ctx.call(from, { timeoutMs: 500 }).withdraw(amount).into(Transfer, 'withdrawn', amount);
      ctx.tell(ctx.ref(Transfer, 'log')).note('started');
    },
    withdrawn(ctx, answer: Reply<number>, amount: number): void {
      if (answer.ok) ctx.tell(ctx.ref(Account, 'to')).deposit(amount);
      ctx.state.done.push(answer.ok ? `${amount}, left ${answer.value}` : answer.code);
    },
    look(ctx, url: string): void {
      ctx.call(Pages).load(url).into(Transfer, 'seen');
    },
    seen(ctx, answer: Reply<string>): void {
      ctx.state.done.push(answer.ok ? answer.value : answer.code);
    },
    note(ctx, what: string): void {
      ctx.state.done.push(what);
    },
    remind(ctx, delayMs: number, id: string, what: string): void {
      ctx.after(delayMs, id).into(Transfer, 'reminded', what);
    },
    reminded(ctx, what: string): void {
      ctx.state.done.push(`${what} at ${new Date(ctx.now()).toISOString()}`);
      if (what === 'again') ctx.after(10, 'next').into(Transfer, 'reminded', 'at last');
    },
    quiet(ctx, id: string): void {
      ctx.cancel(id);
    },
  },
});

function codeOf(run: () => unknown): { readonly code: unknown; readonly message: string; readonly cause: unknown } {
  try {
    run();
  } catch (error) {
    if (error instanceof Error)
      return { code: (error as { code?: unknown }).code, message: error.message, cause: error.cause };
  }
  throw new Error('it has not thrown');
}

describe('testActor', () => {
  test('runs a turn at once, and gives its answer', () => {
    const account = testActor(Account, 'alice');
    account.send.deposit(10);
    expect(account.send.withdraw(3)).toBe(7);
    expect(account.state).toEqual({ balance: 7, log: [], rows: new Map() });
    expect(account.ref).toEqual({ type: 'kit-account', key: 'alice' });
  });

  test('throws the Refusal of a handler', () => {
    const account = testActor(Account);
    expect(() => account.send.withdraw(3)).toThrow(Refusal);
    expect(codeOf(() => account.send.withdraw(3))).toMatchObject({
      code: 'TOO_LITTLE',
      message: 'there is not enough',
    });
  });

  test('a turn that throws says so with its cause, and changes and sends nothing', () => {
    const account = testActor(Account, 'a', { state: { balance: 5 } });
    const { code, message, cause } = codeOf(() => account.send.fail());
    expect({ code, message }).toEqual({ code: 'TURN_THREW', message: 'kit-account/a fail: it broke' });
    expect(cause).toBeInstanceOf(TypeError);
    expect(account.state).toEqual({ balance: 5, log: [], rows: new Map() });
    expect(account.sent).toEqual([]);
    expect(account.send.withdraw(1)).toBe(4);
  });

  test('sets aside what throws, where it is asked to', () => {
    const account = testActor(Account, 'a', { onThrow: 'set-aside' });
    account.send.deposit(5);
    expect(codeOf(() => account.send.fail()).code).toBe('DEAD_LETTER');
    expect(account.letters).toMatchObject([{ handler: 'fail', args: [], message: 'it broke' }]);
    expect(account.state).toEqual({ balance: 5, log: [], rows: new Map() });
  });

  test('finds what production finds', () => {
    const account = testActor(Account);
    expect(codeOf(() => account.send.later()).code).toBe('HANDLER_ASYNC');
    expect(codeOf(() => account.send.unfit())).toMatchObject({
      code: 'DATA_NOT_SERIALISABLE',
      message: expect.stringContaining('answer of kit-account.unfit.f: function') as unknown,
    });
    expect(codeOf(() => account.send.deposit((() => 1) as unknown as number)).code).toBe('DATA_NOT_SERIALISABLE');
    expect(codeOf(() => account.send.unfitState()).message).toContain('state of kit-account/test.log[0]: function');
  });

  test('begins with the fields that it is given', () => {
    const rows = table<string, { n: number }>();
    rows.set('tea', { n: 3 });
    const account = testActor(Account, 'a', { state: { balance: 2, rows } });
    expect(account.send.count('tea')).toBe(4);
    expect(account.state).toEqual({ balance: 2, log: [], rows: new Map([['tea', { n: 4 }]]) });
  });

  test('begins anew when it has forgotten itself', () => {
    const account = testActor(Account, 'a', { state: { balance: 2 } });
    account.send.forget();
    expect(account.state.balance).toBe(0);
  });

  test('draws the same chance for the same seed', () => {
    const draw = (seed: number): number[] => {
      const account = testActor(Account, 'a', { seed });
      return [account.send.chance(), account.send.chance()];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7)[0]).not.toBe(draw(7)[1]);
  });
});

describe('what does not belong to a turn', () => {
  test('is copied: arguments, answers', () => {
    const account = testActor(Account);
    const lines = ['a'];
    const answer = account.send.write(lines);
    lines.push('b');
    expect(account.send.add('c')).toEqual(['a', 'c']);
    expect(answer).toEqual(['a']);
    expect(account.logged).toEqual(['kit-account/test: 1 lines']);
  });

  test('is read-only: answers, states, rows of tables that were read', () => {
    const account = testActor(Account);
    expect(() => account.send.write(['a']).push('b')).toThrow(TypeError);
    expect(() => (account.state.log as string[]).push('b')).toThrow(TypeError);
    expect(() => (account.state.rows as Map<string, { n: number }>).set('x', { n: 1 })).toThrow(TypeError);
    account.send.count('tea');
    expect(codeOf(() => account.send.breakRow('tea')).message).toContain('read only');
    expect(account.state.rows).toEqual(new Map([['tea', { n: 1 }]]));
  });

  test('is frozen when the turn ends: state and arguments that were kept outside', () => {
    let kept: string[] = [];
    const Keeping = actor('kit-keeping', {
      state: () => ({ list: [] as string[] }),
      on: {
        keep(ctx): void {
          kept = ctx.state.list;
        },
        keepArgument(_ctx, list: string[]): void {
          kept = list;
        },
        use(): void {
          kept.push('x');
        },
      },
    });
    const keeping = testActor(Keeping);
    keeping.send.keep();
    expect(codeOf(() => keeping.send.use()).message).toContain('not extensible');
    keeping.send.keepArgument(['y']);
    expect(codeOf(() => keeping.send.use()).message).toContain('not extensible');
  });

  test('is found where two actors begin with one object', () => {
    const shared: string[] = [];
    const Sharing = actor('kit-sharing', {
      state: () => ({ list: shared }),
      on: {
        add(ctx, what: string): void {
          ctx.state.list.push(what);
        },
      },
    });
    testActor(Sharing, 'a').send.add('x');
    expect(() => testActor(Sharing, 'b').send.add('y')).toThrow(ActorError);
  });
});

describe('what an actor sends and asks', () => {
  test('lies in lists', () => {
    const transfer = testActor(Transfer, 't');
    transfer.send.start({ type: 'kit-account', key: 'from' }, 5);
    expect(transfer.sent).toEqual([{ to: { type: 'kit-transfer', key: 'log' }, handler: 'note', args: ['started'] }]);
    expect(transfer.questions).toMatchObject([
      {
        to: { type: 'kit-account', key: 'from' },
        handler: 'withdraw',
        args: [5],
        into: 'withdrawn',
        bound: [5],
        timeoutMs: 500,
      },
    ]);
    transfer.clearSent();
    transfer.answer(transfer.question(Account, 'withdraw'), { ok: true, value: 7 });
    expect(transfer.sentTo(Account, 'deposit')).toEqual([[5]]);
    expect(transfer.sent).toHaveLength(1);
    expect(transfer.state.done).toEqual(['5, left 7']);
    expect(transfer.questions).toEqual([]);
  });

  test('comes back to itself when the test says so', () => {
    const log = testActor(Transfer, 'log');
    log.send.start({ type: 'kit-account', key: 'from' }, 5);
    log.receive(log.sent[0]);
    expect(log.state.done).toEqual(['started']);
    const other = testActor(Transfer, 'other');
    expect(codeOf(() => other.receive(log.sent[0]))).toMatchObject({
      code: 'TEST_OPTIONS',
      message: 'a message to kit-transfer/log note was given to kit-transfer/other; expected one to itself',
    });
  });

  test('is answered by services, too', () => {
    const transfer = testActor(Transfer);
    transfer.send.look('x');
    transfer.answer(transfer.question(Pages, 'load'), { ok: false, code: 'NOT_THERE', message: '' });
    expect(transfer.sent).toEqual([]);
    expect(transfer.state.done).toEqual(['NOT_THERE']);
  });

  test('TEST_NO_SUCH_QUESTION: says what is open', () => {
    const transfer = testActor(Transfer, 't');
    expect(codeOf(() => transfer.question(Account, 'withdraw'))).toMatchObject({
      code: 'TEST_NO_SUCH_QUESTION',
      message: 'kit-transfer/t has 0 open questions to kit-account withdraw; expected one. Open: none',
    });
    transfer.send.look('x');
    const question = transfer.question(Pages, 'load');
    transfer.send.look('y');
    expect(codeOf(() => transfer.question(Pages, 'load')).message).toContain('has 2 open questions');
    transfer.answer(question, { ok: true, value: 'z' });
    expect(() => transfer.answer(question, { ok: true, value: 'z' })).toThrow(TestKitError);
    expect(transfer.state.done).toEqual(['z']);
  });

  test('is answered by its time limit', () => {
    const transfer = testActor(Transfer);
    transfer.send.start({ type: 'kit-account', key: 'from' }, 5);
    transfer.advance(499);
    expect(transfer.state.done).toEqual([]);
    transfer.advance(1);
    expect(transfer.state.done).toEqual(['CALL_TIMEOUT']);
    expect(transfer.questions).toEqual([]);
  });
});

describe('timers', () => {
  test('go off when time comes, each at its own instant', () => {
    const transfer = testActor(Transfer, 't', { now: Date.UTC(2030, 0, 1) });
    transfer.send.remind(2_000, 'b', 'second');
    transfer.send.remind(1_000, 'a', 'again');
    transfer.send.remind(5_000, 'c', 'never');
    transfer.send.quiet('c');
    expect(transfer.timers.map(({ id, inMs, handler, args }) => [id, inMs, handler, args])).toEqual([
      ['a', 1_000, 'reminded', ['again']],
      ['b', 2_000, 'reminded', ['second']],
    ]);
    transfer.advance(1_005);
    expect(transfer.now).toBe(Date.UTC(2030, 0, 1) + 1_005);
    transfer.advance(10_000);
    expect(transfer.state.done).toEqual([
      'again at 2030-01-01T00:00:01.000Z',
      'at last at 2030-01-01T00:00:01.010Z',
      'second at 2030-01-01T00:00:02.000Z',
    ]);
    expect(transfer.timers).toEqual([]);
  });

  test('DELAY_INVALID: time does not go back', () => {
    expect(codeOf(() => testActor(Transfer).advance(-1)).code).toBe('DELAY_INVALID');
  });
});
