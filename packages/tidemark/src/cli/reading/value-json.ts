import type { ActorView, TableView } from '@tidemark/checkpoint/internal';

/**
 * A stored value as JSON. What JSON has a word for is written as it is. All else is an object with `$type`, the name of
 * its class, and `value`:
 *
 * | value | JSON |
 * |---|---|
 * | `Map` | `{"$type": "Map", "value": [[key, value], …]}` |
 * | `Set` | `{"$type": "Set", "value": […]}` |
 * | `Date` | `{"$type": "Date", "value": "2026-01-31T12:00:00.000Z"}`, null for an invalid one |
 * | bigint | `{"$type": "bigint", "value": "123"}` |
 * | `Float64Array`, … | `{"$type": "Float64Array", "value": [1.5, …]}`; 64-bit integers as texts |
 * | `Uint8Array`, `ArrayBuffer`, `DataView` | `{"$type": "Uint8Array", "value": "base64"}` |
 * | NaN, Infinity, -Infinity | `{"$type": "number", "value": "NaN"}` |
 * | undefined | `{"$type": "undefined"}` |
 * | an object with a field `$type` | `{"$type": "Object", "value": [[name, value], …]}` |
 */
export function toPlainJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : typed('number', String(value));
  if (typeof value === 'bigint') return typed('bigint', String(value));
  if (value === undefined) return { $type: 'undefined' };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toPlainJson);
  return builtIn(value) ?? plainObject(Object.entries(value).map(([name, field]) => [name, toPlainJson(field)]));
}

/** An actor's state with its tables in the fields where they stand; of a task, its tables only. */
export function actorJson({ state, tables }: ActorView): unknown {
  const own = typeof state === 'object' && state !== null ? Object.entries(state) : [];
  const fields = own.map(([name, value]): [string, unknown] => [name, toPlainJson(value)]);
  return plainObject([...fields, ...tables.map((table): [string, unknown] => [table.name, tableJson(table)])]);
}

/**
 * A table is an object: its keys are texts there. Where it has a number and a text that look alike (`1` and `"1"`), it is
 * `{"$type": "Table", "value": [[key, value], …]}`.
 */
function tableJson({ entries }: TableView): unknown {
  const pairs = entries.map(([key, value]): [string | number, unknown] => [key, toPlainJson(value)]);
  const names = new Set(pairs.map(([key]) => String(key)));
  if (names.size < pairs.length || names.has('$type')) return typed('Table', pairs);
  return Object.fromEntries(pairs);
}

function plainObject(fields: readonly (readonly [string, unknown])[]): unknown {
  return fields.some(([name]) => name === '$type') ? typed('Object', fields) : Object.fromEntries(fields);
}

function builtIn(value: object): unknown {
  if (value instanceof Map)
    return typed(
      'Map',
      [...value].map(([key, field]) => [toPlainJson(key), toPlainJson(field)]),
    );
  if (value instanceof Set) return typed('Set', [...value].map(toPlainJson));
  if (value instanceof Date) return typed('Date', Number.isNaN(value.getTime()) ? null : value.toISOString());
  if (value instanceof ArrayBuffer) return typed('ArrayBuffer', Buffer.from(value).toString('base64'));
  if (!ArrayBuffer.isView(value)) return undefined;
  const { name } = value.constructor;
  if (value instanceof DataView || value instanceof Uint8Array || value instanceof Uint8ClampedArray) {
    return typed(name, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
  }
  return typed(name, Array.from(value as unknown as Iterable<number | bigint>, numberJson));
}

function numberJson(value: number | bigint): unknown {
  return typeof value === 'bigint' ? String(value) : toPlainJson(value);
}

function typed($type: string, value: unknown): unknown {
  return { $type, value };
}
