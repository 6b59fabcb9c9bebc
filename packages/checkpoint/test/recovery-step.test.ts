import {
  limits,
  type RecoveryEffect,
  type RecoveryEvent,
  recoveryStep,
  type RecoveryState,
} from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const WORKERS = 3;
/** Generation 4 runs, or has run, and it has gone back twice without a new checkpoint. */
const starting: RecoveryState = { phase: 'starting' };
const running: RecoveryState = { phase: 'running', generation: 4, rollbacks: 2 };
const settling: RecoveryState = {
  phase: 'settling',
  generation: 4,
  rollbacks: 2,
  missing: new Set([1, 2]),
  open: true,
};
const waiting: RecoveryState = { phase: 'waiting', generation: 4, rollbacks: 2 };
const restoring: RecoveryState = { phase: 'restoring', generation: 4, rollbacks: 2 };
const ended: RecoveryState = { phase: 'ended' };

const ready: RecoveryEvent = { kind: 'ready' };
const hurt: RecoveryEvent = { kind: 'hurt' };
const lost = (thread: number): RecoveryEvent => ({ kind: 'lost', thread });
const halted = (thread: number): RecoveryEvent => ({ kind: 'halted', thread });
const silent: RecoveryEvent = { kind: 'silent' };
const settled: RecoveryEvent = { kind: 'settled' };
const due: RecoveryEvent = { kind: 'due' };
const published: RecoveryEvent = { kind: 'published' };
const over: RecoveryEvent = { kind: 'over' };

const halt: RecoveryEffect = { kind: 'halt', generation: 4 };
const wait: RecoveryEffect = { kind: 'wait', rollbacks: 2 };
const end = (why: 'spent' | 'failed'): RecoveryEffect => ({ kind: 'end', why });
const back = (...missing: number[]): RecoveryState => ({ ...settling, missing: new Set(missing) });

type Row = readonly [RecoveryState, RecoveryEvent, RecoveryState, readonly RecoveryEffect[]];
const staying = (state: RecoveryState, ...events: RecoveryEvent[]): Row[] =>
  events.map((event): Row => [state, event, state, []]);

/** Every cell of the table in SPEC.md. */
const CELLS: readonly Row[] = [
  [starting, ready, { phase: 'running', generation: 1, rollbacks: 0 }, [{ kind: 'go', generation: 1 }]],
  [starting, hurt, ended, [end('failed')]],
  [starting, lost(1), ended, [end('failed')]],
  ...staying(starting, halted(1), silent, settled, due, published),
  [starting, over, ended, []],

  [running, hurt, back(1, 2, 3), [halt]],
  [running, lost(2), back(1, 3), [halt]],
  [running, published, { ...running, rollbacks: 0 }, []],
  ...staying(running, ready, halted(1), silent, settled, due),
  [running, over, ended, []],

  [settling, lost(1), back(2), []],
  [settling, halted(2), back(1), []],
  [settling, silent, back(), [{ kind: 'end-threads', threads: new Set([1, 2]) }]],
  [settling, settled, { ...settling, open: false }, []],
  [settling, published, { ...settling, rollbacks: 0 }, []],
  ...staying(settling, ready, hurt, due),
  [settling, over, ended, []],

  [waiting, due, { phase: 'restoring', generation: 5, rollbacks: 3 }, [{ kind: 'restore', generation: 5 }]],
  ...staying(waiting, ready, hurt, lost(1), halted(1), silent, settled, published),
  [waiting, over, ended, []],

  [restoring, ready, running, [{ kind: 'go', generation: 4 }]],
  [restoring, hurt, back(1, 2, 3), [halt]],
  [restoring, lost(3), back(1, 2), [halt]],
  ...staying(restoring, halted(1), silent, settled, due, published),
  [restoring, over, ended, []],

  ...staying(ended, ready, hurt, lost(1), halted(1), silent, settled, due, published, over),
];

/** What ends the settling, and the budget (R4). */
const MORE: readonly Row[] = [
  [{ ...settling, missing: new Set([1]), open: false }, halted(1), waiting, [wait]],
  [{ ...settling, missing: new Set<number>() }, settled, waiting, [wait]],
  [{ ...settling, open: false }, silent, waiting, [{ kind: 'end-threads', threads: new Set([1, 2]) }, wait]],
  [{ ...running, rollbacks: limits.ROLLBACKS_MAX }, hurt, ended, [end('spent')]],
  [{ ...restoring, rollbacks: limits.ROLLBACKS_MAX }, lost(1), ended, [end('spent')]],
];

describe('the table', () => {
  test.each([...CELLS, ...MORE])('%j with %j', (state, event, next, effects) => {
    expect(recoveryStep(state, event, WORKERS)).toEqual({ state: next, effects });
  });

  test('is complete: a row for each pair of phase and event', () => {
    const pairs = new Set(CELLS.map(([state, event]) => `${state.phase} ${event.kind}`));
    expect(pairs.size).toBe(6 * 9);
  });
});

test('R1, R2, R4 hold for any run of events', () => {
  const thread = fc.integer({ min: 1, max: WORKERS });
  const event = fc.oneof(
    fc.constantFrom(ready, hurt, silent, settled, due, published),
    thread.map(lost),
    thread.map(halted),
  );
  const seen = { restore: 0, go: 0, spent: 0 };
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(9)), { maxLength: 400, size: 'max' }), (events) => {
      let state: RecoveryState = starting;
      let generation = 0;
      let tries = 0;
      let mayRun = new Set<number>();
      let isOpen = false;
      for (const [drawn, fits] of events) {
        // Events that fit the state, among others that do not: a run gets somewhere.
        const given = fits > 1 ? fitting(state, drawn) : drawn;
        if (given.kind === 'lost' || given.kind === 'halted') mayRun.delete(given.thread);
        if (given.kind === 'settled') isOpen = false;
        if (given.kind === 'published') tries = 0;
        const before = state.phase;
        const next = recoveryStep(state, given, WORKERS);
        state = next.state;
        for (const effect of next.effects) {
          if (effect.kind === 'halt') {
            isOpen = true;
            mayRun = new Set([1, 2, 3]);
            if (given.kind === 'lost') mayRun.delete(given.thread);
          }
          if (effect.kind === 'end-threads') for (const each of effect.threads) mayRun.delete(each);
          // Before the next is connected nothing runs anywhere, and no put is open.
          if (effect.kind === 'wait') expect([mayRun.size, isOpen, before]).toEqual([0, false, 'settling']);
          if (effect.kind === 'restore') {
            expect(effect.generation).toBe(generation + 1);
            expect(++tries).toBeLessThanOrEqual(limits.ROLLBACKS_MAX);
            generation = effect.generation;
            seen.restore++;
          }
          if (effect.kind === 'go') {
            generation = effect.generation;
            seen.go++;
          }
          if (effect.kind === 'end' && effect.why === 'spent') seen.spent++;
        }
      }
    }),
    { numRuns: 1_000 },
  );
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(3);
});

function fitting(state: RecoveryState, otherwise: RecoveryEvent): RecoveryEvent {
  switch (state.phase) {
    case 'starting':
    case 'restoring':
      return ready;
    case 'running':
      return hurt;
    case 'settling': {
      const [thread] = state.missing;
      return thread === undefined ? settled : halted(thread);
    }
    case 'waiting':
      return due;
    case 'ended':
      return otherwise;
  }
}
