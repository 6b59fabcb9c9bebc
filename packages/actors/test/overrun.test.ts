import { actor, ActorError } from '@tidemark/actors';
import { limits } from '@tidemark/actors/internal';
import { describe, expect, test } from 'vitest';
import { Threads } from './support/threads.ts';

/** Each message begets two, to one of few keys: the smaller the key, the more. */
const Rabbit = actor('overrun.rabbit', {
  state: () => ({ heard: 0 }),
  on: {
    breed(ctx, ballast: string) {
      const { heard } = ctx.state;
      ctx.state.heard++;
      for (const key of [0, heard % 2, heard % 5]) ctx.tell(ctx.ref(Rabbit, String(key))).breed(ballast);
    },
  },
});

/** What a program ends with whose work begets work without end. */
function overrunOf(ballast: string, overrunBytes: number, workers = 1): ActorError {
  const threads = new Threads(workers, 1, [], { overrunBytes, slice: { ms: 0, turns: 16 } }).go();
  void threads.tell(Rabbit, '0').breed(ballast);
  for (let round = 0; round < 20_000 && threads.failures.length === 0; round++) {
    threads.clock.runSoon();
    for (const { from, to } of threads.network.loaded) threads.network.deliver(from, to);
  }
  return threads.failures[0] as ActorError;
}

const SAYS =
  /^what waits in one thread takes about (\d+) MB, (\d+) messages of it in mailboxes; fullest: (.*)\. Some handler sends more than is taken, without end\.$/;

describe('work that begets work without end', () => {
  test('ends the program with OVERRUN, naming the fullest actors', () => {
    const error = overrunOf('', 2_000_000);
    expect(error).toMatchObject({ code: 'OVERRUN' });
    const [, megabytes, messages, fullest] = SAYS.exec(error.message)!;
    // A slice may take it a little further.
    expect(Number(megabytes)).toBeGreaterThanOrEqual(2);
    expect(Number(messages)).toBeGreaterThan(2_000_000 / (limits.MESSAGE_BYTES_GUESS + limits.MESSAGE_BYTES_HELD));
    expect(fullest).toMatch(/^overrun\.rabbit\/0 \(\d+\), overrun\.rabbit\/\d \(\d+\), overrun\.rabbit\/\d \(\d+\)$/);
    const counts = [...fullest.matchAll(/\((\d+)\)/g)].map(([, count]) => Number(count));
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });

  test('counts large messages by their size', () => {
    const error = overrunOf('x'.repeat(20_000), 2_000_000);
    const [, , messages] = SAYS.exec(error.message)!;
    expect(Number(messages)).toBeLessThan(1_000);
  });

  test('is found also where it goes from thread to thread', () => {
    expect(overrunOf('', 2_000_000, 3)).toMatchObject({ code: 'OVERRUN' });
  });
});
