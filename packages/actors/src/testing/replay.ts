import { Cell } from '../cell.ts';
import { decodeValue } from '../codec.ts';
import { TurnContext } from '../turn.ts';
import type { AnyActor } from '../types.ts';
import { CutState } from '../unit.ts';
import { copyValue } from '../value.ts';
import { type Difference, firstDifference } from './difference.ts';
import { doneBy, type SeenTurn, type TurnDone } from './guarded-turn.ts';

/** Stands for chance that the first run has not drawn. */
const NOT_DRAWN = 0.5;

/** Runs a turn again, by a definition, in an actor that is restored from what was captured before it. Answers where it differs. */
export function replay(turn: SeenTurn, definition: AnyActor): Difference | null {
  const { handler, args, done } = turn;
  const cell = restored(turn, definition);
  const ctx = contextOf(turn, cell);
  let again: TurnDone;
  try {
    const own = copyValue(args, 'arguments');
    const answer: unknown = definition.on[handler].call(definition.on, ctx, ...own);
    again = doneBy(ctx, cell.state, answer, undefined);
  } catch (error) {
    again = doneBy(ctx, cell.state, undefined, error);
  }
  ctx.end();
  return firstDifference(done, again, '');
}

function restored({ before, key }: SeenTurn, definition: AnyActor): Cell {
  const cell = new Cell(definition, key, new CutState());
  cell.load(decodeValue(before.state) as object);
  for (const [name, rows] of before.tables) {
    for (const [row, value] of decodeValue(rows) as Map<string | number, unknown>) cell.table(name).load(row, value);
  }
  return cell;
}

function contextOf({ now, drawn }: SeenTurn, cell: Cell): TurnContext {
  let draws = 0;
  let ids = 0;
  return new TurnContext(cell, {
    log: () => undefined,
    now: () => now,
    random: () => drawn[draws++] ?? NOT_DRAWN,
    nextId: () => String(ids++),
  });
}
