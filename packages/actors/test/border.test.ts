import { actor, ActorError } from '@tidemark/actors';
import { Border, errorToData, RemoteError } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

const Counter = actor('counter', {
  state: () => ({ n: 0 }),
  on: { add: (ctx, by: number) => (ctx.state.n += by), n: (ctx) => ctx.state.n },
});
const stopped = new ActorError('SYSTEM_STOPPED', 'the system has stopped');

let threads: Threads;
beforeEach(() => {
  threads = new Threads(2).go();
});

describe('an ask', () => {
  test('ASK_TIMEOUT: rejects after five seconds without an answer, and names what was asked', async () => {
    const asked = rejection(threads.ask(Counter).n());
    threads.clock.advance(4_999);
    await settled();
    expect(asked.error).toBeUndefined();
    threads.clock.advance(1);
    await settled();
    expect(asked.error).toMatchObject({
      code: 'ASK_TIMEOUT',
      message: 'counter/a n has not answered within 5000 ms; it may still run',
    });
  });

  test('ASK_TIMEOUT: after the time that the caller gave', async () => {
    const asked = rejection(threads.border.ask(threads.ref(Counter), { timeoutMs: 10 }).n());
    threads.clock.advance(10);
    await settled();
    expect(asked.error).toMatchObject({ code: 'ASK_TIMEOUT' });
  });

  test('an answer that comes too late is dropped, and the message has run', async () => {
    const late = rejection(threads.ask(Counter).add(1));
    threads.clock.advance(5_000);
    threads.run();
    const next = threads.ask(Counter).n();
    threads.run();
    expect(await next).toBe(1);
    expect(late.error).toMatchObject({ code: 'ASK_TIMEOUT' });
  });

  test('leaves no timer behind, however it ends', async () => {
    const answered = threads.ask(Counter).n();
    threads.run();
    await answered;
    const refused = rejection(threads.ask(Counter).add(Symbol('no') as never));
    const closed = rejection(threads.ask(Counter).n());
    threads.border.close(stopped);
    await settled();
    expect([refused.error, closed.error]).toMatchObject([{ code: 'DATA_NOT_SERIALISABLE' }, stopped]);
    expect(threads.clock.timersOpen).toBe(0);
  });
});

describe('what cannot be sent', () => {
  test('rejects, and does not throw', async () => {
    const bad = { f: () => 1 } as never;
    const told = threads.tell(Counter).add(bad);
    const asked = threads.ask(Counter).add(bad);
    const error = {
      code: 'DATA_NOT_SERIALISABLE',
      message: expect.stringContaining('counter.add argument 1.f: function'),
    };
    await expect(told).rejects.toMatchObject(error);
    await expect(asked).rejects.toMatchObject(error);
  });

  test('is what it was at the call', async () => {
    const Keeper = actor('border-keeper', {
      state: () => ({ kept: null as unknown }),
      on: { keep: (ctx, value: object) => void (ctx.state.kept = value), kept: (ctx) => ctx.state.kept as object },
    });
    const value = { n: 1 };
    const told = threads.tell(Keeper).keep(value);
    value.n = 2;
    await told;
    const kept = threads.ask(Keeper).kept();
    threads.run();
    expect(await kept).toEqual({ n: 1 });
  });
});

describe('while there is no room', () => {
  beforeEach(() => {
    threads.ingress[1] = 1;
  });

  test('sends wait, and enter in their order when there is some again', async () => {
    const sent: number[] = [];
    const sends = [1, 2, 3].map((n) =>
      threads
        .tell(Counter)
        .add(n)
        .then(() => sent.push(n)),
    );
    await threads.clock.pass(20);
    expect(sent).toEqual([]);
    threads.ingress[1] = 0;
    // One that comes now must not overtake those that wait.
    sends.push(
      threads
        .tell(Counter)
        .add(4)
        .then(() => sent.push(4)),
    );
    await settled();
    expect(sent).toEqual([]);
    await threads.clock.pass(2);
    await Promise.all(sends);
    expect(sent).toEqual([1, 2, 3, 4]);
  });

  test('an ask may time out before it was sent', async () => {
    const asked = rejection(threads.ask(Counter).n());
    await threads.clock.pass(5_000);
    expect(asked.error).toMatchObject({ code: 'ASK_TIMEOUT' });
  });

  test('everything that waits is told when the system ends', async () => {
    const ended = [rejection(threads.tell(Counter).add(1)), rejection(threads.ask(Counter).n())];
    await settled();
    threads.border.close(stopped);
    await settled();
    expect(ended.map(({ error }) => error)).toEqual([stopped, stopped]);
    await threads.clock.pass(10);
    expect(threads.clock.timersOpen).toBe(0);
  });
});

describe('at the end', () => {
  test('nothing new enters, and open asks may still be answered', async () => {
    const open = threads.ask(Counter).add(1);
    await settled();
    threads.border.closeEntry(stopped);
    await expect(threads.tell(Counter).add(1)).rejects.toBe(stopped);
    await expect(threads.ask(Counter).n()).rejects.toBe(stopped);
    threads.run();
    expect(await open).toBe(1);
  });

  test('SYSTEM_STOPPED: nothing is sent before the system has started', async () => {
    await expect(new Border(new ManualClock()).tell(threads.ref(Counter)).add(1)).rejects.toMatchObject({
      code: 'SYSTEM_STOPPED',
    });
  });
});

describe('an error that crosses a thread', () => {
  test('keeps code, text, stack and causes', () => {
    const inner = Object.assign(new Error('inner'), { code: 'E_INNER' });
    const error = new RemoteError(
      structuredClone(errorToData(new ActorError('TURN_THREW', 'outer', { cause: inner }))),
    );
    expect(error).toMatchObject({
      code: 'TURN_THREW',
      message: 'outer',
      cause: { code: 'E_INNER', message: 'inner', stack: inner.stack },
    });
  });

  test('may be anything that was thrown', () => {
    const unprintable = {
      toString: () => {
        throw new Error('no');
      },
    };
    for (const thrown of [undefined, null, 'text', 5, Symbol('s'), unprintable, Object.create(null)]) {
      expect(errorToData(thrown)).toMatchObject({ code: 'THROWN', message: expect.stringContaining('not an Error') });
    }
  });

  test('may be its own cause', () => {
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    expect(() => structuredClone(errorToData(error))).not.toThrow();
  });
});

describe('when the system goes back to the checkpoint of a cut (A14)', () => {
  /** The host enters a cut. */
  const flip = (cut: number): void => void (threads.host.cut.cut = cut);

  test('asks from before it stay open, later ones reject with ROLLED_BACK, and none leaves a timer', async () => {
    const before = threads.ask(Counter).add(1);
    flip(5);
    const after = rejection(threads.ask(Counter).add(1));
    threads.border.pause();
    threads.border.rollBack(5);
    await settled();
    expect(after.error).toMatchObject({
      code: 'ROLLED_BACK',
      message: expect.stringMatching(/^counter\/a add was undone: /),
    });
    // The restored message, or its answer, is in the cut: it is answered as if nothing had been.
    threads.border.use(threads.host);
    threads.border.answered(1, 1, { ok: true, value: 1 });
    expect(await before).toBe(1);
    expect(threads.clock.timersOpen).toBe(0);
  });

  test('an ask that is older than the checkpoint before it is not touched by a second rollback to the same one', async () => {
    flip(5);
    threads.border.pause();
    threads.border.rollBack(5);
    threads.border.use(threads.host);
    const later = rejection(threads.ask(Counter).add(1));
    threads.border.pause();
    threads.border.rollBack(5);
    await settled();
    expect(later.error).toMatchObject({ code: 'ROLLED_BACK' });
  });

  test('what is sent between two generations waits, keeps its order, and goes to the next at once', async () => {
    threads.ingress[1] = 1;
    const sent: number[] = [];
    const tell = (n: number): Promise<number> =>
      threads
        .tell(Counter)
        .add(n)
        .then(() => sent.push(n));
    const waiting = [tell(1), tell(2)];
    threads.border.pause();
    threads.border.rollBack(0);
    waiting.push(tell(3));
    const asked = threads.ask(Counter).n();
    await threads.clock.pass(20);
    expect(sent).toEqual([]);
    threads.ingress[1] = 0;
    threads.border.use(threads.host);
    await Promise.all(waiting);
    expect(sent).toEqual([1, 2, 3]);
    threads.run();
    expect(await asked).toBe(6);
  });
});

/** The error of a promise, once it has one. */
function rejection(promise: Promise<unknown>): { readonly error: unknown } {
  const seen: { error: unknown } = { error: undefined };
  promise.catch((error: unknown) => (seen.error = error));
  return seen;
}

test('whoever waits for all that was sent so far waits for what has no room, and not for what comes', async () => {
  expect(threads.border.sentSoFar()).toBeNull();
  threads.ingress[1] = 1;
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(what);
  void threads.tell(Counter).add(1).then(note('before'));
  void threads.border.sentSoFar()!.then(note('sent so far'));
  void threads.tell(Counter).add(1).then(note('after'));
  await settled();
  expect(seen).toEqual([]);
  threads.ingress[1] = 0;
  threads.clock.advance(5);
  await settled();
  expect(seen).toEqual(['before', 'sent so far', 'after']);
  threads.ingress[1] = 1;
  void threads
    .tell(Counter)
    .add(1)
    .catch(() => undefined);
  const given = threads.border.sentSoFar();
  threads.border.close(stopped);
  await given;
});
