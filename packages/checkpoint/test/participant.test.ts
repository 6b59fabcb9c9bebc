import { actor, type AnyActor } from '@tidemark/actors';
import { type ChannelItem, decodeValue, unpackMessages } from '@tidemark/actors/internal';
import { limits, Participant, type PartSays, readPart } from '@tidemark/checkpoint/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { framed } from './support/parts.ts';
import { Threads } from '../../actors/test/support/threads.ts';

const WORKERS = 2;
const Pot: AnyActor = actor('pot', {
  state: () => ({ n: 0 }),
  on: {
    put(ctx, n: number, passTo?: string): void {
      ctx.state.n += n;
      if (passTo !== undefined) ctx.tell(ctx.ref(Pot, passTo)).put(n);
    },
  },
});

let threads: Threads;
let said: { readonly thread: number; readonly says: PartSays }[];
let participants: readonly Participant[];
/** A pot at each worker. */
let pots: readonly [string, string];

beforeEach(() => {
  threads = new Threads(WORKERS).go();
  said = [];
  participants = threads.runtimes.map((runtime, thread) => {
    const participant = new Participant(runtime, limits.INLINE_BYTES_MAX, (says) => said.push({ thread, says }));
    runtime.useHooks(participant);
    return participant;
  });
  const at = (worker: number) => ['a', 'b', 'c', 'd', 'e'].find((key) => threads.host.homeOf('pot', key) === worker)!;
  pots = [at(1), at(2)];
});

/** What a thread has reported as its part of a cut; null while it is not done. */
function part(thread: number, cut: number) {
  const mine = said.filter((each) => each.thread === thread && each.says.cut === cut).map(({ says }) => says);
  if (!mine.some(({ kind }) => kind === 'done')) return null;
  const content = readPart(framed(mine.flatMap((says) => (says.kind === 'block' ? [says.block] : []))));
  const numbers = (frames: typeof content.mail) =>
    frames.flatMap((frame) => unpackMessages(frame).map(({ args }) => args[0]));
  return {
    pots: content.units.map(({ value }) => (decodeValue(value) as { n: number }).n),
    mail: numbers(content.mail),
    channels: numbers(content.channels),
    outboxes: numbers(content.outboxes),
  };
}

function runSlices(): void {
  while (threads.clock.runSoon());
}

function kinds(from: number, to: number): ChannelItem['kind'][] {
  return threads.network.lying(from, to).map(({ kind }) => kind);
}

const NOTHING = { pots: [], mail: [], channels: [], outboxes: [] };

describe('C1: a flip', () => {
  test('posts the marker on every channel, at once and ahead of what waits', () => {
    void threads.tell(Pot, pots[0]).put(1);
    participants[0].flip(1, 7);
    expect([kinds(0, 1), kinds(0, 2)]).toEqual([['marker'], ['marker']]);
    expect(threads.network.lying(0, 1)[0]).toMatchObject({ kind: 'marker', cut: 1, published: 7 });
    runSlices();
    expect(kinds(0, 1)).toEqual(['marker', 'frame']);
  });

  test('of a worker comes with its first marker, wherever that comes from', () => {
    participants[0].flip(1, 0);
    threads.network.deliver(0, 1);
    expect([kinds(1, 0), kinds(1, 2)]).toEqual([['marker'], ['marker']]);
    threads.network.deliver(1, 2);
    expect([kinds(2, 0), kinds(2, 1)]).toEqual([['marker'], ['marker']]);
    // The second one is the end of a channel, not another flip.
    threads.network.deliver(0, 2);
    expect([kinds(2, 0), kinds(2, 1)]).toEqual([['marker'], ['marker']]);
  });
});

describe('a message is in the cut exactly once', () => {
  test('C5: unposted at the flip: in the outbox of its sender', () => {
    void threads.tell(Pot, pots[0]).put(5);
    participants[0].flip(1, 0);
    threads.run();
    expect([part(0, 1), part(1, 1)]).toEqual([{ ...NOTHING, outboxes: [5] }, NOTHING]);
  });

  test('C4: arrived and not yet taken at the flip: in the channel', () => {
    void threads.tell(Pot, pots[0]).put(5);
    runSlices();
    threads.network.deliver(0, 1);
    participants[0].flip(1, 0);
    threads.network.deliver(0, 1);
    threads.run();
    expect([part(0, 1), part(1, 1)]).toEqual([NOTHING, { ...NOTHING, channels: [5] }]);
  });

  test('C4: on its way at the flip: in the channel; sent after the marker: nowhere', () => {
    void threads.tell(Pot, pots[0]).put(5, pots[1]);
    threads.network.deliver(0, 1);
    threads.run();
    // Worker 2 flips by the host's marker, while a frame of worker 1 is still on its way.
    void threads.tell(Pot, pots[0]).put(6, pots[1]);
    runSlices();
    threads.network.deliver(0, 1);
    runSlices();
    participants[0].flip(1, 0);
    threads.network.deliver(0, 2);
    threads.network.deliver(1, 2);
    threads.network.deliver(0, 1);
    void threads.tell(Pot, pots[1]).put(7);
    threads.run();
    expect([part(1, 1), part(2, 1)]).toEqual([
      { ...NOTHING, pots: [11] },
      { ...NOTHING, pots: [5], channels: [6] },
    ]);
  });

  test('C2: taken before the flip: in the state', () => {
    void threads.tell(Pot, pots[0]).put(5);
    threads.run();
    participants[0].flip(1, 0);
    threads.run();
    expect(part(1, 1)).toEqual({ ...NOTHING, pots: [5] });
  });
});

describe('C6: a part is done', () => {
  test('when every channel has brought the marker, and not before', () => {
    participants[0].flip(1, 0);
    threads.network.deliver(0, 1);
    runSlices();
    expect(part(1, 1)).toBeNull();
    threads.network.deliver(0, 2);
    threads.network.deliver(2, 1);
    runSlices();
    expect(part(1, 1)).toEqual(NOTHING);
    expect([part(0, 1), part(2, 1)]).toEqual([null, null]);
    threads.run();
    expect([part(0, 1), part(2, 1)]).toEqual([NOTHING, NOTHING]);
  });

  test('a marker of a newer cut drops the part of the older one', () => {
    void threads.tell(Pot, pots[0]).put(5);
    threads.run();
    participants[0].flip(1, 0);
    threads.network.deliver(0, 1);
    runSlices();
    void threads.tell(Pot, pots[0]).put(6);
    participants[0].flip(2, 0);
    threads.run();
    expect([part(0, 1), part(1, 1)]).toEqual([null, null]);
    expect([part(0, 2), part(1, 2), part(2, 2)]).toEqual([
      { ...NOTHING, outboxes: [6] },
      { ...NOTHING, pots: [5] },
      NOTHING,
    ]);
  });

  test('a marker of an older cut that comes late changes nothing', () => {
    participants[0].flip(1, 0);
    threads.network.deliver(0, 1);
    participants[0].flip(2, 0);
    // Worker 2 hears of the newer cut first, by the host, then of both by worker 1.
    threads.network.deliver(0, 2);
    threads.network.deliver(0, 2);
    threads.network.deliver(1, 2);
    threads.run();
    expect([part(1, 2), part(2, 2)]).toEqual([NOTHING, NOTHING]);
    expect([part(1, 1), part(2, 1)]).toEqual([null, null]);
  });
});

describe('an abandoned cut', () => {
  test('is dropped by a thread that is in it, and the next one is whole', () => {
    void threads.tell(Pot, pots[0]).put(5);
    threads.run();
    participants[0].flip(1, 0);
    threads.network.deliver(0, 1);
    for (const participant of participants) participant.abandon(1);
    threads.run();
    expect(said.filter(({ says }) => says.kind === 'done')).toEqual([]);
    participants[0].flip(2, 0);
    threads.run();
    expect([part(0, 2), part(1, 2), part(2, 2)]).toEqual([NOTHING, { ...NOTHING, pots: [5] }, NOTHING]);
  });

  test('is never entered by a thread that hears of its end before its marker', () => {
    participants[0].flip(1, 0);
    participants[1].abandon(1);
    threads.network.deliver(0, 1);
    expect([kinds(1, 0), kinds(1, 2)]).toEqual([[], []]);
    threads.run();
    expect(part(1, 1)).toBeNull();
  });

  test('does not end a newer one, however late the word comes', () => {
    participants[0].flip(1, 0);
    participants[0].flip(2, 0);
    threads.network.deliver(0, 1);
    threads.network.deliver(0, 1);
    participants[1].abandon(1);
    threads.run();
    expect(part(1, 2)).toEqual(NOTHING);
  });
});
