import { decodeValue, type Envelope, holdsMessages, type UnitData, unpackMessages } from '@tidemark/actors/internal';
import type { PartContent } from '@tidemark/checkpoint/internal';

/** One unit with its value. */
export interface Unit {
  readonly key: string;
  readonly table: string;
  readonly tableKey: string | number | null;
  readonly value: unknown;
}

/** Units of what was looked at already: a cut is asked for the same ones several times. */
const known = new WeakMap<readonly PartContent[], Map<string, readonly Unit[]>>();

/** Values of units that were decoded already: a file is in many cuts. Whoever gets one changes nothing in it. */
const values = new WeakMap<UnitData, { readonly value: unknown }>();

/** Units of one definition. A unit that is there twice is a violation by itself. */
export function unitsOf(parts: readonly PartContent[], type: string): readonly Unit[] {
  let byType = known.get(parts);
  if (byType === undefined) known.set(parts, (byType = new Map()));
  let units = byType.get(type);
  if (units === undefined) byType.set(type, (units = decodeUnits(parts, type)));
  return units;
}

function decodeUnits(parts: readonly PartContent[], type: string): readonly Unit[] {
  const seen = new Set<string>();
  const found: Unit[] = [];
  for (const { units } of parts) {
    for (const unit of units) {
      if (unit.type !== type) continue;
      const { key, table, tableKey } = unit;
      const name = `${key}/${table}/${String(tableKey)}`;
      if (seen.has(name)) throw new Error(`unit ${type}/${name} is in the cut twice`);
      seen.add(name);
      found.push({ key, table, tableKey, value: valueOf(unit) });
    }
  }
  return found;
}

function valueOf(unit: UnitData): unknown {
  let decoded = values.get(unit);
  if (decoded === undefined) values.set(unit, (decoded = { value: decodeValue(unit.value) }));
  return decoded.value;
}

/** All messages on their way to one handler, in the order in which a restore would deliver them. */
export function messagesTo(parts: readonly PartContent[], type: string, handler: string): readonly Envelope[] {
  const found: Envelope[] = [];
  for (const where of ['mail', 'channels', 'outboxes'] as const) {
    for (const part of parts) {
      for (const frame of part[where]) {
        if (!holdsMessages(frame)) continue;
        for (const envelope of unpackMessages(frame)) {
          if (envelope.type === type && envelope.handler === handler) found.push(envelope);
        }
      }
    }
  }
  return found;
}
