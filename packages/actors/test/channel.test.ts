import {
  type Batch,
  type ChannelItem,
  type Envelope,
  holdsMessages,
  limits,
  OutChannel,
  type PackedFrame,
  unpackBatch,
  unpackMessages,
} from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const { FIRST_MESSAGES, FRAME_BYTES_TARGET, FRAME_MESSAGES_MAX, MESSAGE_BYTES_GUESS, WINDOW_BYTES } = limits;

/** A channel over a port that keeps what is posted, with what its cuts recorded. */
class Posted {
  readonly items: ChannelItem[] = [];
  /** In the order in which things happened: a post, or a recording of the cut. */
  readonly history: { readonly what: 'marker' | 'posted' | 'recorded'; readonly numbers: readonly number[] }[] = [];
  readonly channel: OutChannel;
  inFlight = 0;
  #sent = 0;

  constructor() {
    const post = (item: ChannelItem, transfer: readonly ArrayBuffer[]): void =>
      this.#post(structuredClone(item, { transfer: [...transfer] }));
    this.channel = new OutChannel(2, { post, listen: () => undefined, close: () => undefined }, 1);
  }

  /** Numbers of all messages sent, of which those from `posted.length` on are still in the outbox. */
  get sent(): number[] {
    return Array.from({ length: this.#sent }, (_, i) => i);
  }

  get posted(): number[] {
    return this.history.flatMap(({ what, numbers }) => (what === 'posted' ? numbers : []));
  }

  get recorded(): number[] {
    const flippedAt = this.history.findLastIndex(({ what }) => what === 'marker');
    return this.history.slice(flippedAt).flatMap(({ what, numbers }) => (what === 'recorded' ? numbers : []));
  }

  send(bytes = 10): void {
    this.channel.send(message(this.#sent++, bytes));
  }

  sendBatch(rows: number, bytes = 10): void {
    const values = Array.from({ length: rows }, () => ({ n: this.#sent++, text: 'x'.repeat(bytes) }));
    const columns = rows % 2 === 0 ? null : ['n', 'text'];
    this.channel.sendBatch({ task: 'job', keys: values.map(({ n }) => n), values, columns });
  }

  /** The receiver has taken a share of what lies in the port. */
  giveBack(share = 1): void {
    const bytes = Math.ceil(this.inFlight * share);
    this.channel.credit(bytes);
    this.inFlight -= bytes;
  }

  postAll(): void {
    while (!this.channel.idle) {
      this.giveBack();
      this.channel.flush(0);
    }
  }

  flip(cut: number): void {
    this.channel.flip(cut, 0, (frame) => this.history.push({ what: 'recorded', numbers: numbersIn(frame) }));
  }

  #post(item: ChannelItem): void {
    this.items.push(item);
    if (item.kind === 'marker') this.history.push({ what: 'marker', numbers: [item.cut] });
    if (item.kind !== 'frame') return;
    // A4
    expect(this.inFlight === 0 || this.inFlight + item.body.length <= WINDOW_BYTES).toBe(true);
    this.inFlight += item.body.length;
    this.history.push({ what: 'posted', numbers: numbersIn(item) });
  }
}

describe('a channel', () => {
  test('A3: posts messages and batches in the order in which they were sent', () => {
    const posted = new Posted();
    posted.send();
    posted.send();
    posted.sendBatch(3);
    posted.send();
    posted.channel.flush(0);
    expect(posted.posted).toEqual([0, 1, 2, 3, 4, 5]);
    expect(
      posted.items.map((item) => (item.kind === 'frame' ? [item.seq, item.count, item.codec] : item.kind)),
    ).toEqual([
      [0, 2, 'messages'],
      [1, 3, 'columns'],
      [2, 1, 'messages'],
    ]);
  });

  test('posts nothing before it is flushed, and gathers what is sent until then into one frame', () => {
    const posted = new Posted();
    for (let i = 0; i < 100; i++) posted.send();
    expect(posted.items).toEqual([]);
    expect([posted.channel.idle, posted.channel.waitingBytes > 0]).toEqual([false, true]);
    posted.channel.flush(7);
    expect(posted.items).toHaveLength(1);
    expect(posted.items[0]).toMatchObject({ kind: 'frame', generation: 1, cut: 7, seq: 0, count: 100 });
    expect([posted.channel.idle, posted.channel.waitingBytes, posted.channel.framesSent]).toEqual([true, 0, 1]);
  });

  test('posts the first few at once where nothing is under way, then whole frames as far as there is room, ahead of the next flush', () => {
    const posted = new Posted();
    posted.channel.flush(3);
    const whole = FRAME_MESSAGES_MAX / 4;
    for (let i = 0; i < FIRST_MESSAGES + whole + 1; i++) posted.send();
    expect(posted.items).toMatchObject([
      { kind: 'frame', cut: 3, count: FIRST_MESSAGES },
      { kind: 'frame', cut: 3, count: whole },
    ]);
    for (let i = 0; i < FRAME_MESSAGES_MAX * 8; i++) posted.send();
    expect(posted.inFlight).toBeLessThanOrEqual(WINDOW_BYTES);
    posted.postAll();
    expect(posted.posted).toEqual(posted.sent);
  });

  test('A4: stops when the window is full, and goes on as room is given back', () => {
    const posted = new Posted();
    const half = WINDOW_BYTES / 2 - 100;
    for (let i = 0; i < 5; i++) {
      posted.send(half);
      posted.sendBatch(0);
    }
    posted.channel.flush(0);
    expect(posted.posted).toEqual([0, 1]);
    posted.channel.flush(0);
    expect(posted.posted).toEqual([0, 1]);
    posted.giveBack(0.5);
    posted.channel.flush(0);
    expect(posted.posted).toEqual([0, 1, 2]);
  });

  test('A4: a frame that is larger than the window is posted when nothing else is in flight', () => {
    const posted = new Posted();
    posted.send();
    posted.sendBatch(0);
    posted.send(2 * WINDOW_BYTES);
    posted.channel.flush(0);
    expect(posted.posted).toEqual([0]);
    posted.giveBack();
    posted.channel.flush(0);
    expect(posted.posted).toEqual([0, 1]);
  });

  test('room for the other thread goes along with the first frame, or is left to be posted alone', () => {
    const posted = new Posted();
    expect(posted.channel.flush(0, 500)).toBe(500);
    posted.send();
    posted.sendBatch(1);
    expect(posted.channel.flush(0, 500)).toBe(0);
    expect(posted.items).toMatchObject([{ credit: 500 }, { credit: 0 }]);
    posted.send(2 * WINDOW_BYTES);
    expect(posted.channel.flush(0, 500)).toBe(500);
  });

  test('a frame holds a bounded number of messages, and many large ones become several frames', () => {
    const posted = new Posted();
    for (let i = 0; i < FRAME_MESSAGES_MAX * 2; i++) posted.send();
    posted.channel.flush(0);
    for (let i = 0; i < 8; i++) posted.send(100_000);
    posted.postAll();
    const frames = posted.items.filter((item) => item.kind === 'frame');
    expect(Math.max(...frames.map(({ count }) => count))).toBeLessThanOrEqual(FRAME_MESSAGES_MAX);
    expect(Math.max(...frames.map(({ body }) => body.length))).toBeLessThanOrEqual(WINDOW_BYTES);
    expect(posted.posted).toEqual(posted.sent);
  });

  test('large messages whose size is known are frames of some 64 KB from the start: none is packed twice', () => {
    const posted = new Posted();
    for (let n = 0; n < 400; n++) {
      // Texts that repeat would be written once.
      const args = [n, String(n).padEnd(2_000, 'x')];
      posted.channel.send({ ...message(n, 0), args, bytes: 2_000 + MESSAGE_BYTES_GUESS });
    }
    posted.postAll();
    const frames = posted.items.filter((item) => item.kind === 'frame');
    const numbers = posted.history.filter(({ what }) => what === 'posted').flatMap((each) => each.numbers);
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, n) => n));
    const lengths = frames.map(({ body }) => body.length);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThan(FRAME_BYTES_TARGET);
    expect(Math.max(...lengths)).toBeLessThan(FRAME_BYTES_TARGET * 1.1);
  });

  test('A5: the marker goes first, and what waited is recorded before it is posted', () => {
    const posted = new Posted();
    posted.send();
    posted.flip(1);
    posted.send();
    posted.channel.flush(1);
    expect(posted.history).toEqual([
      { what: 'marker', numbers: [1] },
      { what: 'recorded', numbers: [0] },
      { what: 'posted', numbers: [0] },
      { what: 'posted', numbers: [1] },
    ]);
  });

  test('A5: what is still unposted at the next flip is recorded again', () => {
    const posted = new Posted();
    posted.send();
    posted.flip(1);
    drain(posted.channel.capture());
    expect(posted.recorded).toEqual([0]);
    posted.send();
    posted.flip(2);
    drain(posted.channel.capture());
    expect(posted.recorded).toEqual([0, 1]);
  });

  test('an abandoned cut records nothing any more, and what it sealed is posted', () => {
    const posted = new Posted();
    posted.send();
    posted.flip(1);
    posted.channel.abandon();
    drain(posted.channel.capture());
    posted.channel.flush(1);
    expect(posted.history.map(({ what }) => what)).toEqual(['marker', 'posted']);
  });
});

type Step =
  | { readonly kind: 'send'; readonly bytes: number; readonly times: number }
  | { readonly kind: 'batch'; readonly rows: number; readonly bytes: number }
  | { readonly kind: 'flush' | 'flip' }
  | { readonly kind: 'credit'; readonly share: number }
  | { readonly kind: 'capture'; readonly frames: number };

const size = fc.oneof({ weight: 5, arbitrary: fc.nat(100) }, fc.integer({ min: 10_000, max: 300_000 }));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    bytes: size,
    times: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constant(FRAME_MESSAGES_MAX / 4)),
  }),
  fc.record({ kind: fc.constant('batch' as const), rows: fc.nat(4), bytes: fc.nat(20_000) }),
  fc.record({ kind: fc.constantFrom('flush' as const, 'flip' as const) }),
  fc.record({ kind: fc.constant('credit' as const), share: fc.constantFrom(0.3, 1) }),
  fc.record({ kind: fc.constant('capture' as const), frames: fc.integer({ min: 1, max: 3 }) }),
);

test('A3, A4, A5 hold for any interleaving of sends, flushes, credit, flips and captures', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const posted = new Posted();
      const { channel } = posted;
      let cut = 0;
      let rest: Generator<void, void, void> | null = null;
      let sealed: number[] = [];
      for (const step of steps) {
        if (step.kind === 'send') for (let i = 0; i < step.times; i++) posted.send(step.bytes);
        else if (step.kind === 'batch') posted.sendBatch(step.rows, step.bytes);
        else if (step.kind === 'flush') channel.flush(cut);
        else if (step.kind === 'credit') posted.giveBack(step.share);
        else if (step.kind === 'flip') {
          sealed = posted.sent.slice(posted.posted.length);
          posted.flip(++cut);
          rest = channel.capture();
        } else if (step.kind === 'capture') for (let i = 0; i < step.frames; i++) rest?.next();
        expect(posted.posted).toEqual(posted.sent.slice(0, posted.posted.length));
        expect(posted.recorded).toEqual(sealed.slice(0, posted.recorded.length));
        // Nothing sealed is posted unrecorded.
        const unposted = posted.sent.length - posted.posted.length;
        expect(posted.recorded.length).toBeGreaterThanOrEqual(sealed.length - unposted);
      }
      if (rest !== null) drain(rest);
      expect(posted.recorded).toEqual(sealed);
      posted.postAll();
      expect(posted.posted).toEqual(posted.sent);
      expect(channel.waitingBytes).toBe(0);
    }),
    { numRuns: 200 },
  );
});

function message(n: number, bytes: number): Envelope {
  return { type: 'actor', key: 'a', handler: 'take', args: [n, 'x'.repeat(bytes)], reply: null };
}

function numbersIn(frame: PackedFrame): number[] {
  if (holdsMessages(frame)) return unpackMessages(frame).map(({ args }) => args[0] as number);
  const { values }: Batch = unpackBatch(frame);
  return (values as { n: number }[]).map(({ n }) => n);
}

function drain(steps: Generator<void, void, void>): void {
  while (steps.next().done !== true);
}
