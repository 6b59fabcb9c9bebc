/** Of which units newer files have said something. Quick where units of one table follow each other. */
export class Said {
  readonly #tables = new Map<string, Set<string | number | null>>();
  /** Actors that are gone with all their tables. */
  readonly #actors = new Set<string>();
  #last: Table | null = null;

  /** A unit is there, or gone; the own state of an actor that is gone takes its tables with it. */
  add(type: string, key: string, table: string, tableKey: string | number | null, isGone = false): void {
    if (isGone && tableKey === null) {
      this.#actors.add(nameOf(type, key, ''));
      this.#last = null;
    } else this.#table(type, key, table, true).keys?.add(tableKey);
  }

  has(type: string, key: string, table: string, tableKey: string | number | null): boolean {
    const { gone, keys } = this.#table(type, key, table, false);
    return gone || keys?.has(tableKey) === true;
  }

  /** What was said of a table: its keys, if any; or that it is gone as a whole. */
  of(type: string, key: string, table: string): { readonly keys: ReadonlySet<unknown> | null; readonly gone: boolean } {
    return this.#table(type, key, table, false);
  }

  #table(type: string, key: string, table: string, make: boolean): Table {
    let last = this.#last;
    if (last?.type === type && last.key === key && last.table === table && !(make && last.keys === null)) return last;
    const name = nameOf(type, key, table);
    let keys = this.#tables.get(name) ?? null;
    if (keys === null && make) this.#tables.set(name, (keys = new Set()));
    this.#last = last = { type, key, table, keys, gone: this.#actors.has(nameOf(type, key, '')) };
    return last;
  }
}

interface Table {
  readonly type: string;
  readonly key: string;
  readonly table: string;
  readonly keys: Set<string | number | null> | null;
  readonly gone: boolean;
}

function nameOf(type: string, key: string, table: string): string {
  return JSON.stringify([type, key, table]);
}
