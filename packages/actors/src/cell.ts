import { OWN_NAME } from './definition.ts';
import { ActorError } from './errors.ts';
import type { Mailbox, MailOwner } from './mailbox.ts';
import type { Envelope } from './messages.ts';
import { isOwnTable, type OwnTable, type OwnTableName } from './own-tables.ts';
import { UnitTable } from './table.ts';
import type { AnyActor } from './types.ts';
import type { CaptureSink, CutState, Unit } from './unit.ts';
import { assertPlain } from './value.ts';

type AnyTable = UnitTable<string | number, unknown>;

/**
 * One live actor: its state, its tables, its mailbox, and the tables that the runtime keeps for it.
 *
 * - A6 The state is captured as it was at the cut before the first turn after the flip runs.
 */
export class Cell implements MailOwner<Envelope>, Unit {
  readonly definition: AnyActor;
  readonly key: string;
  readonly cut: CutState;
  /** Null while nothing waits: a table of a million actors has few with mail. */
  mailbox: Mailbox<Envelope> | null = null;
  #tables: readonly (readonly [string, AnyTable])[];
  /** Made when they are needed: most actors never ask and have no timers. */
  #own: Map<OwnTableName, AnyTable> | null = null;
  state: object;
  /** Waits in the thread's list of actors with mail. */
  ready = false;
  /** A turn of it has thrown: every turn can be undone. */
  careful = false;
  changed = 0;
  captured = 0;
  #gone = false;

  constructor(definition: AnyActor, key: string, cut: CutState) {
    this.definition = definition;
    this.key = key;
    this.cut = cut;
    this.state = definition.state(key) as object;
    this.#tables = this.#attachTables();
    cut.born(this);
  }

  /** Messages in its mailbox. */
  get waiting(): number {
    return this.mailbox?.length ?? 0;
  }

  /** The actor has forgotten itself. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Called before a turn: the turn may change the state. */
  touch(): void {
    if (this.changed !== this.cut.cut) this.cut.touch(this);
  }

  give(sink: CaptureSink): void {
    const { name } = this.definition;
    if (this.#gone) {
      sink.gone(name, this.key, '', null);
      return;
    }
    const plain = this.plainState();
    assertPlain(plain, () => `state of ${name}/${this.key}`);
    sink.unit(name, this.key, '', null, plain);
  }

  captureMail(envelope: Envelope): void {
    this.cut.sink?.mail(envelope);
  }

  *captureUnits(): Generator<void, void, void> {
    if (this.cut.capture(this)) yield;
    for (const [, table] of this.#tables) yield* table.captureUnits();
    if (this.#own !== null) for (const table of this.#own.values()) yield* table.captureUnits();
  }

  /** Puts back the actor's own state; its tables stay. */
  load(state: object): void {
    for (const [name, table] of this.#tables) (state as Record<string, unknown>)[name] = table;
    this.state = state;
  }

  /** The tables in its state, by field. */
  get tables(): readonly (readonly [string, AnyTable])[] {
    return this.#tables;
  }

  /** The table of that name, to be loaded. */
  table(table: string): AnyTable {
    if (isOwnTable(table)) return this.ownTable(table) as AnyTable;
    const found = this.#tables.find(([name]) => name === table);
    if (found === undefined) {
      throw new ActorError(
        'DEFINITION_UNKNOWN',
        `the checkpoint holds table '${table}' of actor '${this.definition.name}', whose state has no such table now`,
      );
    }
    return found[1];
  }

  /** A table that the runtime keeps for this actor, made when it is not there. */
  ownTable<N extends OwnTableName>(name: N): OwnTable<N> {
    this.#own ??= new Map();
    let found = this.#own.get(name);
    if (found === undefined) {
      found = new UnitTable<string | number, unknown>();
      found.attach({ type: this.definition.name, key: this.key, table: name, cut: this.cut });
      this.#own.set(name, found);
    }
    return found as unknown as OwnTable<N>;
  }

  /** The same, if there is one. */
  ownTableIfAny<N extends OwnTableName>(name: N): OwnTable<N> | undefined {
    return this.#own?.get(name) as unknown as OwnTable<N> | undefined;
  }

  /** Everything that goes with this actor is captured, and then gone. */
  drop(): void {
    for (const _ of this.captureUnits());
    if (this.mailbox !== null) for (const _ of this.mailbox.capture());
    this.cut.sink?.settle();
    for (const [, table] of this.#tables) table.drop();
    if (this.#own !== null) for (const table of this.#own.values()) table.drop();
    this.cut.touch(this);
    this.#gone = true;
  }

  /** The state without its tables. */
  plainState(): object {
    if (this.#tables.length === 0) return this.state;
    const plain: Record<string, unknown> = { ...this.state };
    for (const [name] of this.#tables) delete plain[name];
    return plain;
  }

  #attachTables(): readonly (readonly [string, AnyTable])[] {
    let found: (readonly [string, AnyTable])[] | null = null;
    for (const [name, field] of Object.entries(this.state)) {
      if (!(field instanceof UnitTable)) continue;
      if (name.startsWith(OWN_NAME)) throw ownName(this.definition.name, name);
      field.attach({ type: this.definition.name, key: this.key, table: name, cut: this.cut });
      (found ??= []).push([name, field]);
    }
    return found ?? NONE;
  }
}

const NONE: readonly (readonly [string, AnyTable])[] = [];

function ownName(type: string, table: string): ActorError {
  return new ActorError(
    'DEFINITION_INVALID',
    `actor '${type}': table '${table}' begins with '${OWN_NAME}'; give it another name`,
  );
}
