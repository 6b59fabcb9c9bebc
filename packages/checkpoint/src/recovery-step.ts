import { ROLLBACKS_MAX } from './limits.ts';

/**
 * The decisions of recovery inside the process: a pure function of state and event. No clock, no thread, no store.
 *
 * The table is the one of SPEC.md; a missing cell does not compile. Invariants: R1–R5.
 */

export type RecoveryState =
  /** Nothing has run yet: whatever goes wrong ends the start. */
  | { readonly phase: 'starting' }
  | { readonly phase: 'running'; readonly generation: number; readonly rollbacks: number }
  /** What ran is over: each living thread stops it, and the open put is settled. */
  | {
      readonly phase: 'settling';
      readonly generation: number;
      readonly rollbacks: number;
      /** Workers that have not yet said that nothing of it runs there any more. */
      readonly missing: ReadonlySet<number>;
      /** A record may be under way. */
      readonly open: boolean;
    }
  /** A crash loop must not spin. */
  | { readonly phase: 'waiting'; readonly generation: number; readonly rollbacks: number }
  /** The next generation gets its threads, units and motion. */
  | { readonly phase: 'restoring'; readonly generation: number; readonly rollbacks: number }
  | { readonly phase: 'ended' };

export type RecoveryEvent =
  /** The start is done, or the checkpoint is loaded by all threads. */
  | { readonly kind: 'ready' }
  /** Something that going back may cure has happened to the present generation. */
  | { readonly kind: 'hurt' }
  /** A thread is gone. */
  | { readonly kind: 'lost'; readonly thread: number }
  /** A worker has stopped what it ran. */
  | { readonly kind: 'halted'; readonly thread: number }
  /** Workers that have not answered so far will not. */
  | { readonly kind: 'silent' }
  /** No record is under way any more. */
  | { readonly kind: 'settled' }
  /** The wait is over. */
  | { readonly kind: 'due' }
  /** A checkpoint was published: the system gets further. */
  | { readonly kind: 'published' }
  /** Going back cannot help, or nobody wants the system any more. */
  | { readonly kind: 'over' };

export type RecoveryEffect =
  /** Stops what runs on the host, and asks the workers and the generator to do the same. */
  | { readonly kind: 'halt'; readonly generation: number }
  | { readonly kind: 'end-threads'; readonly threads: ReadonlySet<number> }
  | { readonly kind: 'wait'; readonly rollbacks: number }
  | { readonly kind: 'restore'; readonly generation: number }
  | { readonly kind: 'go'; readonly generation: number }
  /** `spent`: the budget; `failed`: what has happened. */
  | { readonly kind: 'end'; readonly why: 'spent' | 'failed' };

export interface RecoveryStep {
  readonly state: RecoveryState;
  readonly effects: readonly RecoveryEffect[];
}

type Phase = RecoveryState['phase'];
type Kind = RecoveryEvent['kind'];
type StateOf<P extends Phase> = Extract<RecoveryState, { readonly phase: P }>;
type EventOf<K extends Kind> = Extract<RecoveryEvent, { readonly kind: K }>;
type Table = {
  readonly [P in Phase]: {
    readonly [K in Kind]: (state: StateOf<P>, event: EventOf<K>, workers: number) => RecoveryStep;
  };
};

const stay = (state: RecoveryState): RecoveryStep => ({ state, effects: [] });
const ended: RecoveryState = { phase: 'ended' };
const over = (): RecoveryStep => stay(ended);
const failed = (): RecoveryStep => ({ state: ended, effects: [{ kind: 'end', why: 'failed' }] });

/** The present generation is over: back to the checkpoint, as long as the budget lasts (R4). */
function back(
  { generation, rollbacks }: StateOf<'running'> | StateOf<'restoring'>,
  missing: ReadonlySet<number>,
): RecoveryStep {
  if (rollbacks >= ROLLBACKS_MAX) return { state: ended, effects: [{ kind: 'end', why: 'spent' }] };
  return {
    state: { phase: 'settling', generation, rollbacks, missing, open: true },
    effects: [{ kind: 'halt', generation }],
  };
}

function allBut(thread: number, workers: number): ReadonlySet<number> {
  const threads = new Set(Array.from({ length: workers }, (_, index) => index + 1));
  threads.delete(thread);
  return threads;
}

/** On, as soon as nothing runs any more and no record is under way (R1, R2). */
function settle(state: StateOf<'settling'>, effects: readonly RecoveryEffect[] = []): RecoveryStep {
  const { generation, rollbacks, missing, open } = state;
  if (missing.size > 0 || open) return { state, effects };
  return { state: { phase: 'waiting', generation, rollbacks }, effects: [...effects, { kind: 'wait', rollbacks }] };
}

function without(state: StateOf<'settling'>, thread: number): StateOf<'settling'> {
  const missing = new Set(state.missing);
  missing.delete(thread);
  return { ...state, missing };
}

const HOST = 0;

const TABLE: Table = {
  starting: {
    ready: () => ({
      state: { phase: 'running', generation: 1, rollbacks: 0 },
      effects: [{ kind: 'go', generation: 1 }],
    }),
    hurt: failed,
    lost: failed,
    halted: stay,
    silent: stay,
    settled: stay,
    due: stay,
    published: stay,
    over,
  },
  running: {
    ready: stay,
    hurt: (state, _, workers) => back(state, allBut(HOST, workers)),
    lost: (state, { thread }, workers) => back(state, allBut(thread, workers)),
    halted: stay,
    silent: stay,
    settled: stay,
    due: stay,
    published: (state) => stay({ ...state, rollbacks: 0 }),
    over,
  },
  settling: {
    ready: stay,
    // What else goes wrong in a generation that is over anyway changes nothing.
    hurt: stay,
    lost: (state, { thread }) => settle(without(state, thread)),
    halted: (state, { thread }) => settle(without(state, thread)),
    silent: (state) => settle({ ...state, missing: new Set() }, [{ kind: 'end-threads', threads: state.missing }]),
    settled: (state) => settle({ ...state, open: false }),
    due: stay,
    // The record that was under way.
    published: (state) => stay({ ...state, rollbacks: 0 }),
    over,
  },
  waiting: {
    ready: stay,
    hurt: stay,
    // Replaced when the next generation is connected, like the others that are gone.
    lost: stay,
    halted: stay,
    silent: stay,
    settled: stay,
    due: ({ generation, rollbacks }) => ({
      state: { phase: 'restoring', generation: generation + 1, rollbacks: rollbacks + 1 },
      effects: [{ kind: 'restore', generation: generation + 1 }],
    }),
    published: stay,
    over,
  },
  restoring: {
    ready: ({ generation, rollbacks }) => ({
      state: { phase: 'running', generation, rollbacks },
      effects: [{ kind: 'go', generation }],
    }),
    hurt: (state, _, workers) => back(state, allBut(HOST, workers)),
    lost: (state, { thread }, workers) => back(state, allBut(thread, workers)),
    halted: stay,
    silent: stay,
    settled: stay,
    due: stay,
    published: stay,
    over,
  },
  ended: {
    ready: stay,
    hurt: stay,
    lost: stay,
    halted: stay,
    silent: stay,
    settled: stay,
    due: stay,
    published: stay,
    over: stay,
  },
};

/** `workers` without the host. */
export function recoveryStep(state: RecoveryState, event: RecoveryEvent, workers: number): RecoveryStep {
  const cell = TABLE[state.phase][event.kind] as (
    state: RecoveryState,
    event: RecoveryEvent,
    workers: number,
  ) => RecoveryStep;
  return cell(state, event, workers);
}
