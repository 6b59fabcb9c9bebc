import type { Cell } from './cell.ts';
import { publishTurn, type TurnSeen } from './diagnostics.ts';
import { REPLY } from './messages.ts';
import type { TurnPlace } from './turn.ts';
import { runTurn, type Turn, type TurnEnd } from './turn-runner.ts';

export interface TurnWatch {
  readonly thread: number;
  readonly monotonic: () => number;
}

/** The same as `runTurn`, told to whoever listens to `tidemark:turn`, also when it throws. */
export function runWatchedTurn(cell: Cell, turn: Turn, place: TurnPlace, { thread, monotonic }: TurnWatch): TurnEnd {
  const began = monotonic();
  let end: TurnSeen['end'] = 'failed';
  try {
    const ended = runTurn(cell, turn, place);
    end = ended.kind;
    return ended;
  } finally {
    const { key, definition } = cell;
    const { handler, envelope } = turn;
    const durationMs = monotonic() - began;
    publishTurn({ thread, type: definition.name, key, handler, by: causeOf(envelope), end, durationMs });
  }
}

function causeOf(envelope: Turn['envelope']): TurnSeen['by'] {
  if (envelope === null) return 'timer';
  return envelope.handler === REPLY ? 'answer' : 'message';
}
