import { actor } from '@tidemark/actors';
import { limits, packMessages } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { Threads } from './support/threads.ts';

const BYTES = 20_000;
const ballast = 'x'.repeat(BYTES);

const Store = actor('message-size.store', {
  state: () => ({ got: 0 }),
  on: {
    put(ctx, _ballast: string) {
      ctx.state.got++;
      look();
    },
  },
});

/** Sends many large ones in one turn. */
const Filler = actor('message-size.filler', {
  state: () => ({}),
  on: {
    fill(ctx, count: number) {
      for (let n = 0; n < count; n++) ctx.tell(ctx.ref(Store, 'a')).put(ballast);
    },
  },
});

let threads: Threads;
/** What a turn does to look around. */
let look: () => void = () => undefined;
beforeEach(() => {
  threads = new Threads(1);
});

/** Messages of that size that close the ingress. */
const ENOUGH = Math.ceil(limits.HIGH_MARK_BYTES / BYTES);

describe('what waits counts by its size', () => {
  test('in the outbox of the host, before anything of it is packed', () => {
    const { host } = threads.go();
    let sent = 0;
    for (; host.ingressOpen && sent < 2 * ENOUGH; sent++) void threads.tell(Store).put(ballast);
    expect(sent).toBeGreaterThan(0.9 * ENOUGH);
    expect(sent).toBeLessThan(1.1 * ENOUGH);
  });

  test('in the mailbox of a worker whose actors send to one another', () => {
    threads.go();
    const worker = threads.runtimes[1];
    const seen: boolean[] = [];
    look = () => seen.push(worker.ingressOpen);
    void threads.tell(Filler).fill(2 * ENOUGH);
    threads.run();
    // As many as there are: the ingress is closed until no more wait than the low mark says, and is open then.
    const closed = seen.lastIndexOf(false) + 1;
    expect(seen.slice(0, closed)).toEqual(Array.from({ length: closed }, () => false));
    expect(closed).toBeGreaterThan(1.5 * ENOUGH);
    expect(seen.length).toBe(2 * ENOUGH);
    expect(seen.at(-1)).toBe(true);
  });

  test('a frame is as large as it is', () => {
    const message = { type: Store.name, key: 'a', handler: 'put', args: [ballast], reply: null, bytes: 1 };
    const [frame] = packMessages([message]);
    expect(frame.body.length).toBeGreaterThan(BYTES);
    // What is known of it in one thread does not travel.
    expect(frame.body.length).toBeLessThan(BYTES + 100);
  });
});
