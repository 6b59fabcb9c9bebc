/** Of which units newer files have said something. Quick where units of one table follow each other. */
export class Said {
  readonly #tables = new Map<string, Table>();
  /** Actors that are gone with all their tables. */
  readonly #actors = new Set<string>();
  #last: Table | null = null;
  #file = 0;

  /** What is said from now on is another file's. */
  nextFile(): void {
    this.#file++;
  }

  /** A unit is there, or gone; the own state of an actor that is gone takes its tables with it. */
  add(type: string, key: string, table: string, tableKey: string | number | null, isGone = false): void {
    if (isGone && tableKey === null) this.#actors.add(nameOf(type, key, ''));
    else this.#keysNow(this.#table(type, key, table)).add(tableKey);
  }

  has(type: string, key: string, table: string, tableKey: string | number | null): boolean {
    const found = this.#table(type, key, table);
    return this.#actors.has(found.actor) || found.keys.some((each) => each.has(tableKey));
  }

  /**
   * What was said of a table until now: its keys, by the files that said something; or that it is gone as a whole. The sets
   * of other files than the present one do not change any more.
   */
  of(
    type: string,
    key: string,
    table: string,
  ): { readonly keys: readonly ReadonlySet<unknown>[]; readonly gone: boolean } {
    const found = this.#table(type, key, table);
    return { keys: found.keys, gone: this.#actors.has(found.actor) };
  }

  #keysNow(table: Table): Set<unknown> {
    if (table.file !== this.#file) {
      if (table.file === NO_FILE) this.#tables.set(nameOf(table.type, table.key, table.table), table);
      // Whoever has the list keeps the one that there was.
      table.keys = [...table.keys, new Set()];
      table.file = this.#file;
    }
    return table.keys[table.keys.length - 1];
  }

  #table(type: string, key: string, table: string): Table {
    const last = this.#last;
    if (last?.type === type && last.key === key && last.table === table) return last;
    const found = this.#tables.get(nameOf(type, key, table));
    return (this.#last = found ?? { type, key, table, actor: nameOf(type, key, ''), keys: [], file: NO_FILE });
  }
}

interface Table {
  readonly type: string;
  readonly key: string;
  readonly table: string;
  readonly actor: string;
  keys: readonly Set<unknown>[];
  /** The file whose set is the last one. */
  file: number;
}

/** Nothing was said of it yet. */
const NO_FILE = -1;

function nameOf(type: string, key: string, table: string): string {
  return JSON.stringify([type, key, table]);
}
