import { type GeneratorEffect, type GeneratorEvent, type GeneratorState, step } from '@tidemark/checkpoint/internal';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const THREADS = 3;
/** The present cut is 5, the newest published one is 4. */
const idle: GeneratorState = { phase: 'idle', next: 5, published: 4 };
const gathering: GeneratorState = { phase: 'gathering', cut: 5, published: 4, missing: new Set([0, 2]), again: false };
const lastPart: GeneratorState = { ...gathering, missing: new Set([2]) };
const publishing: GeneratorState = { phase: 'publishing', cut: 5, published: 4, again: false };
const settling: GeneratorState = { phase: 'settling', cut: 5, published: 4, again: false };
const halted: GeneratorState = { phase: 'halted', next: 5, published: 4, again: false };
const ended: GeneratorState = { phase: 'ended' };

const all = new Set([0, 1, 2]);
const begun = (cut: number, base: number): GeneratorState => ({
  phase: 'gathering',
  cut,
  published: base,
  missing: all,
  again: false,
});
const begin = (cut: number, base: number): GeneratorEffect => ({ kind: 'begin', cut, published: base });
const abandon = (why: 'part-failed' | 'overdue' | 'publish-failed' | 'generation-over'): GeneratorEffect => ({
  kind: 'abandon',
  cut: 5,
  why,
});
const end = (why: 'fenced' | 'store-lost' | 'worker-lost'): GeneratorEffect => ({ kind: 'end', why });
const settled: GeneratorEffect = { kind: 'settled' };
const release: GeneratorEffect = { kind: 'release', cut: 5, position: 41 };

const due: GeneratorEvent = { kind: 'due' };
const wanted: GeneratorEvent = { kind: 'wanted' };
const stored = (cut: number, thread: number): GeneratorEvent => ({ kind: 'part-stored', cut, thread });
const partFailed: GeneratorEvent = { kind: 'part-failed', cut: 5 };
const overdue: GeneratorEvent = { kind: 'overdue', cut: 5 };
const published: GeneratorEvent = { kind: 'published', cut: 5, position: 41 };
const publishFailed: GeneratorEvent = { kind: 'publish-failed', cut: 5 };
const fenced: GeneratorEvent = { kind: 'fenced' };
const storeLost: GeneratorEvent = { kind: 'store-lost' };
const workerLost: GeneratorEvent = { kind: 'worker-lost' };
const generationOver: GeneratorEvent = { kind: 'generation-over' };
const generationBegan: GeneratorEvent = { kind: 'generation-began' };

/** Every cell of the table in SPEC.md; `again` has rows of its own. */
const CELLS: readonly (readonly [GeneratorState, GeneratorEvent, GeneratorState, readonly GeneratorEffect[]])[] = [
  [idle, due, begun(5, 4), [begin(5, 4)]],
  [idle, wanted, begun(5, 4), [begin(5, 4)]],
  [idle, stored(5, 0), idle, []],
  [idle, partFailed, idle, []],
  [idle, overdue, idle, []],
  [idle, published, idle, []],
  [idle, publishFailed, idle, []],
  [idle, fenced, ended, [end('fenced')]],
  [idle, storeLost, ended, [end('store-lost')]],
  [idle, workerLost, ended, [end('worker-lost')]],
  [idle, generationOver, halted, [settled]],
  [idle, generationBegan, idle, []],

  [gathering, due, gathering, []],
  [gathering, wanted, { ...gathering, again: true }, []],
  [gathering, stored(5, 0), { ...gathering, missing: new Set([2]) }, []],
  [gathering, stored(5, 1), gathering, []],
  [lastPart, stored(5, 2), publishing, [{ kind: 'publish', cut: 5 }]],
  [gathering, partFailed, { phase: 'idle', next: 6, published: 4 }, [abandon('part-failed')]],
  [gathering, overdue, { phase: 'idle', next: 6, published: 4 }, [abandon('overdue')]],
  [gathering, published, gathering, []],
  [gathering, publishFailed, gathering, []],
  [gathering, fenced, ended, [end('fenced')]],
  [gathering, storeLost, ended, [end('store-lost')]],
  [gathering, workerLost, ended, [end('worker-lost')]],
  [gathering, generationOver, { ...halted, next: 6 }, [abandon('generation-over'), settled]],
  [gathering, generationBegan, gathering, []],

  [publishing, due, publishing, []],
  [publishing, wanted, { ...publishing, again: true }, []],
  [publishing, stored(5, 0), publishing, []],
  [publishing, partFailed, publishing, []],
  [publishing, overdue, publishing, []],
  [publishing, published, { phase: 'idle', next: 6, published: 5 }, [release]],
  [publishing, publishFailed, { phase: 'idle', next: 6, published: 4 }, [abandon('publish-failed')]],
  [publishing, fenced, ended, [end('fenced')]],
  [publishing, storeLost, ended, [end('store-lost')]],
  [publishing, workerLost, ended, [end('worker-lost')]],
  [publishing, generationOver, settling, []],
  [publishing, generationBegan, publishing, []],

  [settling, due, settling, []],
  [settling, wanted, { ...settling, again: true }, []],
  [settling, stored(5, 0), settling, []],
  [settling, partFailed, settling, []],
  [settling, overdue, settling, []],
  [settling, published, { ...halted, next: 6, published: 5 }, [release, settled]],
  [settling, publishFailed, { ...halted, next: 6 }, [abandon('publish-failed'), settled]],
  [settling, fenced, ended, [end('fenced')]],
  [settling, storeLost, ended, [end('store-lost')]],
  [settling, workerLost, ended, [end('worker-lost')]],
  [settling, generationOver, settling, []],
  [settling, generationBegan, settling, []],

  [halted, due, halted, []],
  [halted, wanted, { ...halted, again: true }, []],
  [halted, stored(5, 0), halted, []],
  [halted, partFailed, halted, []],
  [halted, overdue, halted, []],
  [halted, published, halted, []],
  [halted, publishFailed, halted, []],
  [halted, fenced, ended, [end('fenced')]],
  [halted, storeLost, ended, [end('store-lost')]],
  [halted, workerLost, ended, [end('worker-lost')]],
  [halted, generationOver, halted, [settled]],
  [halted, generationBegan, idle, []],

  ...[
    due,
    wanted,
    stored(5, 0),
    partFailed,
    overdue,
    published,
    publishFailed,
    fenced,
    storeLost,
    workerLost,
    generationOver,
    generationBegan,
  ].map((event) => [ended, event, ended, []] as const),
];

/** Somebody asked while a cut was under way: the next one begins as soon as that one is over, well or not. */
const AGAIN: typeof CELLS = [
  [{ ...gathering, again: true }, partFailed, begun(6, 4), [abandon('part-failed'), begin(6, 4)]],
  [{ ...gathering, again: true }, overdue, begun(6, 4), [abandon('overdue'), begin(6, 4)]],
  [{ ...lastPart, again: true }, stored(5, 2), { ...publishing, again: true }, [{ kind: 'publish', cut: 5 }]],
  [{ ...publishing, again: true }, published, begun(6, 5), [release, begin(6, 5)]],
  [{ ...publishing, again: true }, publishFailed, begun(6, 4), [abandon('publish-failed'), begin(6, 4)]],
  [{ ...publishing, again: true }, fenced, ended, [end('fenced')]],
  [{ ...settling, again: true }, published, { ...halted, next: 6, published: 5, again: true }, [release, settled]],
  [{ ...halted, again: true }, generationBegan, begun(5, 4), [begin(5, 4)]],
  // Whoever asked before what ran was over wants what is undone.
  [{ ...gathering, again: true }, generationOver, { ...halted, next: 6 }, [abandon('generation-over'), settled]],
];

describe('the table', () => {
  test.each([...CELLS, ...AGAIN])('%j with %j', (state, event, next, effects) => {
    expect(step(state, event, THREADS)).toEqual({ state: next, effects });
  });

  test('is complete: a row for each pair of phase and event', () => {
    const pairs = new Set(CELLS.map(([state, event]) => `${state.phase} ${event.kind}`));
    expect(pairs.size).toBe(6 * 12);
  });

  test.each([gathering, lastPart, publishing, settling])(
    'C10: an event about another cut changes nothing in %j',
    (state) => {
      for (const cut of [4, 6]) {
        for (const event of [
          stored(cut, 2),
          { ...partFailed, cut },
          { ...overdue, cut },
          { ...published, cut },
          { ...publishFailed, cut },
        ]) {
          expect(step(state, event, THREADS)).toEqual({ state, effects: [] });
        }
      }
    },
  );
});

const cutNumber = fc.integer({ min: 1, max: 12 });
const anyEvent: fc.Arbitrary<GeneratorEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(due, wanted) },
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('part-stored' as const), cut: cutNumber, thread: fc.nat(THREADS - 1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('part-failed' as const, 'overdue' as const, 'publish-failed' as const),
      cut: cutNumber,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('published' as const), cut: cutNumber, position: fc.nat(1_000) }),
  },
  { weight: 1, arbitrary: fc.constantFrom(fenced, storeLost, workerLost) },
  { weight: 2, arbitrary: fc.constantFrom(generationOver, generationBegan) },
);
/** Events that fit the state, among others that do not: a run gets somewhere. */
const chosen = fc.tuple(anyEvent, fc.integer({ min: 0, max: 9 }), fc.nat(THREADS - 1), fc.integer({ min: 0, max: 9 }));

test('C7–C10 and R1 hold for any run of events', () => {
  const seen = { release: 0, abandon: 0, settled: 0, end: 0 };
  fc.assert(
    fc.property(fc.array(chosen, { maxLength: 120 }), (events) => {
      let state: GeneratorState = { phase: 'idle', next: 1, published: 0 };
      let open: number | null = null;
      let newest = 0;
      let parts = new Set<number>();
      let isPublishing = false;
      let isOver = false;
      for (const [event, fits, thread, chance] of events) {
        const given: GeneratorEvent = fits > 2 ? fitting(state, event, thread, chance) : event;
        if (given.kind === 'part-stored' && given.cut === open && !isPublishing) parts.add(given.thread);
        const next = step(state, given, THREADS);
        state = next.state;
        for (const effect of next.effects) {
          expect(isOver).toBe(false);
          switch (effect.kind) {
            case 'begin':
              // C7
              expect(open).toBeNull();
              expect(effect.cut).toBeGreaterThan(newest);
              open = newest = effect.cut;
              parts = new Set();
              isPublishing = false;
              break;
            case 'publish':
              // C8
              expect([effect.cut, parts.size, isPublishing]).toEqual([open, THREADS, false]);
              isPublishing = true;
              break;
            case 'release':
              // C9, C10
              expect([effect.cut, isPublishing, given]).toEqual([
                open,
                true,
                { kind: 'published', cut: open, position: effect.position },
              ]);
              open = null;
              seen.release++;
              break;
            case 'abandon':
              expect(effect.cut).toBe(open);
              open = null;
              seen.abandon++;
              break;
            case 'settled':
              // R1
              expect(open).toBeNull();
              seen.settled++;
              break;
            case 'end':
              isOver = true;
              seen.end++;
              break;
          }
        }
      }
    }),
    { numRuns: 500 },
  );
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(10);
});

function fitting(state: GeneratorState, otherwise: GeneratorEvent, thread: number, chance: number): GeneratorEvent {
  if (state.phase === 'idle') return due;
  if (state.phase === 'gathering')
    return chance === 0 ? { kind: 'overdue', cut: state.cut } : stored(state.cut, thread);
  if (state.phase === 'halted') return generationBegan;
  if ((state.phase === 'publishing' || state.phase === 'settling') && chance > 0) {
    return chance === 1
      ? { kind: 'publish-failed', cut: state.cut }
      : { kind: 'published', cut: state.cut, position: state.cut + 100 };
  }
  return otherwise;
}
