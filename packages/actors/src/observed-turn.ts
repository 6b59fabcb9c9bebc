import type { Cell } from './cell.ts';
import { publishTurn, type TurnSeen } from './diagnostics.ts';
import { type Envelope, REPLY } from './messages.ts';
import { inTrace } from './trace.ts';
import type { TurnPlace } from './turn.ts';
import { runTurn, type Turn, type TurnEnd } from './turn-runner.ts';

export interface TurnObserver {
  /** This thread's number while somebody listens to `tidemark:turn`, else null. */
  readonly thread: number | null;
  readonly monotonic: () => number;
}

/** The same as `runTurn`, in the trace of its message, and told to whoever listens, also when it throws. */
export function runObservedTurn(
  cell: Cell,
  turn: Turn,
  envelope: Envelope | null,
  place: TurnPlace,
  observer: TurnObserver,
): TurnEnd {
  const { key, definition } = cell;
  const work = { type: definition.name, key, handler: turn.handler };
  const run = (): TurnEnd => inTrace(envelope?.trace, work, () => runTurn(cell, turn, place));
  const { thread, monotonic } = observer;
  if (thread === null) return run();
  const began = monotonic();
  let end: TurnSeen['end'] = 'failed';
  try {
    const ended = run();
    end = ended.kind;
    return ended;
  } finally {
    publishTurn({ thread, ...work, by: causeOf(envelope), end, durationMs: monotonic() - began });
  }
}

function causeOf(envelope: Envelope | null): TurnSeen['by'] {
  if (envelope === null) return 'timer';
  return envelope.handler === REPLY ? 'answer' : 'message';
}
