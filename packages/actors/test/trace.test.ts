import { AsyncLocalStorage } from 'node:async_hooks';
import { actor, type Reply, service, type TracedWork, traceWith } from '@tidemark/actors';
import { packMessages, unpackMessages } from '@tidemark/actors/internal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

/** The actors that run beside each other in one test thread share one hook, as those of one real thread do. */
const storage = new AsyncLocalStorage<string>();
const ran: string[] = [];
let spans = 0;

const note = (trace: string | undefined, { type, key, handler }: TracedWork): void =>
  void ran.push(`${type}/${key} ${handler}: ${trace ?? 'none'}`);

/** Each piece of work is a span of its own, whose parent is what its message came with. */
function spanOf(trace: string | undefined): string {
  return `${trace ?? 'root'}>${++spans}`;
}

const Deep = actor('traced-deep', { state: () => ({}), on: { tell: () => undefined, answer: () => 'answer' } });
const Work = service('traced-work', {
  async wait() {
    await Promise.resolve();
    return storage.getStore() ?? 'none';
  },
});
const First = actor('traced-first', {
  state: () => ({ got: '' }),
  on: {
    tell: (ctx) => ctx.tell(ctx.ref(Deep, 'd')).tell(),
    call(ctx) {
      ctx.call(ctx.ref(Deep, 'd')).answer().into(First, 'answered');
    },
    answered: (_ctx, _answer: Reply<string>) => undefined,
    serve(ctx) {
      ctx.call(Work).wait().into(First, 'served');
    },
    served(ctx, answer: Reply<string>) {
      ctx.state.got = answer.ok ? answer.value : answer.message;
    },
    got: (ctx) => ctx.state.got,
    later(ctx) {
      ctx.after(10, 'later').into(First, 'rang');
    },
    rang: () => undefined,
  },
});

let threads: Threads;
beforeEach(() => {
  threads = new Threads(3).go();
  threads.run();
  ran.length = 0;
  spans = 0;
  traceWith({
    current: () => storage.getStore(),
    run(traceparent, work, run) {
      note(traceparent, work);
      return storage.run(spanOf(traceparent), run);
    },
  });
});
afterEach(() => traceWith(null));

describe('a trace', () => {
  test('goes with tells from the app, and from turn to turn, to other threads', () => {
    storage.run('00-a', () => void threads.tell(First, 'f').tell());
    threads.run();
    expect(threads.host.homeOf('traced-first', 'f')).not.toBe(threads.host.homeOf('traced-deep', 'd'));
    expect(ran).toEqual(['traced-first/f tell: 00-a', 'traced-deep/d tell: 00-a>1']);
  });

  test('goes with a question, and back with its answer', () => {
    storage.run('00-b', () => void threads.tell(First, 'f').call());
    threads.run();
    expect(ran).toEqual([
      'traced-first/f call: 00-b',
      'traced-deep/d answer: 00-b>1',
      // The answer belongs to what was asked.
      'traced-first/f answered: 00-b>1',
    ]);
  });

  test('goes with asks of the app, and through the whole of an async service', async () => {
    await storage.run('00-c', () => threads.answerOf(threads.ask(First, 'f').serve()));
    await settled();
    threads.run();
    expect(ran).toEqual(['traced-first/f serve: 00-c', 'traced-work/ wait: 00-c>1', 'traced-first/f served: 00-c>1']);
    expect(await threads.answerOf(threads.ask(First, 'f').got())).toBe('00-c>1>2');
  });

  test('is none for a timer, and where the app has none', () => {
    storage.run('00-d', () => void threads.tell(First, 'f').later());
    threads.run();
    threads.clock.advance(10);
    threads.run();
    void threads.tell(Deep, 'd').tell();
    threads.run();
    expect(ran).toEqual(['traced-first/f later: 00-d', 'traced-first/f rang: none', 'traced-deep/d tell: none']);
  });

  test('is carried no more when nobody traces', () => {
    traceWith(null);
    storage.run('00-e', () => void threads.tell(First, 'f').tell());
    threads.run();
    expect(ran).toEqual([]);
  });

  test('lets a turn fail as it would without', async () => {
    const Broken = actor('traced-broken', {
      onThrow: 'forget',
      state: () => ({}),
      on: {
        fail() {
          throw new Error('broken');
        },
      },
    });
    const asked = threads.ask(Broken).fail();
    await expect(threads.answerOf(asked)).rejects.toMatchObject({ code: 'TURN_THREW' });
    expect(ran).toEqual(['traced-broken/a fail: none']);
  });
});

test.each([1, 2, 40])('a frame of %d messages gives back the traces of those that have one', (count) => {
  const envelopes = Array.from({ length: count }, (_, index) => ({
    type: 'traced-deep',
    key: String(index),
    handler: 'tell',
    args: [index],
    reply: index % 3 === 0 ? { ask: index, term: 1 } : null,
    ...(index % 6 === 0 ? { requestId: `request ${index}` } : {}),
    ...(index % 2 === 0 ? { trace: `00-${index}` } : {}),
  }));
  expect(packMessages(envelopes).flatMap((frame) => unpackMessages(frame))).toEqual(envelopes);
});
