/**
 * The decisions of the checkpoint generator: a pure function of state and event. No clock, no store, no thread.
 *
 * The table is the one of SPEC.md; a missing cell does not compile. Invariants: C7–C10, R1.
 */

/** `published` is the newest cut of this term that was published; 0 for none. Threads build their parts on it (C22). */
export type GeneratorState =
  | { readonly phase: 'idle'; readonly next: number; readonly published: number }
  | {
      readonly phase: 'gathering';
      readonly cut: number;
      readonly published: number;
      readonly missing: ReadonlySet<number>;
      readonly again: boolean;
    }
  | { readonly phase: 'publishing'; readonly cut: number; readonly published: number; readonly again: boolean }
  /** The generation is over, and the record of its last cut is under way: what becomes of it counts (R1). */
  | { readonly phase: 'settling'; readonly cut: number; readonly published: number; readonly again: boolean }
  /** Between two generations. */
  | { readonly phase: 'halted'; readonly next: number; readonly published: number; readonly again: boolean }
  | { readonly phase: 'ended' };

export type GeneratorEvent =
  /** The schedule says that it is time. Ignored while a cut is under way. */
  | { readonly kind: 'due' }
  /** Somebody asked for a checkpoint of everything up to now: never ignored. */
  | { readonly kind: 'wanted' }
  | { readonly kind: 'part-stored'; readonly cut: number; readonly thread: number }
  | { readonly kind: 'part-failed'; readonly cut: number }
  | { readonly kind: 'overdue'; readonly cut: number }
  | { readonly kind: 'published'; readonly cut: number; readonly position: number }
  | { readonly kind: 'publish-failed'; readonly cut: number }
  | { readonly kind: 'fenced' }
  /** Whether a record is there cannot be found out, or the store refuses for good: only a new start can help. */
  | { readonly kind: 'store-lost' }
  | { readonly kind: 'worker-lost' }
  /** What runs is over, and the system goes back to the newest checkpoint. */
  | { readonly kind: 'generation-over' }
  /** The next generation runs. */
  | { readonly kind: 'generation-began' }
  /** More attempts in a row came to nothing than are tolerated. */
  | { readonly kind: 'failing' };

type Why = 'fenced' | 'store-lost' | 'failing' | 'worker-lost';

export type GeneratorEffect =
  | { readonly kind: 'begin'; readonly cut: number; readonly published: number }
  | { readonly kind: 'publish'; readonly cut: number }
  | { readonly kind: 'release'; readonly cut: number; readonly position: number }
  | { readonly kind: 'abandon'; readonly cut: number; readonly why: WhyAbandoned }
  /** No record is under way any more: the newest published one is the one to go back to. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'end'; readonly why: Why };

type WhyAbandoned = 'part-failed' | 'overdue' | 'publish-failed' | 'generation-over';

export interface Step {
  readonly state: GeneratorState;
  readonly effects: readonly GeneratorEffect[];
}

type Phase = GeneratorState['phase'];
type Kind = GeneratorEvent['kind'];
type StateOf<P extends Phase> = Extract<GeneratorState, { readonly phase: P }>;
type EventOf<K extends Kind> = Extract<GeneratorEvent, { readonly kind: K }>;
type Table = {
  readonly [P in Phase]: { readonly [K in Kind]: (state: StateOf<P>, event: EventOf<K>, threads: number) => Step };
};

const stay = (state: GeneratorState): Step => ({ state, effects: [] });
const end = (why: Why): Step => ({ state: { phase: 'ended' }, effects: [{ kind: 'end', why }] });

/** Begins the next cut: all threads owe a part. */
function begin(cut: number, published: number, threads: number): Step {
  const missing = new Set(Array.from({ length: threads }, (_, thread) => thread));
  return {
    state: { phase: 'gathering', cut, published, missing, again: false },
    effects: [{ kind: 'begin', cut, published }],
  };
}

/** The cut is over, well or not: idle, or at once the next one that somebody waits for. */
function over(cut: number, published: number, again: boolean, threads: number, effect: GeneratorEffect): Step {
  if (!again) return { state: { phase: 'idle', next: cut + 1, published }, effects: [effect] };
  const next = begin(cut + 1, published, threads);
  return { state: next.state, effects: [effect, ...next.effects] };
}

/** Between two generations, with what is to be done before. */
function halt(next: number, published: number, again: boolean, effects: readonly GeneratorEffect[] = []): Step {
  return { state: { phase: 'halted', next, published, again }, effects: [...effects, { kind: 'settled' }] };
}

const TABLE: Table = {
  idle: {
    due: (state, _, threads) => begin(state.next, state.published, threads),
    wanted: (state, _, threads) => begin(state.next, state.published, threads),
    'part-stored': stay,
    'part-failed': stay,
    overdue: stay,
    published: stay,
    'publish-failed': stay,
    fenced: () => end('fenced'),
    'store-lost': () => end('store-lost'),
    failing: () => end('failing'),
    'worker-lost': () => end('worker-lost'),
    'generation-over': (state) => halt(state.next, state.published, false),
    'generation-began': stay,
  },
  gathering: {
    due: stay,
    wanted: (state) => stay({ ...state, again: true }),
    'part-stored': (state, event) => {
      if (event.cut !== state.cut) return stay(state);
      const missing = new Set(state.missing);
      missing.delete(event.thread);
      if (missing.size > 0) return stay({ ...state, missing });
      const { cut, published, again } = state;
      return { state: { phase: 'publishing', cut, published, again }, effects: [{ kind: 'publish', cut }] };
    },
    'part-failed': (state, event, threads) => abandon(state, event.cut, 'part-failed', threads),
    overdue: (state, event, threads) => abandon(state, event.cut, 'overdue', threads),
    published: stay,
    'publish-failed': stay,
    fenced: () => end('fenced'),
    'store-lost': () => end('store-lost'),
    failing: () => end('failing'),
    'worker-lost': () => end('worker-lost'),
    'generation-over': ({ cut, published }) =>
      halt(cut + 1, published, false, [{ kind: 'abandon', cut, why: 'generation-over' }]),
    'generation-began': stay,
  },
  publishing: {
    due: stay,
    wanted: (state) => stay({ ...state, again: true }),
    'part-stored': stay,
    'part-failed': stay,
    // The record may be there already: only its own answer decides.
    overdue: stay,
    published: (state, event, threads) => {
      if (event.cut !== state.cut) return stay(state);
      const release: GeneratorEffect = { kind: 'release', cut: event.cut, position: event.position };
      return over(state.cut, event.cut, state.again, threads, release);
    },
    'publish-failed': (state, event, threads) => abandon(state, event.cut, 'publish-failed', threads),
    fenced: () => end('fenced'),
    'store-lost': () => end('store-lost'),
    failing: () => end('failing'),
    'worker-lost': () => end('worker-lost'),
    'generation-over': ({ cut, published }) => stay({ phase: 'settling', cut, published, again: false }),
    'generation-began': stay,
  },
  settling: {
    due: stay,
    wanted: (state) => stay({ ...state, again: true }),
    'part-stored': stay,
    'part-failed': stay,
    overdue: stay,
    published: (state, event) => {
      const { cut, position } = event;
      if (cut !== state.cut) return stay(state);
      return halt(cut + 1, cut, state.again, [{ kind: 'release', cut, position }]);
    },
    'publish-failed': (state, { cut }) => {
      if (cut !== state.cut) return stay(state);
      return halt(cut + 1, state.published, state.again, [{ kind: 'abandon', cut, why: 'publish-failed' }]);
    },
    fenced: () => end('fenced'),
    'store-lost': () => end('store-lost'),
    failing: () => end('failing'),
    'worker-lost': () => end('worker-lost'),
    'generation-over': stay,
    'generation-began': stay,
  },
  halted: {
    due: stay,
    wanted: (state) => stay({ ...state, again: true }),
    'part-stored': stay,
    'part-failed': stay,
    overdue: stay,
    published: stay,
    'publish-failed': stay,
    fenced: () => end('fenced'),
    'store-lost': () => end('store-lost'),
    failing: () => end('failing'),
    'worker-lost': () => end('worker-lost'),
    // The one that was to begin has not come to run.
    'generation-over': (state) => halt(state.next, state.published, state.again),
    'generation-began': ({ next, published, again }, _, threads) =>
      again ? begin(next, published, threads) : stay({ phase: 'idle', next, published }),
  },
  ended: {
    due: stay,
    wanted: stay,
    'part-stored': stay,
    'part-failed': stay,
    overdue: stay,
    published: stay,
    'publish-failed': stay,
    fenced: stay,
    'store-lost': stay,
    failing: stay,
    'worker-lost': stay,
    'generation-over': stay,
    'generation-began': stay,
  },
};

function abandon(
  state: StateOf<'gathering'> | StateOf<'publishing'>,
  cut: number,
  why: WhyAbandoned,
  threads: number,
): Step {
  if (cut !== state.cut) return stay(state);
  return over(state.cut, state.published, state.again, threads, { kind: 'abandon', cut, why });
}

/** `threads` counts the host too: each owes a part. */
export function step(state: GeneratorState, event: GeneratorEvent, threads: number): Step {
  const cell = TABLE[state.phase][event.kind] as (
    state: GeneratorState,
    event: GeneratorEvent,
    threads: number,
  ) => Step;
  return cell(state, event, threads);
}
