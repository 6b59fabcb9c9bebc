import { actor, type Reply } from '@tidemark/actors';
import { packMessages, Top, type ThreadView, viewThread } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { Keeper } from './support/keeper.ts';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

/** Tells others, which tell others, `left` times. */
const Chatter = actor('chatter', {
  state: () => ({ heard: 0 }),
  on: {
    chat(ctx, left: number) {
      ctx.state.heard++;
      if (left === 0) return ctx.key;
      for (let i = 0; i < 2; i++) ctx.tell(ctx.ref(Chatter, `${(ctx.state.heard * 7 + left + i) % 40}`)).chat(left - 1);
      return null;
    },
  },
});

let threads: Threads;
beforeEach(() => {
  threads = new Threads(3).go();
  threads.run();
});

const view = (thread: number): Promise<ThreadView> => viewThread(threads.runtimes[thread].inside, null);
const views = (): Promise<ThreadView[]> => Promise.all(threads.runtimes.map((_, thread) => view(thread)));

/** Messages in frames that nobody has received. */
function onTheWay(): number {
  const frames = threads.network.loaded.flatMap(({ from, to }) => threads.network.lying(from, to));
  return frames.reduce((sum, item) => sum + (item.kind === 'frame' ? item.count : 0), 0);
}

async function counted(): Promise<{ readonly came: number; readonly went: number; readonly handled: number }> {
  let [came, went, handled] = [0, 0, 0];
  for (const { messages } of await views()) {
    came += messages.sent + messages.restored;
    went += messages.handled + messages.waiting + messages.dead + messages.dropped;
    handled += messages.handled;
  }
  return { came, went, handled };
}

describe('the counts of all threads', () => {
  test('balance at every step, with what is between the threads', async () => {
    for (const key of ['4', '5', '6']) void threads.tell(Chatter, key).chat(6);
    let between = 0;
    for (let moved = true; moved; ) {
      moved = threads.clock.runSoon();
      const way = threads.network.loaded.at(0);
      if (way !== undefined) threads.network.deliver(way.from, way.to);
      moved ||= way !== undefined;
      const { came, went } = await counted();
      expect(went + onTheWay()).toBe(came);
      between = Math.max(between, onTheWay());
    }
    expect(between).toBeGreaterThan(0);
    // Three times a tree of 2⁷ − 1 messages.
    expect(await counted()).toEqual({ came: 381, went: 381, handled: 381 });
    // An answer to the app is no message to an actor.
    expect(await threads.answerOf(threads.ask(Chatter, '1').chat(0))).toBe('1');
    expect(await counted()).toEqual({ came: 382, went: 382, handled: 382 });
  });

  test('hold what was restored, and answers that nobody waits for any more', async () => {
    const reply = { call: '1', type: 'keeper', key: 'nobody' };
    const message = { type: 'keeper', key: 'a', handler: 'keep', args: [1], reply };
    const [frame] = packMessages([message, { ...message, reply: null }]);
    const home = threads.host.homeOf('keeper', 'a');
    threads.runtimes[home].loadFrame(frame);
    expect((await view(home)).messages).toMatchObject({ restored: 2, waiting: 2, handled: 0 });
    threads.runtimes[home].wake();
    threads.run();
    const zero = { sent: 0, restored: 0, handled: 0, waiting: 0, dead: 0, dropped: 0 };
    expect((await view(home)).messages).toMatchObject({ sent: 1, restored: 2, handled: 2, waiting: 0 });
    expect((await view(threads.host.homeOf('keeper', 'nobody'))).messages.dropped).toBe(1);
    expect((await view(0)).messages).toEqual(zero);
    expect(await counted()).toEqual({ came: 3, went: 3, handled: 2 });
  });

  test('know a message that an actor left in its mailbox when it forgot', async () => {
    const Forgetful = actor('forgetful', { state: () => ({}), on: { go: (ctx) => ctx.forget() } });
    for (let i = 0; i < 5; i++) void threads.tell(Forgetful).go();
    threads.run();
    expect(await counted()).toEqual({ came: 5, went: 5, handled: 5 });
  });
});

describe('a thread', () => {
  const KEYS = Array.from({ length: 40 }, (_, index) => String(index));

  test('shows what waits where', async () => {
    for (const key of KEYS) void threads.tell(Keeper, key).keep(key);
    const before = await view(0);
    // The first few of a channel leave at once.
    expect(before.outboxes.messages).toBeGreaterThan(0);
    expect(before.outboxes.messages + onTheWay()).toBe(40);
    expect(before.mailboxes).toEqual({ messages: 0, bytes: 0 });
    // The host posts; nobody has received.
    threads.clock.runSoon();
    expect((await view(0)).outboxes).toEqual({ messages: 0, bytes: 0 });
    expect(onTheWay()).toBe(40);
    while (threads.network.loaded.length > 0) {
      for (const { from, to } of threads.network.loaded) threads.network.deliver(from, to);
    }
    const arrived = (await views()).map((each) => each.arrived);
    expect(arrived.reduce((sum, { messages }) => sum + messages, 0)).toBe(40);
    expect(arrived.every(({ messages, bytes }) => messages === 0 || bytes > 0)).toBe(true);
    threads.run();
    const after = await views();
    expect(after.flatMap(({ actors }) => Object.values(actors)).reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(after.every((each) => each.arrived.messages === 0 && each.mailboxes.messages === 0)).toBe(true);
  });

  test('names its fullest mailboxes, and what its actors have done since the last look', async () => {
    const Local = actor('local-count', { place: 'host', state: () => ({}), on: { count: () => undefined } });
    for (const key of KEYS)
      for (let i = 0; i < Number(key); i++)
        threads.host.send({ type: Local.name, key, handler: 'count', args: [], reply: null });
    const full = await view(0);
    const top = Array.from({ length: 10 }, (_, index) => 39 - index);
    expect(full.fullest).toEqual(top.map((key) => ({ type: 'local-count', key: String(key), messages: key })));
    expect(full.busiest).toEqual([]);
    threads.run();
    const done = await view(0);
    expect(done.fullest).toEqual([]);
    expect(done.busiest).toEqual(top.map((key) => ({ type: 'local-count', key: String(key), turns: key })));
    expect((await view(0)).busiest).toEqual([]);
  });

  test('says how many bytes its mailboxes hold by the size of the messages that came before', async () => {
    const Store = actor('thread-view.store', {
      place: 'host',
      state: () => ({}),
      on: { put: (_ctx, _: string) => undefined },
    });
    for (let i = 0; i < 200; i++) void threads.tell(Store).put('x'.repeat(10_000));
    const { mailboxes } = await view(0);
    expect(mailboxes.messages).toBe(200);
    expect(mailboxes.bytes).toBeGreaterThan(1_000_000);
    expect(mailboxes.bytes).toBeLessThan(3_000_000);
  });

  test('runs turns while a look goes through very many mailboxes', async () => {
    const Local = actor('local-many', { place: 'host', state: () => ({}), on: { count: () => undefined } });
    for (let key = 0; key < 10_000; key++)
      threads.host.send({ type: Local.name, key: String(key), handler: 'count', args: [], reply: null });
    let done = false;
    const looking = view(0).finally(() => (done = true));
    await settled();
    expect([done, threads.host.inside.actors.waiting]).toEqual([false, 10_000]);
    while (!done) {
      threads.run();
      await settled();
    }
    expect(threads.host.inside.actors.waiting).toBe(0);
    // What it took note of before the turns was full at that time.
    expect((await looking).mailboxes.messages).toBe(10_000);
  });
});

describe('open questions', () => {
  const Asking = actor('asking', {
    place: 'host',
    state: () => ({ answers: 0 }),
    on: {
      ask(ctx, of: string) {
        ctx.call(ctx.ref(Keeper, of), { timeoutMs: 5_000 }).all().into(Asking, 'got');
      },
      got(ctx, answer: Reply<unknown[]>) {
        if (answer.ok) ctx.state.answers++;
      },
      forget: (ctx) => ctx.forget(),
    },
  });

  test('are told with their age, the oldest first, until they are answered', async () => {
    for (let key = 0; key < 12; key++) {
      void threads.tell(Asking, `asker ${key}`).ask(`keeper ${key}`);
      threads.clock.runSoon();
      threads.clock.advance(10);
    }
    const { questions } = await view(0);
    expect(questions.open).toBe(12);
    expect(questions.oldest).toHaveLength(10);
    expect(questions.oldest[0]).toEqual({
      from: { type: 'asking', key: 'asker 0' },
      what: 'keeper/keeper 0 all',
      ageMs: 120,
    });
    expect(questions.oldest.map(({ ageMs }) => ageMs)).toEqual(
      Array.from({ length: 10 }, (_, index) => 120 - index * 10),
    );
    threads.run();
    expect((await view(0)).questions).toEqual({ open: 0, oldest: [] });
    expect(threads.host.inside.actors.turns.asking.size).toBe(0);
  });

  test('go with an actor that forgets, and with their time limit', async () => {
    for (const key of ['a', 'b']) void threads.tell(Asking, key).ask('c');
    threads.clock.runSoon();
    expect((await view(0)).questions.open).toBe(2);
    void threads.tell(Asking, 'a').forget();
    threads.clock.runSoon();
    expect((await view(0)).questions).toMatchObject({ open: 1, oldest: [{ from: { key: 'b' } }] });
    threads.clock.advance(5_000);
    threads.clock.runSoon();
    expect((await view(0)).questions.open).toBe(0);
    expect(threads.host.inside.actors.turns.asking.size).toBe(0);
  });
});

test('the largest are kept in their order, of equals the first', () => {
  const top = new Top<string>(3);
  for (const [amount, name] of [
    [1, 'a'],
    [3, 'b'],
    [3, 'c'],
    [2, 'd'],
    [3, 'e'],
    [3, 'f'],
    [4, 'g'],
  ] as const) {
    top.offer(amount, () => name);
  }
  expect(top.items).toEqual(['g', 'b', 'c']);
});
