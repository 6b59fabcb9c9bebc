import { Cell } from './cell.ts';
import { definitionOf } from './definition.ts';
import { ActorError } from './errors.ts';
import { Mailbox } from './mailbox.ts';
import { type Answer, type Envelope, REPLY } from './messages.ts';
import { givenOut, isOwnTable } from './own-tables.ts';
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

/** Turns of one actor before the others have theirs. */
const TURNS_IN_A_ROW = 8;

/** Empty mailboxes kept for whoever needs one. */
const SPARE_MAX = 256;

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
  /** Who gets a message often gets another one. */
  #last: Cell | null = null;
  readonly #spare: Mailbox<Envelope>[] = [];
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
    if (bounds !== null && cell.waiting >= bounds.max && this.#running && envelope.handler.charCodeAt(0) !== OWN_MARK) {
      this.#overflow(cell, envelope, bounds);
      return;
    }
    this.#mailboxOf(cell).append(envelope);
    this.waiting++;
    if (!cell.ready) this.#enqueue(cell);
  }

  cell(type: string, key: string): Cell {
    const last = this.#last;
    if (last !== null && last.key === key && last.definition.name === type) return last;
    return (this.#last = this.#look(type, key));
  }

  #look(type: string, key: string): Cell {
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

  /**
   * Turns of the actor that has waited longest: some in a row, as long as it has mail, since what it needs is at hand then.
   * Answers how many.
   */
  turn(max = TURNS_IN_A_ROW): number {
    const cell = this.#ready[this.#readyHead++];
    if (this.#readyHead === this.#ready.length) {
      // To set its length is slow.
      while (this.#ready.length > 0) this.#ready.pop();
      this.#readyHead = 0;
    } else if (this.#readyHead >= READY_COMPACT_AT) {
      this.#ready.splice(0, this.#readyHead);
      this.#readyHead = 0;
    }
    try {
      return this.#turnsOf(cell, Math.min(max, TURNS_IN_A_ROW));
    } finally {
      // Also after a throw, which a test kit survives.
      if (!cell.gone) this.#settle(cell);
    }
  }

  #turnsOf(cell: Cell, max: number): number {
    const { mailbox } = cell;
    let turns = 0;
    for (let envelope = mailbox?.take(); envelope !== undefined; envelope = mailbox?.take()) {
      this.waiting--;
      this.#turns.receive(cell, envelope);
      turns++;
      if (turns >= max || cell.gone) break;
    }
    return turns;
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
    this.waiting -= cell.waiting;
    const { mailbox } = cell;
    const left: Envelope[] = [];
    for (let next = mailbox?.take(); next !== undefined; next = mailbox?.take()) left.push(next);
    this.#cells.get(cell.definition.name)?.delete(cell.key);
    this.#last = null;
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
      for (const [id, letter] of letters.entries()) found.push({ id, actor, ...givenOut(letter) });
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
    const oldest = overflow === 'drop-oldest' ? cell.mailbox?.first : undefined;
    if (oldest === undefined || oldest.handler.charCodeAt(0) === OWN_MARK) {
      if (hasAsker(envelope)) this.#options.answer(envelope, full(envelope, overflow));
      return;
    }
    const mailbox = this.#mailboxOf(cell);
    mailbox.take();
    mailbox.append(envelope);
    if (hasAsker(oldest)) this.#options.answer(oldest, full(oldest, overflow));
  }

  #mailboxOf(cell: Cell): Mailbox<Envelope> {
    cell.mailbox ??= this.#spare.pop()?.serve(cell) ?? new Mailbox<Envelope>(cell);
    return cell.mailbox;
  }

  /** Its turns are over for now: it waits for the next, or rests. */
  #settle(cell: Cell): void {
    if (cell.waiting > 0) {
      this.#ready.push(cell);
      return;
    }
    cell.ready = false;
    if (cell.mailbox !== null && this.#spare.length < SPARE_MAX) this.#spare.push(cell.mailbox);
    cell.mailbox = null;
  }

  #enqueue(cell: Cell): void {
    cell.ready = true;
    this.#ready.push(cell);
  }

  /** What waits in this thread takes so much memory. */
  overrun(bytes: number): ActorError {
    const fullest = [...this.#all()]
      .sort((a, b) => b.waiting - a.waiting)
      .slice(0, 3)
      .map((cell) => `${cell.definition.name}/${cell.key} (${cell.waiting})`);
    return new ActorError(
      'OVERRUN',
      `what waits in one thread takes about ${Math.round(bytes / 1e6)} MB, ${this.waiting} messages of it in mailboxes; fullest: ${fullest.join(', ') || 'none'}. Some handler sends more than is taken, without end.`,
    );
  }
}

function* captureMail(cells: readonly Cell[]): Generator<void, void, void> {
  for (const { mailbox } of cells) if (mailbox !== null) yield* mailbox.capture();
}

function full({ type, key, handler }: Envelope, overflow: string): Answer {
  return { ok: false, code: 'MAILBOX_FULL', message: `${type}/${key} ${handler}: its mailbox is full (${overflow})` };
}
