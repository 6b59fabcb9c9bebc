import { actor } from '@tidemark/actors';
import { type Envelope, limits, packMessages } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { Keeper } from './support/keeper.ts';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

let threads: Threads;
beforeEach(() => {
  threads = new Threads(3).go();
});

const kept = (key = 'a'): Promise<unknown[]> => threads.answerOf(threads.ask(Keeper, key).all());

describe('a runtime', () => {
  test('A10: runs nothing before go, then everything that has come, in order', async () => {
    threads = new Threads(2);
    for (const n of [1, 2]) void threads.tell(Keeper).keep(n);
    threads.host.go();
    threads.run();
    expect(threads.network.loaded).toEqual([]);
    void threads.tell(Keeper).keep(3);
    threads.run();
    const all = threads.ask(Keeper).all();
    threads.run();
    threads.go().run();
    expect(await all).toEqual([1, 2, 3]);
  });

  test('A10: runs nothing after stop', () => {
    void threads.tell(Keeper).keep(1);
    for (const runtime of threads.runtimes) runtime.stop();
    threads.run();
    expect(threads.host.hasMail).toBe(false);
  });

  test('a restored message comes before one that arrives', async () => {
    threads = new Threads(1);
    const restored: Envelope = { type: 'keeper', key: 'a', handler: 'keep', args: ['restored'], reply: null };
    for (const frame of packMessages([restored])) threads.runtimes[1].loadFrame(frame);
    threads.host.go();
    void threads.tell(Keeper).keep('sent');
    threads.run();
    threads.go().run();
    expect(await kept()).toEqual(['restored', 'sent']);
  });

  test('A4: the room of frames comes back along with the answers, again and again', async () => {
    const Echo = actor('echo', { state: () => ({}), on: { echo: (_, text: string) => text } });
    const text = 'x'.repeat(limits.WINDOW_BYTES * 0.4);
    for (let i = 0; i < 10; i++) {
      let answer = '';
      void threads
        .ask(Echo)
        .echo(text)
        .then((echoed) => (answer = echoed));
      threads.run();
      await settled();
      expect(answer.length).toBe(text.length);
    }
  });

  test('look() says quiet only when nothing waits, and counts every frame on both sides', () => {
    const sum = (field: 'framesSent' | 'framesTaken') =>
      threads.runtimes.reduce((total, runtime) => total + runtime.look()[field], 0);
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) void threads.tell(Keeper, key).keep(1);
    expect(threads.host.look().quiet).toBe(false);
    threads.clock.runSoon();
    threads.clock.runSoon();
    threads.clock.runSoon();
    threads.clock.runSoon();
    expect(sum('framesSent')).toBe(3);
    expect(sum('framesTaken')).toBe(0);
    threads.run();
    expect(threads.runtimes.map((runtime) => runtime.look().quiet)).toEqual([true, true, true, true]);
    expect([sum('framesSent'), sum('framesTaken')]).toEqual([3, 3]);
  });
});

describe('A9: the ingress', () => {
  test('closes for whoever sends on and on without a pause, and opens when its messages have left', async () => {
    let sent = 0;
    for (; threads.host.ingressOpen && sent < 200_000; sent++) {
      threads.host.send({ type: Keeper.name, key: 'a', handler: 'keep', args: [sent], reply: null });
    }
    expect(sent * limits.MESSAGE_BYTES_GUESS).toBeGreaterThan(limits.HIGH_MARK_BYTES / 2);
    expect(sent).toBeLessThan(200_000);
    threads.run();
    expect(await kept()).toHaveLength(sent);
    expect([...threads.ingress]).toEqual([0, 0, 0, 0]);
  });

  test('is closed for all while one thread has too much waiting', () => {
    const others = threads.runtimes.filter(({ thread }) => thread !== 2);
    threads.ingress[2] = 1;
    expect(others.map((runtime) => runtime.ingressOpen)).toEqual([false, false, false]);
    threads.ingress[2] = 0;
    expect(others.map((runtime) => runtime.ingressOpen)).toEqual([true, true, true]);
  });
});

test('the order of messages from any sender to any receiver is kept, however slices and deliveries interleave', async () => {
  const Relay = actor('relay', {
    state: () => ({}),
    on: {
      burst(ctx, to: string, from: number, count: number) {
        for (let n = from; n < from + count; n++) ctx.tell(ctx.ref(Checker, to)).take(ctx.key, n);
      },
    },
  });
  const wrong: string[] = [];
  const Checker = actor('checker', {
    state: () => ({ next: {} as Record<string, number> }),
    on: {
      take(ctx, sender: string, n: number) {
        if (n !== (ctx.state.next[sender] ?? 0)) wrong.push(`${sender}→${ctx.key}: ${n}`);
        ctx.state.next[sender] = n + 1;
      },
      total: (ctx) => Object.values(ctx.state.next).reduce((sum, n) => sum + n, 0),
    },
  });
  const keys = ['a', 'b', 'c', 'd'];
  const burst = fc.record({
    from: fc.constantFrom(...keys),
    to: fc.constantFrom(...keys),
    count: fc.integer({ min: 1, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(burst, { maxLength: 12 }), fc.infiniteStream(fc.nat(1_000)), async (bursts, chances) => {
      threads = new Threads(3).go();
      const sent: Record<string, number> = {};
      for (const { from, to, count } of bursts) {
        const way = `${from}→${to}`;
        void threads.tell(Relay, from).burst(to, sent[way] ?? 0, count);
        sent[way] = (sent[way] ?? 0) + count;
      }
      for (;;) {
        const ways = threads.network.loaded;
        const chance = chances.next().value ?? 0;
        if (ways.length > 0 && chance % 3 > 0) {
          const { from, to } = ways[chance % ways.length];
          threads.network.deliver(from, to);
        } else if (!threads.clock.runSoon() && ways.length === 0) break;
      }
      const totals = keys.map((key) => threads.ask(Checker, key).total());
      threads.run();
      const got = (await Promise.all(totals)).reduce((sum, n) => sum + n, 0);
      expect(got).toBe(bursts.reduce((sum, { count }) => sum + count, 0));
      expect(wrong).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
