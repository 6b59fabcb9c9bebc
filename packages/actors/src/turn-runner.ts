import type { Cell } from './cell.ts';
import { decodeValue, encodeValue } from './codec.ts';
import { ActorError, errorToData, Refusal } from './errors.ts';
import type { Answer } from './messages.ts';
import type { Letter } from './own-tables.ts';
import { TurnContext, type TurnPlace } from './turn.ts';
import type { Handler } from './types.ts';
import { copyValue } from './value.ts';

/** One handler to run, and for whom. */
export interface Turn {
  readonly handler: string;
  readonly args: readonly unknown[];
}

export type TurnEnd =
  | TurnContext
  /** Nothing of it takes effect. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** The actor forgets itself. */
  | { readonly kind: 'forget'; readonly message: string }
  /** It was undone, and its message is set aside. */
  | { readonly kind: 'letter'; readonly letter: Letter };

/**
 * Runs a handler of an actor to its end.
 *
 * - A15 Of a careful actor a turn that throws leaves nothing behind: state and tables are what they were before it.
 *
 * @throws ActorError `TURN_THREW`, naming the actor, when its state cannot be trusted any more; `HANDLER_UNKNOWN`, `HANDLER_ASYNC`
 */
export function runTurn(cell: Cell, turn: Turn, place: TurnPlace): TurnEnd {
  const handler = handlerOf(cell, turn.handler);
  if (cell.careful) return runCarefully(cell, turn, place);
  cell.touch();
  const ctx = new TurnContext(cell, place);
  try {
    ctx.value = call(cell.definition.on, handler, ctx, turn.args);
    ctx.finish();
  } catch (error) {
    ctx.end();
    return threw(cell, turn, error);
  }
  // A mistake in the definition, not in this turn: whatever `onThrow` says, going on cannot help.
  if (ctx.value !== undefined && isThenable(ctx.value)) throw handlerAsync(cell, turn.handler, ctx.value);
  return ctx;
}

/** The handler of the turn before: which one a name means takes ten times as long to find as to compare. */
let last: { readonly on: object; readonly name: string; readonly handler: Handler<unknown> } | null = null;

function handlerOf(cell: Cell, name: string): Handler<unknown> {
  const { on } = cell.definition;
  if (last !== null && last.on === on && last.name === name) return last.handler;
  const handler = on[name];
  if (handler === undefined) throw handlerUnknown(cell, name);
  last = { on, name, handler };
  return handler;
}

/** Most messages have few arguments, and a list that is spread costs more than what many handlers do. */
function call(on: object, handler: Handler<unknown>, ctx: TurnContext, args: readonly unknown[]): unknown {
  switch (args.length) {
    case 0:
      return handler.call(on, ctx);
    case 1:
      return handler.call(on, ctx, args[0]);
    case 2:
      return handler.call(on, ctx, args[0], args[1]);
    default:
      return handler.call(on, ctx, ...args);
  }
}

function threw(cell: Cell, { handler }: Turn, error: unknown): TurnEnd {
  if (error instanceof Refusal) return { kind: 'refused', code: error.code, message: error.message };
  const { name: type, onThrow } = cell.definition;
  const { key } = cell;
  const message = error instanceof Error ? error.message : String(error);
  if (onThrow === 'forget') return { kind: 'forget', message };
  throw new ActorError('TURN_THREW', `${type}/${key} ${handler}: ${message}`, { cause: error, actor: { type, key } });
}

/** Whatever is thrown is undone. */
function runCarefully(cell: Cell, turn: Turn, place: TurnPlace): TurnEnd {
  cell.touch();
  const before = encodeValue(cell.plainState());
  // The handler may change what it got, and the letter has it as it was sent.
  const args = turn.args.map((arg) => copyValue(arg, 'argument'));
  for (const [, table] of cell.tables) table.beginTurn();
  const ctx = new TurnContext(cell, place);
  let undo: 'keep' | 'undo' = 'undo';
  try {
    ctx.value = call(cell.definition.on, cell.definition.on[turn.handler], ctx, turn.args);
    ctx.finish();
    if (isThenable(ctx.value)) throw handlerAsync(cell, turn.handler, ctx.value);
    undo = 'keep';
    return ctx;
  } catch (error) {
    ctx.end();
    if (error instanceof Refusal) {
      undo = 'keep';
      return { kind: 'refused', code: error.code, message: error.message };
    }
    cell.load(decodeValue(before) as object);
    const { code, message, stack } = errorToData(error);
    const at = place.now();
    return { kind: 'letter', letter: { handler: turn.handler, args, code, message, stack: stack ?? null, at } };
  } finally {
    for (const [, table] of cell.tables) table.endTurn(undo);
  }
}

/** What whoever asked is told of a turn that did not end well. */
export function failureOf(end: Exclude<TurnEnd, { kind: 'done' }>): Answer {
  switch (end.kind) {
    case 'refused':
      return { ok: false, code: end.code, message: end.message };
    case 'forget':
      return { ok: false, code: 'TURN_THREW', message: end.message };
    case 'letter':
      return { ok: false, code: 'DEAD_LETTER', message: `the turn threw and was undone: ${end.letter.message}` };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function handlerUnknown(cell: Cell, handler: string): ActorError {
  const known = Object.keys(cell.definition.on).join(', ');
  return new ActorError(
    'HANDLER_UNKNOWN',
    `actor '${cell.definition.name}' has no handler '${handler}' (it has: ${known}); was the message sent by another version?`,
  );
}

function handlerAsync(cell: Cell, handler: string, running: PromiseLike<unknown>): ActorError {
  // What it still does has nobody to report to, and soon fails with CTX_EXPIRED.
  running.then(undefined, () => undefined);
  return new ActorError(
    'HANDLER_ASYNC',
    `handler '${handler}' of actor '${cell.definition.name}' returned a promise; a handler runs to its end, work that waits belongs into a service`,
  );
}
