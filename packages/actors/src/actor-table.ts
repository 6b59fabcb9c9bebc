import { Cell } from './cell.ts';
import { definitionOf } from './definition.ts';
import { ActorError } from './errors.ts';
import { OVERRUN_MESSAGES } from './limits.ts';
import { type Answer, type Envelope, REPLY } from './messages.ts';
import { isOwnTable } from './own-tables.ts';
import type { UnitTable } from './table.ts';
import {
  type Cells,
  type DeadLetter,
  hasAsker,
  type MessageCounts,
  OWN_MARK,
  Turns,
  type TurnsOptions,
} from './turns.ts';
import type { MailboxOptions } from './types.ts';
import type { CutState, UnitHolder } from './unit.ts';

export interface ActorTableOptions extends TurnsOptions {
  readonly cut: CutState;
}

/** Entries taken before the list of actors with mail is compacted. */
const READY_COMPACT_AT = 1024;

/**
 * The live actors of one thread.
 *
 * Owns cells, their mailboxes, and the list of those that have mail. Does not own the loop that calls `turn` and `ring`, nor what a turn
 * is.
 */
export class ActorTable implements UnitHolder, Cells {
  readonly #options: ActorTableOptions;
  readonly #turns: Turns;
  readonly #cells = new Map<string, Map<string, Cell>>();
  readonly #ready: Cell[] = [];
  /** Actors that came back with calls, timers or requests, until `resume`. */
  readonly #restored = new Set<Cell>();
  #readyHead = 0;
  #running = false;
  /** Messages in all mailboxes of this thread. */
  waiting = 0;

  constructor(options: ActorTableOptions) {
    this.#options = options;
    this.#turns = new Turns(options, this);
  }

  /** Some actor has mail. */
  get ready(): boolean {
    return this.#readyHead < this.#ready.length;
  }

  /** Monotonic milliseconds at which something is due. */
  get nextAlarm(): number | undefined {
    return this.#turns.nextAlarm;
  }

  get counts(): MessageCounts {
    return this.#turns.counts;
  }

  /** How many actors of each definition there are. */
  get live(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#cells].map(([type, cells]) => [type, cells.size]));
  }

  get withMail(): readonly Cell[] {
    return this.#ready.slice(this.#readyHead);
  }

  /** What turns know of themselves, for whoever looks inside. */
  get turns(): Turns {
    return this.#turns;
  }

  /** Puts a message into its mailbox; the actor exists from its first message. */
  deliver(envelope: Envelope): void {
    // An answer brings no actor into being.
    if (envelope.handler === REPLY && this.find(envelope.type, envelope.key) === undefined) {
      this.counts.dropped++;
      return;
    }
    const cell = this.cell(envelope.type, envelope.key);
    const { mailbox: bounds } = cell.definition;
    if (
      bounds !== null &&
      cell.mailbox.length >= bounds.max &&
      this.#running &&
      envelope.handler.charCodeAt(0) !== OWN_MARK
    ) {
      this.#overflow(cell, envelope, bounds);
      return;
    }
    cell.mailbox.append(envelope);
    this.waiting++;
    if (this.waiting > OVERRUN_MESSAGES) throw this.#overrun();
    if (!cell.ready) this.#enqueue(cell);
  }

  cell(type: string, key: string): Cell {
    let cells = this.#cells.get(type);
    if (cells === undefined) this.#cells.set(type, (cells = new Map<string, Cell>()));
    let cell = cells.get(key);
    if (cell === undefined) {
      cells.set(key, (cell = new Cell(definitionOf(type), key, this.#options.cut)));
      cell.careful = this.#turns.isCareful(type, key);
    }
    return cell;
  }

  find(type: string, key: string): Cell | undefined {
    return this.#cells.get(type)?.get(key);
  }

  /** A table of an actor, to be loaded. */
  tableOf(type: string, key: string, table: string): UnitTable<string | number, unknown> {
    const cell = this.cell(type, key);
    if (isOwnTable(table)) this.#restored.add(cell);
    return cell.table(table);
  }

  /** Everything is loaded: what was open goes on. */
  resume(): void {
    this.#running = true;
    for (const cell of this.#restored) this.#turns.resume(cell);
    this.#restored.clear();
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
    this.#turns.receive(cell, envelope);
    // What it told itself has made it ready already.
    if (cell.mailbox.length > 0 && !cell.ready) this.#enqueue(cell);
  }

  /** One thing that is due. Answers whether there was one. */
  ring(): boolean {
    return this.#turns.ring();
  }

  /** A checkpoint was published. */
  published(): void {
    this.#turns.published();
  }

  forget(cell: Cell, before: () => void): void {
    cell.drop();
    this.waiting -= cell.mailbox.length;
    const left: Envelope[] = [];
    for (let next = cell.mailbox.take(); next !== undefined; next = cell.mailbox.take()) left.push(next);
    this.#cells.get(cell.definition.name)?.delete(cell.key);
    before();
    // The messages behind the one that forgot meet a new actor.
    for (const envelope of left) this.deliver(envelope);
  }

  /** All that was set aside in this thread. */
  letters(): DeadLetter[] {
    const found: DeadLetter[] = [];
    for (const cell of this.#all()) {
      const letters = cell.ownTableIfAny('~letters');
      if (letters === undefined) continue;
      const actor = { type: cell.definition.name, key: cell.key };
      for (const [id, letter] of letters.entries()) found.push({ id, actor, ...letter });
    }
    return found;
  }

  *captureUnits(): Generator<void, void, void> {
    for (const cell of this.#all()) yield* cell.captureUnits();
  }

  /** Mail of those that have some now; all others had none at the cut. */
  captureMotion(): Generator<void, void, void> {
    return captureMail(this.withMail);
  }

  *#all(): Generator<Cell, void, void> {
    for (const cells of this.#cells.values()) yield* cells.values();
  }

  /** The mailbox is full. What the runtime sends itself is never dropped. */
  #overflow(cell: Cell, envelope: Envelope, { overflow }: MailboxOptions): void {
    this.counts.dropped++;
    const oldest = overflow === 'drop-oldest' ? cell.mailbox.first : undefined;
    if (oldest === undefined || oldest.handler.charCodeAt(0) === OWN_MARK) {
      if (hasAsker(envelope)) this.#options.answer(envelope, full(envelope, overflow));
      return;
    }
    cell.mailbox.take();
    cell.mailbox.append(envelope);
    if (hasAsker(oldest)) this.#options.answer(oldest, full(oldest, overflow));
  }

  #enqueue(cell: Cell): void {
    cell.ready = true;
    this.#ready.push(cell);
  }

  #overrun(): ActorError {
    const fullest = [...this.#all()]
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

function full({ type, key, handler }: Envelope, overflow: string): Answer {
  return { ok: false, code: 'MAILBOX_FULL', message: `${type}/${key} ${handler}: its mailbox is full (${overflow})` };
}
