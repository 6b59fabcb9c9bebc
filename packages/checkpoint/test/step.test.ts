import { type GeneratorEffect, type GeneratorEvent, type GeneratorState, step } from '@tidemark/checkpoint/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const THREADS = 3;
const CUT = 5;
const NEXT = CUT + 1;
/** Of the newest record when the cut began, and of the one that it becomes. */
const BASE = 7;
const POSITION = 9;

type Phase = GeneratorState['phase'];
type Kind = GeneratorEvent['kind'];
interface Then {
  readonly state: GeneratorState;
  readonly effects: readonly GeneratorEffect[];
}

const ALL = new Set([0, 1, 2]);
const idle = (next: number, position = BASE): GeneratorState => ({ phase: 'idle', next, position });
const gathering = (cut: number, missing = ALL, again = false, position = BASE): GeneratorState => ({
  phase: 'gathering',
  cut,
  position,
  missing,
  again,
});
const publishing = (again = false): GeneratorState => ({ phase: 'publishing', cut: CUT, position: BASE, again });
const ENDED: GeneratorState = { phase: 'ended' };

const STATES: Readonly<Record<Phase, GeneratorState>> = {
  idle: idle(CUT),
  gathering: gathering(CUT),
  publishing: publishing(),
  ended: ENDED,
};

const EVENTS: Readonly<Record<Kind, GeneratorEvent>> = {
  due: { kind: 'due' },
  wanted: { kind: 'wanted' },
  'part-stored': { kind: 'part-stored', cut: CUT, thread: 1 },
  'part-failed': { kind: 'part-failed', cut: CUT },
  overdue: { kind: 'overdue', cut: CUT },
  published: { kind: 'published', cut: CUT, position: POSITION },
  'publish-failed': { kind: 'publish-failed', cut: CUT },
  fenced: { kind: 'fenced' },
  'store-lost': { kind: 'store-lost' },
  'worker-lost': { kind: 'worker-lost' },
};

const begins: GeneratorEffect = { kind: 'begin', cut: CUT, base: BASE };
const releases: GeneratorEffect = { kind: 'release', cut: CUT, position: POSITION };
const abandons = (why: 'part-failed' | 'overdue' | 'publish-failed'): GeneratorEffect => ({
  kind: 'abandon',
  cut: CUT,
  why,
});
const ends = (why: 'fenced' | 'store-lost' | 'worker-lost'): Then => ({ state: ENDED, effects: [{ kind: 'end', why }] });
const END = { fenced: ends('fenced'), 'store-lost': ends('store-lost'), 'worker-lost': ends('worker-lost') };

/** The table of SPEC.md; 'same' is its dash. */
const TABLE: Readonly<Record<Phase, Readonly<Record<Kind, Then | 'same'>>>> = {
  idle: {
    due: { state: gathering(CUT), effects: [begins] },
    wanted: { state: gathering(CUT), effects: [begins] },
    'part-stored': 'same',
    'part-failed': 'same',
    overdue: 'same',
    published: 'same',
    'publish-failed': 'same',
    ...END,
  },
  gathering: {
    due: 'same',
    wanted: { state: gathering(CUT, ALL, true), effects: [] },
    'part-stored': { state: gathering(CUT, new Set([0, 2])), effects: [] },
    'part-failed': { state: idle(NEXT), effects: [abandons('part-failed')] },
    overdue: { state: idle(NEXT), effects: [abandons('overdue')] },
    published: 'same',
    'publish-failed': 'same',
    ...END,
  },
  publishing: {
    due: 'same',
    wanted: { state: publishing(true), effects: [] },
    'part-stored': 'same',
    'part-failed': 'same',
    overdue: 'same',
    published: { state: idle(NEXT, POSITION), effects: [releases] },
    'publish-failed': { state: idle(NEXT), effects: [abandons('publish-failed')] },
    ...END,
  },
  ended: {
    due: 'same',
    wanted: 'same',
    'part-stored': 'same',
    'part-failed': 'same',
    overdue: 'same',
    published: 'same',
    'publish-failed': 'same',
    fenced: 'same',
    'store-lost': 'same',
    'worker-lost': 'same',
  },
};

const CELLS = (Object.keys(STATES) as Phase[]).flatMap((phase) =>
  (Object.keys(EVENTS) as Kind[]).map((kind) => ({ phase, kind, then: TABLE[phase][kind] })),
);

describe('the table of the generator', () => {
  it.each(CELLS)('$phase × $kind', ({ phase, kind, then }) => {
    const before = STATES[phase];
    const expected = then === 'same' ? { state: before, effects: [] } : then;
    expect(step(before, EVENTS[kind], THREADS)).toEqual(expected);
  });

  it.each(CELLS)('C10: $phase × $kind of another cut changes nothing', ({ phase, kind }) => {
    const event = EVENTS[kind];
    if (!('cut' in event)) return;
    for (const cut of [CUT - 1, NEXT]) {
      expect(step(STATES[phase], { ...event, cut }, THREADS)).toEqual({ state: STATES[phase], effects: [] });
    }
  });

  it('C8: the last missing part publishes, a part that is there already does not', () => {
    const last = gathering(CUT, new Set([1]), true);
    expect(step(last, { kind: 'part-stored', cut: CUT, thread: 2 }, THREADS).effects).toEqual([]);
    expect(step(last, { kind: 'part-stored', cut: CUT, thread: 1 }, THREADS)).toEqual({
      state: publishing(true),
      effects: [{ kind: 'publish', cut: CUT }],
    });
  });

  it('begins the cut that was asked for meanwhile as soon as the present one is over, well or not', () => {
    const published = step(publishing(true), EVENTS.published, THREADS);
    expect(published).toEqual({
      state: gathering(NEXT, ALL, false, POSITION),
      effects: [releases, { kind: 'begin', cut: NEXT, base: POSITION }],
    });
    const beginsNext = { kind: 'begin', cut: NEXT, base: BASE };
    for (const kind of ['part-failed', 'overdue'] as const) {
      expect(step(gathering(CUT, ALL, true), EVENTS[kind], THREADS)).toEqual({
        state: gathering(NEXT),
        effects: [abandons(kind), beginsNext],
      });
    }
    expect(step(publishing(true), EVENTS['publish-failed'], THREADS)).toEqual({
      state: gathering(NEXT),
      effects: [abandons('publish-failed'), beginsNext],
    });
  });
});

/** An event as a random test gives it: its cut is the present one, or so many away. */
const events = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom<Kind>('due', 'wanted') },
  { weight: 180, arbitrary: fc.constant<Kind>('part-stored') },
  { weight: 80, arbitrary: fc.constant<Kind>('published') },
  { weight: 40, arbitrary: fc.constantFrom<Kind>('part-failed', 'overdue', 'publish-failed') },
  { weight: 1, arbitrary: fc.constantFrom<Kind>('fenced', 'store-lost', 'worker-lost') },
);
const happenings = fc.record({
  kind: events,
  away: fc.constantFrom(0, 0, 0, 0, -1, 1),
  thread: fc.nat({ max: THREADS - 1 }),
});

describe('whatever happens, in any order', () => {
  it('C7–C10 hold, and no checkpoint that was asked for is forgotten', () => {
    let released = 0;
    let abandoned = 0;
    fc.assert(
      fc.property(fc.array(happenings, { maxLength: 80, size: 'max' }), (sequence) => {
        const witness = new Witness();
        let state: GeneratorState = idle(1, 0);
        for (const happening of sequence) {
          const event = eventOf(happening, 'cut' in state ? state.cut : 1);
          const next = step(state, event, THREADS);
          witness.saw(event, next.effects, next.state);
          state = next.state;
        }
        released += witness.released;
        abandoned += witness.abandoned;
      }),
      { numRuns: 1_000 },
    );
    expect(released).toBeGreaterThan(1_000);
    expect(abandoned).toBeGreaterThan(1_000);
  });
});

function eventOf(happening: { kind: Kind; away: number; thread: number }, present: number): GeneratorEvent {
  const event = EVENTS[happening.kind];
  if (!('cut' in event)) return event;
  const cut = present + happening.away;
  return event.kind === 'part-stored' ? { ...event, cut, thread: happening.thread } : { ...event, cut };
}

/** Keeps its own account of what happened, from the effects only. */
class Witness {
  released = 0;
  abandoned = 0;
  #open: number | null = null;
  #newest = 0;
  #stored = new Set<number>();
  #putting = false;
  #published = false;
  #owed = false;
  #over = false;

  saw(event: GeneratorEvent, effects: readonly GeneratorEffect[], state: GeneratorState): void {
    if (this.#over) expect(effects).toEqual([]);
    if (event.kind === 'wanted') this.#owed = true;
    if (event.kind === 'part-stored' && event.cut === this.#open) this.#stored.add(event.thread);
    if (event.kind === 'published' && event.cut === this.#open) this.#published = this.#putting;
    for (const effect of effects) this.#did(effect);
    // Somebody waits, and nothing is under way that could answer: it would be forgotten.
    if (this.#owed && state.phase === 'idle') throw new Error('a checkpoint that was asked for is forgotten');
  }

  #did(effect: GeneratorEffect): void {
    switch (effect.kind) {
      case 'begin':
        expect(this.#open).toBeNull();
        expect(effect.cut).toBeGreaterThan(this.#newest);
        this.#newest = this.#open = effect.cut;
        this.#stored = new Set();
        this.#putting = this.#published = this.#owed = false;
        return;
      case 'publish':
        expect(effect.cut).toBe(this.#open);
        expect(this.#putting).toBe(false);
        expect(this.#stored.size).toBe(THREADS);
        this.#putting = true;
        return;
      case 'release':
        expect(effect.cut).toBe(this.#open);
        expect(this.#published).toBe(true);
        this.released++;
        this.#open = null;
        return;
      case 'abandon':
        expect(effect.cut).toBe(this.#open);
        this.abandoned++;
        this.#open = null;
        return;
      case 'end':
        this.#over = true;
        this.#open = null;
        return;
    }
  }
}
