import { Cell } from './cell.ts';
import { definitionOf } from './definition.ts';
import { ActorError, Refusal } from './errors.ts';
import { OVERRUN_MESSAGES } from './limits.ts';
import type { Envelope } from './messages.ts';
import { TurnContext } from './turn.ts';
import type { CutState, UnitHolder } from './unit.ts';

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface ActorTableOptions {
  readonly cut: CutState;
  readonly send: (envelope: Envelope) => void;
  readonly answer: (to: Envelope, answer: Answer) => void;
  readonly log: (text: string) => void;
}

/** Entries taken before the list of actors with mail is compacted. */
const READY_COMPACT_AT = 1024;

/**
 * The live actors of one thread and their turns.
 *
 * Owns cells, their mailboxes, and the list of those that have mail. Does not own the loop that calls `turn`.
 *
 * - A7 A turn runs to its end without anything else of this thread in between; its sends leave when it returns.
 */
export class ActorTable implements UnitHolder {
  readonly #options: ActorTableOptions;
  readonly #cells = new Map<string, Map<string, Cell>>();
  readonly #ready: Cell[] = [];
  #readyHead = 0;
  /** Messages in all mailboxes of this thread. */
  waiting = 0;

  constructor(options: ActorTableOptions) {
    this.#options = options;
  }

  /** Some actor has mail. */
  get ready(): boolean {
    return this.#readyHead < this.#ready.length;
  }

  /** Puts a message into its mailbox; the actor exists from its first message. */
  deliver(envelope: Envelope): void {
    const cell = this.cell(envelope.type, envelope.key);
    cell.mailbox.append(envelope);
    this.waiting++;
    if (this.waiting > OVERRUN_MESSAGES) throw this.#overrun();
    if (!cell.ready) this.#enqueue(cell);
  }

  cell(type: string, key: string): Cell {
    let cells = this.#cells.get(type);
    if (cells === undefined) this.#cells.set(type, (cells = new Map<string, Cell>()));
    let cell = cells.get(key);
    if (cell === undefined) cells.set(key, (cell = new Cell(definitionOf(type), key, this.#options.cut)));
    return cell;
  }

  /** One turn of the actor that has waited longest. */
  turn(): void {
    const cell = this.#ready[this.#readyHead++];
    if (this.#readyHead >= READY_COMPACT_AT || this.#readyHead === this.#ready.length) {
      this.#ready.splice(0, this.#readyHead);
      this.#readyHead = 0;
    }
    cell.ready = false;
    const envelope = cell.mailbox.take();
    if (envelope === undefined) return;
    this.waiting--;
    this.#run(cell, envelope);
    // What it told itself has made it ready already.
    if (cell.mailbox.length > 0 && !cell.ready) this.#enqueue(cell);
  }

  *captureUnits(): Generator<void, void, void> {
    for (const cells of this.#cells.values()) for (const cell of cells.values()) yield* cell.captureUnits();
  }

  /** Mail of those that have some now; all others had none at the cut. */
  captureMotion(): Generator<void, void, void> {
    return captureMail(this.#ready.slice(this.#readyHead));
  }

  #run(cell: Cell, envelope: Envelope): void {
    const handler = cell.definition.on[envelope.handler];
    if (handler === undefined) throw handlerUnknown(cell, envelope.handler);
    cell.touch();
    const ctx = new TurnContext(cell, this.#options.log);
    let value: unknown;
    try {
      value = handler.call(cell.definition.on, ctx, ...envelope.args);
    } catch (error) {
      ctx.end();
      this.#threw(cell, envelope, error);
      return;
    }
    ctx.end();
    // A mistake in the definition, not in this turn: whatever `onThrow` says, going on cannot help.
    if (isThenable(value)) throw handlerAsync(cell, envelope.handler, value);
    for (const sent of ctx.sends) this.#options.send(sent);
    if (ctx.forgotten) this.#forget(cell);
    if (envelope.reply !== null) this.#options.answer(envelope, { ok: true, value });
  }

  #threw(cell: Cell, envelope: Envelope, error: unknown): void {
    const refused = error instanceof Refusal;
    const { name, onThrow } = cell.definition;
    const message = error instanceof Error ? error.message : String(error);
    if (!refused && onThrow === 'rollback') {
      throw new ActorError('TURN_THREW', `${name}/${cell.key} ${envelope.handler}: ${message}`, { cause: error });
    }
    if (!refused) this.#forget(cell);
    if (envelope.reply !== null) {
      this.#options.answer(envelope, { ok: false, code: refused ? error.code : 'TURN_THREW', message });
    } else if (!refused) this.#options.log(`${name}/${cell.key} ${envelope.handler} threw: ${message}`);
  }

  #forget(cell: Cell): void {
    cell.drop();
    this.waiting -= cell.mailbox.length;
    const left: Envelope[] = [];
    for (let next = cell.mailbox.take(); next !== undefined; next = cell.mailbox.take()) left.push(next);
    this.#cells.get(cell.definition.name)?.delete(cell.key);
    // The messages behind the one that forgot meet a new actor.
    for (const envelope of left) this.deliver(envelope);
  }

  #enqueue(cell: Cell): void {
    cell.ready = true;
    this.#ready.push(cell);
  }

  #overrun(): ActorError {
    const fullest = [...this.#cells.values()]
      .flatMap((cells) => [...cells.values()])
      .sort((a, b) => b.mailbox.length - a.mailbox.length)
      .slice(0, 3)
      .map((cell) => `${cell.definition.name}/${cell.key} (${cell.mailbox.length})`);
    return new ActorError(
      'OVERRUN',
      `more than ${OVERRUN_MESSAGES} messages wait in one thread; fullest: ${fullest.join(', ')}. Some handler sends more than is taken, without end.`,
    );
  }
}

function* captureMail(cells: readonly Cell[]): Generator<void, void, void> {
  for (const cell of cells) yield* cell.mailbox.capture();
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
    `handler '${handler}' of actor '${cell.definition.name}' returned a promise; a handler runs to its end, work that waits belongs outside of it`,
  );
}
