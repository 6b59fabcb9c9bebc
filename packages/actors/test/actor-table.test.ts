import { actor, type AnyActor } from '@tidemark/actors';
import { ActorTable, CutState, type Envelope } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

const Loop: AnyActor = actor('table-loop', {
  state: () => ({ turns: 0 }),
  on: {
    /** Sends as many messages as the numbers say, to itself and to others. */
    pass(ctx, sends: readonly { readonly to: string; readonly left: number }[]): void {
      ctx.state.turns++;
      for (const { to, left } of sends) {
        ctx.tell(ctx.ref(Loop, to)).pass(left > 0 ? [{ to, left: left - 1 }] : []);
      }
    },
  },
});

const envelope = (key: string, sends: unknown): Envelope => ({
  type: Loop.name,
  key,
  handler: 'pass',
  args: [sends],
  reply: null,
});

test('there is a turn for each message, and no other: also of actors that tell themselves', () => {
  const sends = fc.array(fc.record({ to: fc.constantFrom('a', 'b'), left: fc.nat(20) }), { maxLength: 3 });
  const property = fc.property(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), sends), { maxLength: 10 }),
    (first) => {
      let messages = 0;
      const table: ActorTable = new ActorTable({
        cut: new CutState(),
        send: (sent) => {
          messages++;
          table.deliver(sent);
        },
        answer: () => undefined,
        log: () => undefined,
        abort: () => undefined,
        monotonic: () => 0,
        now: () => 0,
        random: () => 0,
        nextId: () => '',
      });
      for (const [key, told] of first) {
        messages++;
        table.deliver(envelope(key, told));
      }
      let turns = 0;
      while (table.ready) {
        const inARow = table.turn();
        // One that is ready has mail.
        expect(inARow).toBeGreaterThan(0);
        turns += inARow;
      }
      expect(turns).toBe(messages);
      expect(table.waiting).toBe(0);
    },
  );
  fc.assert(property, { numRuns: 200 });
});
