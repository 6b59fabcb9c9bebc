import { CutState, Mailbox } from '@tidemark/actors/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** A mailbox of numbers and what its captures gave, by cut. */
class Owned {
  readonly cut = new CutState();
  readonly mailbox = new Mailbox<number>(this);
  readonly captured: number[] = [];
  captureMail(message: number): void {
    this.captured.push(message);
  }
}

describe('a mailbox', () => {
  test('gives messages in the order in which they came', () => {
    const { mailbox } = new Owned();
    for (const message of [1, 2, 3]) mailbox.append(message);
    expect([mailbox.take(), mailbox.take(), mailbox.length, mailbox.take(), mailbox.take()]).toEqual([
      1,
      2,
      1,
      3,
      undefined,
    ]);
  });

  test('A1: its content at the cut is what lay in it at the flip, whatever comes later', () => {
    const owned = new Owned();
    owned.mailbox.append(1);
    owned.mailbox.append(2);
    owned.cut.cut = 1;
    owned.mailbox.append(3);
    drain(owned.mailbox.capture());
    expect(owned.captured).toEqual([1, 2]);
  });

  test('A2: a message from before the mark is captured before it is handed out', () => {
    const owned = new Owned();
    owned.mailbox.append(1);
    owned.cut.cut = 1;
    owned.mailbox.append(2);
    expect(owned.captured).toEqual([]);
    owned.mailbox.take();
    expect(owned.captured).toEqual([1]);
    owned.mailbox.take();
    expect(owned.captured).toEqual([1]);
  });

  test('captures nothing without a cut', () => {
    const owned = new Owned();
    for (let i = 0; i < 10; i++) owned.mailbox.append(i);
    while (owned.mailbox.take() !== undefined);
    drain(owned.mailbox.capture());
    expect(owned.captured).toEqual([]);
  });
});

type Step =
  | { readonly kind: 'append' | 'take'; readonly count: number }
  | { readonly kind: 'flip' }
  | { readonly kind: 'capture'; readonly units: number };

const count = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(700, 1024, 1025));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count }),
  fc.record({ kind: fc.constant('take' as const), count }),
  fc.constant({ kind: 'flip' as const }),
  fc.record({ kind: fc.constant('capture' as const), units: fc.integer({ min: 1, max: 4 }) }),
);

test('A1, A2: any interleaving captures exactly the content at the flip, in order, once, and before it is handed out', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const owned = new Owned();
      const { mailbox, cut, captured } = owned;
      let next = 0;
      let model: number[] = [];
      let atFlip: number[] = [];
      let rest = mailbox.capture();
      for (const { kind, ...how } of [...steps, { kind: 'capture' as const, units: 10_000 }]) {
        if (kind === 'flip') {
          // A newer cut drops the older one, whatever that had captured.
          cut.cut++;
          captured.length = 0;
          atFlip = [...model];
          rest = mailbox.capture();
        } else if (kind === 'capture') {
          for (let i = 0; i < (how as { units: number }).units; i++) rest.next();
        } else {
          for (let i = 0; i < (how as { count: number }).count; i++) {
            if (kind === 'append') {
              mailbox.append(next);
              model.push(next++);
              continue;
            }
            const taken = mailbox.take();
            expect(taken).toBe(model[0]);
            model = model.slice(1);
            if (taken !== undefined && atFlip.includes(taken)) expect(captured).toContain(taken);
          }
        }
        expect(mailbox.length).toBe(model.length);
        expect(captured).toEqual(atFlip.slice(0, captured.length));
      }
      expect(captured).toEqual(atFlip);
    }),
    { numRuns: 200 },
  );
});

function drain(steps: Generator<void, void, void>): void {
  while (steps.next().done !== true);
}
