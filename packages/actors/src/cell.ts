import { UnitTable } from './table.ts';
import { ActorError } from './errors.ts';
import { Mailbox, type MailOwner } from './mailbox.ts';
import type { Envelope } from './messages.ts';
import type { AnyActor } from './types.ts';
import type { CaptureSink, CutState, Unit } from './unit.ts';
import { assertPlain } from './value.ts';

/**
 * One live actor: its state, its tables, its mailbox.
 *
 * - A6 The state is captured as it was at the cut before the first turn after the flip runs.
 */
export class Cell implements MailOwner<Envelope>, Unit {
  readonly definition: AnyActor;
  readonly key: string;
  readonly cut: CutState;
  readonly mailbox: Mailbox<Envelope>;
  readonly #tables: readonly (readonly [string, UnitTable<string | number, unknown>])[];
  state: object;
  /** Waits in the thread's list of actors with mail. */
  ready = false;
  changed = 0;
  captured = 0;
  #gone = false;

  constructor(definition: AnyActor, key: string, cut: CutState) {
    this.definition = definition;
    this.key = key;
    this.cut = cut;
    this.mailbox = new Mailbox<Envelope>(this);
    this.state = definition.state(key) as object;
    this.#tables = this.#attachTables();
    cut.born(this);
  }

  /** Called before a turn: the turn may change the state. */
  touch(): void {
    this.cut.touch(this);
  }

  give(sink: CaptureSink): void {
    const { name } = this.definition;
    if (this.#gone) {
      sink.gone(name, this.key, '', null);
      return;
    }
    const plain = this.#plainState();
    assertPlain(plain, () => `state of ${name}/${this.key}`);
    sink.unit(name, this.key, '', null, plain);
  }

  captureMail(envelope: Envelope): void {
    this.cut.sink?.mail(envelope);
  }

  *captureUnits(): Generator<void, void, void> {
    if (this.cut.capture(this)) yield;
    for (const [, table] of this.#tables) yield* table.captureUnits();
  }

  /** Puts back the actor's own state; its tables stay. */
  load(state: object): void {
    for (const [name, table] of this.#tables) (state as Record<string, unknown>)[name] = table;
    this.state = state;
  }

  /** The table of that name, to be loaded. */
  table(table: string): UnitTable<string | number, unknown> {
    const found = this.#tables.find(([name]) => name === table);
    if (found === undefined) {
      throw new ActorError(
        'DEFINITION_UNKNOWN',
        `the checkpoint holds table '${table}' of actor '${this.definition.name}', whose state has no such table now`,
      );
    }
    return found[1];
  }

  /** Everything that goes with this actor is captured, and then gone. */
  drop(): void {
    for (const _ of this.captureUnits());
    for (const _ of this.mailbox.capture());
    this.cut.sink?.settle();
    for (const [, table] of this.#tables) table.drop();
    this.cut.touch(this);
    this.#gone = true;
  }

  #attachTables(): (readonly [string, UnitTable<string | number, unknown>])[] {
    const found: (readonly [string, UnitTable<string | number, unknown>])[] = [];
    for (const [name, field] of Object.entries(this.state)) {
      if (!(field instanceof UnitTable)) continue;
      field.attach({ type: this.definition.name, key: this.key, table: name, cut: this.cut });
      found.push([name, field]);
    }
    return found;
  }

  #plainState(): object {
    if (this.#tables.length === 0) return this.state;
    const plain: Record<string, unknown> = { ...this.state };
    for (const [name] of this.#tables) delete plain[name];
    return plain;
  }
}
