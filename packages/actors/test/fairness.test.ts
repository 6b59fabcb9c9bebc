import { actor } from '@tidemark/actors';
import { limits, type Marker } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { settled } from './support/manual-clock.ts';
import { Threads } from './support/threads.ts';

/** What a turn of the test's actor takes, by the clock that it moves itself. */
const TURN_MS = 0.05;

/** Turns between two looks at the clock; see Runtime. */
const TURNS_PER_LOOK = 16;

const Busy = actor('fairness.busy', {
  state: () => ({ turns: 0 }),
  on: {
    work(ctx, _ballast: string) {
      ctx.state.turns++;
      turns++;
      threads.clock.advance(TURN_MS);
    },
    round(ctx, peer: string) {
      turns++;
      threads.clock.advance(TURN_MS);
      ctx.tell(ctx.ref(Busy, peer)).round(ctx.key);
    },
  },
});

let threads: Threads;
let turns: number;
beforeEach(() => {
  threads = new Threads(1);
  turns = 0;
});

describe('a flood of messages', () => {
  test.each([
    ['that wait', (): void => send(5_000)],
    ['that beget messages without end', (): void => void threads.tell(Busy, 'a').round('b')],
  ])('%s: after a slice of turns the event loop gets its turn', (_, flood) => {
    threads.go();
    flood();
    let most = 0;
    for (let step = 0; step < 300; step++) {
      const before = turns;
      threads.clock.runSoon();
      for (const { from, to } of threads.network.loaded) threads.network.deliver(from, to);
      most = Math.max(most, turns - before);
    }
    expect(turns).toBeGreaterThan(1_000);
    // A slice, and the turns that run before the clock is looked at: so a timer is no later than that.
    expect(most * TURN_MS).toBeLessThanOrEqual(limits.SLICE_MS + TURNS_PER_LOOK * TURN_MS);
  });

  test('does not keep a marker: it is acted on when it comes, and what lies before it in the port fits the window', () => {
    const [host, worker] = threads.runtimes;
    const markers: { readonly marker: Marker; readonly turns: number }[] = [];
    worker.useHooks({
      marker: (marker) => void markers.push({ marker, turns }),
      arrived: () => undefined,
      work: () => false,
    });
    threads.go();
    send(20_000, (n) => String(Math.imul(n, 2_654_435_761) >>> 0).repeat(12));
    // Posted as far as the window allows; the rest waits in the outbox, and the marker goes ahead of it.
    threads.clock.runSoon();
    for (const channel of host.channels) channel.flip(1, 0, () => undefined);
    const ahead = threads.network.lying(0, 1).filter((item) => item.kind === 'frame');
    const bytes = ahead.reduce((sum, item) => sum + item.body.length, 0);
    expect(bytes).toBeGreaterThan(limits.WINDOW_BYTES / 2);
    expect(bytes).toBeLessThanOrEqual(limits.WINDOW_BYTES);
    const before = turns;
    while (threads.network.lying(0, 1).length > 0) threads.network.deliver(0, 1);
    // Not one turn has run since it was there: frames before it have only arrived.
    expect(markers).toEqual([{ marker: { kind: 'marker', cut: 1, published: 0 }, turns: before }]);
    threads.run();
    expect(turns).toBe(20_000);
  });
});

test("a program that sends without end lets the host's event loop turn", async () => {
  threads.go();
  let sent = 0;
  let going = true;
  const sending = (async () => {
    for (; going; sent++) await threads.tell(Busy).work('');
  })();
  const between: number[] = [];
  for (let turn = 0; turn < 10; turn++) {
    const before = sent;
    await settled();
    between.push(sent - before);
    threads.run();
  }
  going = false;
  threads.run();
  await sending;
  // And the one that had waited.
  expect(Math.max(...between)).toBeLessThanOrEqual(limits.SENDS_UNBROKEN + 1);
  expect(sent).toBeGreaterThan(5 * limits.SENDS_UNBROKEN);
});

function send(count: number, ballast: (n: number) => string = () => ''): void {
  for (let n = 0; n < count; n++) {
    threads.host.send({ type: Busy.name, key: 'a', handler: 'work', args: [ballast(n)], reply: null });
  }
}
