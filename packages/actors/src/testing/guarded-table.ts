import { type Table, UnitTable } from '../table.ts';
import type { DeepReadonly } from '../types.ts';
import { copyValue } from '../value.ts';
import { deepFreeze } from './freeze.ts';

/**
 * A table as a turn of the test kit gets it: what it reads is a frozen copy, and what `update` has changed is kept as a copy, so
 * that no turn changes a row but by `set`, `update` and `delete`, which is all that a checkpoint sees.
 */
export class GuardedTable<K extends string | number, V> implements Table<K, V> {
  readonly #table: UnitTable<K, V>;
  readonly #name: string;

  constructor(name: string, table: UnitTable<K, V>) {
    this.#name = name;
    this.#table = table;
  }

  get size(): number {
    return this.#table.size;
  }

  get(key: K): DeepReadonly<V> | undefined {
    const value = this.#table.get(key);
    return value === undefined ? undefined : deepFreeze(this.#copy(key, value));
  }

  has(key: K): boolean {
    return this.#table.has(key);
  }

  set(key: K, value: V): void {
    this.#table.set(key, value);
  }

  update(key: K, change: (value: V) => V | void, initial?: () => V): void {
    const guarded = (value: V): V => {
      const own = this.#copy(key, value);
      const changed = change(own) ?? own;
      const kept = this.#copy(key, changed);
      deepFreeze(own);
      deepFreeze(changed);
      return kept;
    };
    const first = initial === undefined ? undefined : (): V => this.#copy(key, initial());
    this.#table.update(key, guarded, first);
  }

  delete(key: K): boolean {
    return this.#table.delete(key);
  }

  *entries(): IterableIterator<readonly [K, DeepReadonly<V>]> {
    for (const [key, value] of this.#table.entries()) yield [key, deepFreeze(this.#copy(key, value))];
  }

  #copy<T>(key: K, value: T): T {
    return copyValue(value, () => `${this.#name}[${String(key)}]`);
  }
}

/** The tables of a state by field. */
export function tablesOf(state: object): [name: string, table: UnitTable<string | number, unknown>][] {
  return Object.entries(state).filter((field): field is [string, UnitTable<string | number, unknown>] => {
    return field[1] instanceof UnitTable;
  });
}
