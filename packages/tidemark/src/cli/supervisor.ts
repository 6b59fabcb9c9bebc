import { EXIT, isFinal, signalStatus } from './exit-codes.ts';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, RESTART_WINDOW_MS, RESTARTS_MAX, STOP_GRACE_MS, STOP_MS } from './limits.ts';
import type { Failure, StopSignal } from './messages.ts';
import { signalMeaning } from './signal-meaning.ts';
import { endText, restartText, spentText } from './supervisor-text.ts';

/**
 * What the supervisor parent decides, without doing it.
 *
 * Owns: whether and when the child starts again, and the exit status of the whole.
 * Does not own: processes, timers, signals (`supervise.ts`); checkpoints and fencing (the engine). Safety never
 * depends on the supervisor: it only saves a person from typing the command again.
 *
 * Invariants:
 * - P1 `exit` is given only when no child lives.
 * - P2 There is at most one child: `start-child` is given only when the last one has ended.
 * - P3 Once a run has started, no restart asks for a beginning again (`going: 'on'`).
 * - P4 Once a signal has come, nothing is started.
 * - P5 A restart is held against the budget only until a run has published a checkpoint: what ends a program is crashing
 *   again and again at one place, not crashing often.
 */
export function step(state: SupervisorState, event: SupervisorEvent): SupervisorStep {
  // The table proves each cell's types; TypeScript cannot see that the two look-ups belong together.
  const cell = table[state.phase][event.type] as (state: SupervisorState, event: SupervisorEvent) => SupervisorStep;
  return cell(state, event);
}

/** Where a supervisor begins: its first child is being started. */
export function begin(): SupervisorStep {
  return {
    state: { phase: 'running', restartsAtMs: [], ran: false, failure: null },
    effects: [{ type: 'start-child', going: 'as-asked' }],
  };
}

interface Memory {
  /** When the restarts of the last window were decided, oldest first; none from before the last progress. */
  readonly restartsAtMs: readonly number[];
  /** A child of this supervisor had its run started. */
  readonly ran: boolean;
  /** What the present child said of its own end. */
  readonly failure: Failure | null;
}

export type SupervisorState =
  /** A child lives. */
  | (Memory & { readonly phase: 'running' })
  /** No child lives; the timer starts the next. */
  | (Memory & { readonly phase: 'waiting' })
  /** The child was asked for its last checkpoint. */
  | (Memory & { readonly phase: 'stopping'; readonly signal: StopSignal; readonly askedAtMs: number })
  /** The child was killed because it was to end at once. */
  | (Memory & { readonly phase: 'killing'; readonly signal: StopSignal })
  | (Memory & { readonly phase: 'ended' });

export type SupervisorEvent =
  | { readonly type: 'run-started' }
  | { readonly type: 'run-progressed' }
  | { readonly type: 'run-failed'; readonly failure: Failure }
  /** `random` in [0, 1) draws the wait before the next child. */
  | { readonly type: 'child-ended'; readonly end: ChildEnd; readonly atMs: number; readonly random: number }
  | { readonly type: 'signal'; readonly signal: StopSignal; readonly atMs: number }
  | { readonly type: 'timer' };

export type ChildEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly reason: string };

export type SupervisorEffect =
  /** `as-asked` passes the command as it is, `on` without its beginning. */
  | { readonly type: 'start-child'; readonly going: 'as-asked' | 'on' }
  | { readonly type: 'stop-child'; readonly signal: StopSignal }
  | { readonly type: 'kill-child' }
  /** Replaces the timer that is set. */
  | { readonly type: 'set-timer'; readonly delayMs: number }
  /** `notice` is left out with `--quiet`. */
  | { readonly type: 'say'; readonly level: 'notice' | 'error'; readonly text: string }
  /** Ends the whole; cancels the timer. */
  | { readonly type: 'exit'; readonly status: number };

export interface SupervisorStep {
  readonly state: SupervisorState;
  readonly effects: readonly SupervisorEffect[];
}

type Phase = SupervisorState['phase'];
type EventType = SupervisorEvent['type'];
type In<P extends Phase> = Extract<SupervisorState, { readonly phase: P }>;
type On<E extends EventType> = Extract<SupervisorEvent, { readonly type: E }>;

/** States × events; a missing cell does not compile. */
const table: {
  readonly [P in Phase]: { readonly [E in EventType]: (state: In<P>, event: On<E>) => SupervisorStep };
} = {
  running: {
    'run-started': ranNow,
    'run-progressed': progressed,
    'run-failed': failed,
    'child-ended': endOfRunning,
    signal: (state, { signal, atMs }) => ({
      state: { ...state, phase: 'stopping', signal, askedAtMs: atMs },
      effects: [
        { type: 'stop-child', signal },
        { type: 'set-timer', delayMs: STOP_MS + STOP_GRACE_MS },
      ],
    }),
    timer: unchanged,
  },
  waiting: {
    'run-started': unchanged,
    'run-progressed': unchanged,
    'run-failed': unchanged,
    'child-ended': unchanged,
    signal: (state, { signal }) => exit(state, signalStatus(signal)),
    timer: start,
  },
  stopping: {
    'run-started': ranNow,
    'run-progressed': progressed,
    'run-failed': failed,
    'child-ended': endOfStopping,
    signal: (state, { atMs }) => (signalMeaning(state.askedAtMs, atMs) === 'kill' ? kill(state) : unchanged(state)),
    timer: kill,
  },
  killing: {
    'run-started': unchanged,
    'run-progressed': unchanged,
    'run-failed': unchanged,
    'child-ended': (state) => exit(state, signalStatus(state.signal)),
    signal: unchanged,
    timer: unchanged,
  },
  ended: {
    'run-started': unchanged,
    'run-progressed': unchanged,
    'run-failed': unchanged,
    'child-ended': unchanged,
    signal: unchanged,
    timer: unchanged,
  },
};

function unchanged(state: SupervisorState): SupervisorStep {
  return { state, effects: [] };
}

function ranNow(state: SupervisorState): SupervisorStep {
  return { state: { ...state, ran: true }, effects: [] };
}

function progressed(state: SupervisorState): SupervisorStep {
  return { state: { ...state, restartsAtMs: [] }, effects: [] };
}

function failed(state: SupervisorState, { failure }: On<'run-failed'>): SupervisorStep {
  return { state: { ...state, failure }, effects: [] };
}

function start(state: Memory): SupervisorStep {
  return {
    state: { restartsAtMs: state.restartsAtMs, ran: state.ran, failure: null, phase: 'running' },
    effects: [{ type: 'start-child', going: state.ran ? 'on' : 'as-asked' }],
  };
}

function kill(state: In<'stopping'>): SupervisorStep {
  return { state: { ...state, phase: 'killing' }, effects: [{ type: 'kill-child' }] };
}

function exit(state: SupervisorState, status: number, text?: string): SupervisorStep {
  const { restartsAtMs, ran, failure } = state;
  return {
    state: { phase: 'ended', restartsAtMs, ran, failure },
    effects: [
      ...(text === undefined ? [] : [{ type: 'say', level: 'error', text } as const]),
      { type: 'exit', status },
    ],
  };
}

function endOfRunning(state: In<'running'>, { end, atMs, random }: On<'child-ended'>): SupervisorStep {
  const status = finalStatus(end, state.ran);
  if (status !== undefined) return exit(state, status);
  const recent = state.restartsAtMs.filter((at) => atMs - at < RESTART_WINDOW_MS);
  if (recent.length >= RESTARTS_MAX) return exit(state, EXIT.restartsSpent, spentText(end, state.failure));
  const delayMs = backoffMs(recent.length, random);
  const say = {
    type: 'say',
    level: 'notice',
    text: restartText(end, state.failure, recent.length + 1, delayMs),
  } as const;
  const memory = { ...state, restartsAtMs: [...recent, atMs] };
  if (delayMs > 0) return { state: { ...memory, phase: 'waiting' }, effects: [say, { type: 'set-timer', delayMs }] };
  const next = start(memory);
  return { state: next.state, effects: [say, ...next.effects] };
}

/** A signal was to end the run: whatever came of it, nothing is started again. */
function endOfStopping(state: In<'stopping'>, { end }: On<'child-ended'>): SupervisorStep {
  const status = finalStatus(end, state.ran);
  if (status !== undefined) return exit(state, status);
  const text = `${endText(end, state.failure)} before it had taken its last checkpoint; the same command goes on from the one before.`;
  return exit(state, signalStatus(state.signal), text);
}

function finalStatus(end: ChildEnd, ran: boolean): number | undefined {
  // A signal can reach the child before it listens; it means the same.
  if (end.kind === 'killed' && end.signal === 'SIGINT') return signalStatus('SIGINT');
  if (end.kind === 'killed' && end.signal === 'SIGTERM') return signalStatus('SIGTERM');
  return end.kind === 'exited' && isFinal(end.status, ran) ? end.status : undefined;
}

/**
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015). The first restart is
 * made at once: most crashes do not come twice, and a job is to be back within a second.
 */
function backoffMs(restarts: number, random: number): number {
  if (restarts === 0) return 0;
  return Math.round(random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (restarts - 1)));
}
