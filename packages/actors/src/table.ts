import type { DeepReadonly } from './types.ts';
import { captureEach, type CaptureSink, type CutState, type ReplacedUnit } from './unit.ts';
import { ActorError } from './errors.ts';
import { type RowsData, StoredRows } from './stored-rows.ts';
import { assertKey, assertPlain, copyValue } from './value.ts';

/** Any number of keys inside a state; each key is a unit of its own, captured one at a time. */
export interface Table<K extends string | number, V> {
  readonly size: number;
  get(key: K): DeepReadonly<V> | undefined;
  has(key: K): boolean;
  /** Stores a copy of `value`. */
  set(key: K, value: V): void;
  /**
   * Changes the value of `key` in place, or to what `change` returns. A key that is not there begins with `initial()`;
   * without `initial` nothing happens.
   */
  update(key: K, change: (value: V) => V | void, initial?: () => V): void;
  delete(key: K): boolean;
  entries(): IterableIterator<readonly [K, DeepReadonly<V>]>;
}

/** Makes an empty table. It belongs into a field of an actor's state. */
export function table<K extends string | number, V>(): Table<K, V> {
  return new UnitTable<K, V>();
}

/** Stands for the value of a key that was deleted. */
const GONE = Symbol('gone');

/** One key of a table: a unit. */
export class TableEntry<V> implements ReplacedUnit {
  readonly #place: TablePlace;
  readonly #key: string | number;
  value: V;
  changed = 0;
  captured = 0;

  constructor(place: TablePlace, key: string | number, value: V) {
    this.#place = place;
    this.#key = key;
    this.value = value;
  }

  give(sink: CaptureSink): void {
    // The actor that it was a part of is gone, and says so itself. If it went after the flip, all that was still here is captured;
    // but what was deleted before has yet to be said.
    if (!this.#place.dropped || this.value === GONE) this.giveValue(sink, this.value);
  }

  giveValue(sink: CaptureSink, value: unknown): void {
    const { owner } = this.#place;
    if (owner === null) return;
    const { type, key, table: name } = owner;
    if (value === GONE) {
      sink.gone(type, key, name, this.#key);
      return;
    }
    assertPlain(value, () => `${type}/${key} ${name}[${String(this.#key)}]`);
    sink.unit(type, key, name, this.#key, value);
  }

  /** The key is deleted. */
  end(): void {
    this.value = GONE as V;
  }
}

/** A value before a turn; null where there was none. */
type Before<V> = { readonly value: V } | null;

/** What the entries of one table share. */
interface TablePlace {
  owner: TableOwner | null;
  dropped: boolean;
}

/** Where the captures of a table go. */
export interface TableOwner {
  readonly type: string;
  readonly key: string;
  readonly table: string;
  readonly cut: CutState;
}

export class UnitTable<K extends string | number, V> implements Table<K, V> {
  readonly #entries = new Map<K, TableEntry<V>>();
  readonly #place: TablePlace = { owner: null, dropped: false };
  /** What a checkpoint holds, and nobody has asked for. */
  #stored: StoredRows<K, V> | null = null;
  /** What was there before a turn that may be undone, of each key that it has changed; null while none may. */
  #before: Map<K, Before<V>> | null = null;

  get size(): number {
    this.#takeAll();
    return this.#entries.size;
  }

  /** Called once, when the state that holds this table becomes an actor's. */
  attach(owner: TableOwner): void {
    if (this.#place.owner !== null) {
      throw new ActorError('DEFINITION_INVALID', `${owner.type}: one table stands in two states; make one for each`);
    }
    this.#place.owner = owner;
  }

  get(key: K): DeepReadonly<V> | undefined {
    return this.#find(key)?.value as DeepReadonly<V> | undefined;
  }

  has(key: K): boolean {
    return this.#find(key) !== undefined;
  }

  set(key: K, value: V): void {
    const stored = copyValue(value, () => `table[${String(key)}]`);
    const entry = this.#find(key);
    this.#remember(key, entry);
    if (entry === undefined) this.#add(key, stored);
    else {
      this.#place.owner?.cut.replace(entry);
      entry.value = stored;
    }
  }

  update(key: K, change: (value: V) => V | void, initial?: () => V): void {
    let entry = this.#find(key);
    this.#remember(key, entry);
    if (entry === undefined) {
      if (initial === undefined) return;
      entry = this.#add(key, initial());
    } else this.#place.owner?.cut.touch(entry);
    const changed = change(entry.value);
    if (changed !== undefined) entry.value = changed;
  }

  /** The entry of a key for a change in place by the caller, captured first; made by `initial` when it is not there. */
  touch(key: K, initial: (key: K) => V): TableEntry<V> {
    const entry = this.#find(key);
    if (entry === undefined) return this.#add(key, initial(key));
    this.#place.owner?.cut.touch(entry);
    return entry;
  }

  /** The entry of a key for a change in place, captured first; undefined when it is not there. */
  touchKnown(key: K): TableEntry<V> | undefined {
    const entry = this.#find(key);
    if (entry !== undefined) this.#place.owner?.cut.touch(entry);
    return entry;
  }

  delete(key: K): boolean {
    const entry = this.#find(key);
    if (entry === undefined) return false;
    this.#remember(key, entry);
    this.#place.owner?.cut.replace(entry);
    entry.end();
    return this.#entries.delete(key);
  }

  *entries(): IterableIterator<readonly [K, DeepReadonly<V>]> {
    this.#takeAll();
    for (const [key, entry] of this.#entries) yield [key, entry.value as DeepReadonly<V>];
  }

  /** A turn begins that may be undone. */
  beginTurn(): void {
    this.#before = new Map();
  }

  /** The turn has ended; `undo` puts every key back that it has changed. */
  endTurn(undo: 'keep' | 'undo'): void {
    const before = this.#before;
    this.#before = null;
    if (undo === 'keep' || before === null) return;
    for (const [key, was] of before) {
      const entry = this.#entries.get(key);
      if (was === null) this.delete(key);
      else if (entry === undefined) this.#add(key, was.value);
      else {
        this.#place.owner?.cut.replace(entry);
        entry.value = was.value;
      }
    }
  }

  /** Puts back what a checkpoint holds. */
  load(key: K, value: V): void {
    this.#entries.set(key, new TableEntry<V>(this.#place, key, value));
  }

  /** Puts back rows as a checkpoint holds them: they are decoded when one of them is asked for. */
  loadStored(rows: RowsData): void {
    this.#stored ??= new StoredRows<K, V>((key, value) => this.load(key, value));
    this.#stored.add(rows);
  }

  /** Gives every unit to the sink that the cut has not yet. */
  *captureUnits(): Generator<void, void, void> {
    for (; this.#stored !== null; yield) this.#takeNext(this.#stored);
    if (this.#place.owner !== null) yield* captureEach(this.#place.owner.cut, this.#entries.values());
  }

  /** The state that holds this table is gone, after it was captured. */
  drop(): void {
    this.#place.dropped = true;
  }

  #find(key: K): TableEntry<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined || this.#stored === null) return entry;
    this.#stored.take(key);
    if (this.#stored.isEmpty) this.#stored = null;
    return this.#entries.get(key);
  }

  #remember(key: K, entry: TableEntry<V> | undefined): void {
    if (this.#before === null || this.#before.has(key)) return;
    // A copy: the value may be changed in place.
    const was = entry === undefined ? null : { value: copyValue(entry.value, () => `table[${String(key)}]`) };
    this.#before.set(key, was);
  }

  #takeNext(stored: StoredRows<K, V>): void {
    stored.takeNext();
    if (stored.isEmpty) this.#stored = null;
  }

  #takeAll(): void {
    while (this.#stored !== null) this.#takeNext(this.#stored);
  }

  #add(key: K, value: V): TableEntry<V> {
    assertKey(key, () => `key of table '${this.#place.owner?.table ?? ''}'`);
    const entry = new TableEntry<V>(this.#place, key, value);
    this.#place.owner?.cut.born(entry);
    this.#entries.set(key, entry);
    return entry;
  }
}
