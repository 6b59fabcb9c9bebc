import { decodeValue, type UnitData } from '@tidemark/actors/internal';

/** A table of an actor, or of a task: its keys and values in the order of the checkpoint. */
export interface TableView {
  readonly name: string;
  readonly entries: readonly (readonly [string | number, unknown])[];
}

/** What a checkpoint holds of one actor. */
export interface ActorView {
  readonly type: string;
  readonly key: string;
  /** Its own state, without its tables; undefined where only tables are there, as of a task. */
  readonly state: unknown;
  readonly tables: readonly TableView[];
}

/** The table in which a task keeps the state of each key. */
const KEYED = 'keyed';

/** A unit's address as people write it: `account/7`, `shop/a orders[5]`, `job keyed["LAX"]`. */
export function unitText({ type, key, table, tableKey }: Omit<UnitData, 'value'>): string {
  const actor = key === '' ? type : `${type}/${key}`;
  return table === '' ? actor : `${actor} ${table}[${JSON.stringify(tableKey)}]`;
}

/** Units in an order that does not depend on threads: by definition, key, table, and key in the table. */
export function sortedUnits(units: readonly UnitData[]): UnitData[] {
  return [...units].sort(
    (a, b) => compare(a.type, b.type) || compare(a.key, b.key) || compare(a.table, b.table) || compareKeys(a, b),
  );
}

/** Decodes what a checkpoint holds of one actor; null when it holds nothing of it. */
export function actorView(units: readonly UnitData[], type: string, key: string): ActorView | null {
  const own = units.filter((unit) => unit.type === type && unit.key === key);
  if (own.length === 0) return null;
  const state = own.find((unit) => unit.table === '');
  const tables = new Map<string, (readonly [string | number, unknown])[]>();
  for (const unit of sortedUnits(own.filter(({ table }) => table !== ''))) {
    const entries = tables.get(unit.table) ?? [];
    entries.push([unit.tableKey ?? '', decodeValue(unit.value)]);
    tables.set(unit.table, entries);
  }
  return {
    type,
    key,
    state: state === undefined ? undefined : decodeValue(state.value),
    tables: [...tables].map(([name, entries]) => ({ name, entries })),
  };
}

/** State of a key of a task: two at most, where a text and a number look alike. */
export function keyedUnits(units: readonly UnitData[], type: string, key: string): UnitData[] {
  return units.filter((unit) => unit.type === type && unit.table === KEYED && String(unit.tableKey) === key);
}

function compareKeys({ tableKey: a }: UnitData, { tableKey: b }: UnitData): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number') return -1;
  return typeof b === 'number' ? 1 : compare(a ?? '', b ?? '');
}

/** By code units, numbers inside of keys by their value: account/2 before account/10. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  if (WHOLE.test(a) && WHOLE.test(b)) return Number(a) - Number(b) || (a < b ? -1 : 1);
  return a < b ? -1 : 1;
}

const WHOLE = /^\d{1,15}$/;
