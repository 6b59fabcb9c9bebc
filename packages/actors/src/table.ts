import type { DeepReadonly } from './types.ts';
import type { CutState } from './unit.ts';
import { ActorError } from './errors.ts';
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

/** One key of a table. `captured` is the last cut that has this unit, or at which it was not yet born. */
export interface TableEntry<V> {
  value: V;
  captured: number;
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
  #owner: TableOwner | null = null;

  get size(): number {
    return this.#entries.size;
  }

  /** Called once, when the state that holds this table becomes an actor's. */
  attach(owner: TableOwner): void {
    if (this.#owner !== null && this.#owner !== owner) {
      throw new ActorError('DEFINITION_INVALID', `${owner.type}: one table stands in two states; make one for each`);
    }
    this.#owner = owner;
  }

  get(key: K): DeepReadonly<V> | undefined {
    return this.#entries.get(key)?.value as DeepReadonly<V> | undefined;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    const stored = copyValue(value, () => `table[${String(key)}]`);
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#add(key, stored);
    else {
      this.#touch(key, entry);
      entry.value = stored;
    }
  }

  update(key: K, change: (value: V) => V | void, initial?: () => V): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (initial === undefined) return;
      entry = this.#add(key, initial());
    } else this.#touch(key, entry);
    const changed = change(entry.value);
    if (changed !== undefined) entry.value = changed;
  }

  /** The entry of a key for a change in place by the caller, captured first; made by `initial` when it is not there. */
  touch(key: K, initial: (key: K) => V): TableEntry<V> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#add(key, initial(key));
    this.#touch(key, entry);
    return entry;
  }

  /** The entry of a key for a change in place, captured first; undefined when it is not there. */
  touchKnown(key: K): TableEntry<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#touch(key, entry);
    return entry;
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#touch(key, entry);
    return this.#entries.delete(key);
  }

  *entries(): IterableIterator<readonly [K, DeepReadonly<V>]> {
    for (const [key, entry] of this.#entries) yield [key, entry.value as DeepReadonly<V>];
  }

  /** Puts back what a checkpoint holds. */
  load(key: K, value: V): void {
    this.#entries.set(key, { value, captured: this.#owner?.cut.cut ?? 0 });
  }

  /** Gives every unit to the sink that the cut has not yet. */
  *capture(): Generator<void, void, void> {
    for (const [key, entry] of this.#entries) {
      if (this.#owner === null || entry.captured >= this.#owner.cut.cut) continue;
      this.#touch(key, entry);
      yield;
    }
  }

  #add(key: K, value: V): TableEntry<V> {
    assertKey(key, () => `key of table '${this.#owner?.table ?? ''}'`);
    const entry = { value, captured: this.#owner?.cut.cut ?? 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  #touch(key: K, entry: TableEntry<V>): void {
    const owner = this.#owner;
    if (owner === null || entry.captured >= owner.cut.cut) return;
    if (owner.cut.sink !== null) {
      assertPlain(entry.value, () => `${owner.type}/${owner.key} ${owner.table}[${String(key)}]`);
      owner.cut.sink.unit(owner.type, owner.key, owner.table, key, entry.value);
    }
    entry.captured = owner.cut.cut;
  }
}
