import type { AnyActor } from '@tidemark/actors';
import {
  assertPlain,
  decodeValue,
  encodeValue,
  type Envelope,
  isOwnTable,
  type UnitData,
  UnitTable,
} from '@tidemark/actors/internal';
import { CheckpointError } from '../errors.ts';

/** The first version on the way from `stored` to the definition's that no step begins from; null when there is a way. */
export function missingStep({ version, migrate }: AnyActor, stored: number): number | null {
  for (let from = stored; from < version; from++) if (migrate[from] === undefined) return from;
  return null;
}

/**
 * Makes the units of one actor, in a version before, those that the definition has now. Its tables stand in the state as
 * a `Map` each while the steps run, so a step may change their values, and move things between tables and state.
 *
 * @throws CheckpointError `MIGRATION_FAILED` naming actor and step
 */
export function migrateUnits(definition: AnyActor, stored: number, units: readonly UnitData[]): UnitData[] {
  const { name: type, version, migrate } = definition;
  const { key } = units[0];
  const who = `${type}/${key}`;
  const own = units.filter(({ table }) => isOwnTable(table));
  let state: unknown = wholeState(units.filter(({ table }) => !isOwnTable(table)));
  for (let from = stored; from < version; from++) {
    state = step(who, from, () => migrate[from](state, key));
    if (!isPlainObject(state)) throw failed(who, from, `returned ${describe(state)}; a state is a plain object`);
  }
  const kept = step(who, version - 1, () => toUnits(definition, key, state as Record<string, unknown>));
  return [...kept, ...own.flatMap((unit) => migrateOwn(definition, stored, unit))];
}

/**
 * An open question, a timer or a letter holds a message for later: it becomes one of the definition's version as any message does. Of a
 * question the answer, which is not there yet, stands as `undefined` before the bound arguments.
 */
function migrateOwn(definition: AnyActor, stored: number, unit: UnitData): UnitData[] {
  const row = decodeValue(unit.value) as Record<string, unknown>;
  const [nameField, argsField] = MESSAGE_FIELDS[unit.table] ?? [];
  if (nameField === undefined) return [unit];
  const before = unit.table === '~calls' ? [undefined] : [];
  const args = [...before, ...(row[argsField] as readonly unknown[])];
  const { name: type } = definition;
  const envelope = { type, key: unit.key, handler: row[nameField] as string, args, reply: null };
  const message = migrateMessage(definition, stored, envelope);
  if (message === null) return [];
  const next = { ...row, [nameField]: message.handler, [argsField]: message.args.slice(before.length) };
  return [{ ...unit, value: encodeValue(next) }];
}

/** Where a row of a table of the runtime has handler and arguments. */
const MESSAGE_FIELDS: Readonly<Record<string, readonly [name: string, args: string]>> = {
  '~calls': ['into', 'bound'],
  '~timers': ['into', 'args'],
  '~letters': ['handler', 'args'],
};

/**
 * Makes a message to an actor of a version before one to the definition's; null when a step drops it.
 *
 * @throws CheckpointError `MIGRATION_FAILED`
 */
export function migrateMessage(definition: AnyActor, stored: number, envelope: Envelope): Envelope | null {
  const { name: type, version, migrateMessage: steps } = definition;
  let { handler, args } = envelope;
  for (let from = stored; from < version; from++) {
    const take = steps[from];
    if (take === undefined) continue;
    const who = `a message '${handler}' to ${type}/${envelope.key}`;
    const next = step(who, from, () => take({ key: envelope.key, handler, args }));
    if (next === null) return null;
    if (!isObject(next) || typeof next.handler !== 'string' || !Array.isArray(next.args)) {
      throw failed(who, from, 'returned no message: expected { handler, args }, or null to drop it');
    }
    ({ handler, args } = next);
    step(who, from, () => assertPlain(args, 'args'));
  }
  return { ...envelope, handler, args };
}

/** Names of the tables in a state as the definition begins it. */
export function tablesOf(definition: AnyActor, key: string): ReadonlySet<string> {
  const fields = Object.entries(definition.state(key) as object);
  return new Set(fields.filter(([, field]) => field instanceof UnitTable).map(([name]) => name));
}

function wholeState(units: readonly UnitData[]): Record<string, unknown> {
  const own = units.find(({ table }) => table === '');
  const state = (own === undefined ? {} : decodeValue(own.value)) as Record<string, unknown>;
  for (const { table, tableKey, value } of units) {
    if (table === '') continue;
    const entries = (state[table] ??= new Map()) as Map<unknown, unknown>;
    entries.set(tableKey, decodeValue(value));
  }
  return state;
}

function toUnits(definition: AnyActor, key: string, state: Record<string, unknown>): UnitData[] {
  const { name: type } = definition;
  const plain = { ...state };
  const units: UnitData[] = [];
  const add = (table: string, tableKey: string | number | null, value: unknown): void => {
    assertPlain(value, () => (table === '' ? 'state' : `${table}[${JSON.stringify(tableKey)}]`));
    units.push({ type, key, table, tableKey, value: encodeValue(value) });
  };
  const tables = tablesOf(definition, key);
  for (const table of tables) delete plain[table];
  add('', null, plain);
  for (const table of tables) {
    const entries = state[table] ?? new Map();
    if (!(entries instanceof Map)) throw new TypeError(`${table} is a table now: expected a Map with its entries`);
    for (const [tableKey, value] of entries as Map<unknown, unknown>) {
      if (typeof tableKey !== 'string' && typeof tableKey !== 'number') {
        throw new TypeError(`a key of table ${table} is of type ${typeof tableKey}; expected a text or a number`);
      }
      add(table, tableKey, value);
    }
  }
  return units;
}

/** Does something of a step; whatever it throws names the actor and the step. */
function step<T>(who: string, from: number, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw failed(who, from, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function failed(who: string, from: number, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'MIGRATION_FAILED',
    `${who}, from version ${from} to ${from + 1}: ${what}. Nothing was started, and nothing was changed.`,
    { cause },
  );
}

/** Of a class of its own, or a promise, it would lose what it is. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return typeof value;
  return value === null ? 'null' : `a ${value.constructor?.name ?? 'value without a class'}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
