import { decodeValue, encodeValue } from '../codec.ts';
import { deepFreeze } from './freeze.ts';
import { tablesOf } from './guarded-table.ts';

/** State of an actor as a checkpoint holds it. */
export interface Picture {
  readonly state: Uint8Array;
  /** Rows by table. */
  readonly tables: ReadonlyMap<string, Uint8Array>;
  /** The state, with a map for each table. */
  decoded(): Record<string, unknown>;
}

export function pictureOf(state: object): Picture {
  const found = tablesOf(state);
  const plain: Record<string, unknown> = { ...state };
  for (const [name] of found) delete plain[name];
  const tables = new Map(found.map(([name, table]) => [name, encodeValue(new Map(table.entries()))]));
  const bytes = encodeValue(plain);
  return {
    state: bytes,
    tables,
    decoded() {
      const decoded = decodeValue(bytes) as Record<string, unknown>;
      for (const [name, rows] of tables) decoded[name] = decodeValue(rows);
      return decoded;
    },
  };
}

/** The same as a test gets it. */
export function shown(picture: Picture): Readonly<Record<string, unknown>> {
  return deepFreeze(picture.decoded());
}
