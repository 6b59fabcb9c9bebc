import { isDeepStrictEqual } from 'node:util';
import { decodeValue, type UnitData } from '@tidemark/actors/internal';
import { sortedUnits } from './units.ts';

/** A unit that two checkpoints do not hold alike; null on the side that does not have it. */
export interface UnitChange {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before: UnitData | null;
  readonly after: UnitData | null;
}

/** What has become of the units of `before`, in the order of their addresses. */
export function diffUnits(before: readonly UnitData[], after: readonly UnitData[]): readonly UnitChange[] {
  const old = new Map(before.map((unit) => [addressOf(unit), unit]));
  const now = new Map(after.map((unit) => [addressOf(unit), unit]));
  const all = new Map([...old, ...now]);
  return sortedUnits([...all.values()]).flatMap((unit): UnitChange[] => {
    const address = addressOf(unit);
    const was = old.get(address) ?? null;
    const is = now.get(address) ?? null;
    if (was === null) return [{ kind: 'added', before: null, after: is }];
    if (is === null) return [{ kind: 'removed', before: was, after: null }];
    return isSame(was, is) ? [] : [{ kind: 'changed', before: was, after: is }];
  });
}

/** Equal bytes are equal values; other bytes may be too, where fields stand in another order. */
function isSame(a: UnitData, b: UnitData): boolean {
  return Buffer.compare(a.value, b.value) === 0 || isDeepStrictEqual(decodeValue(a.value), decodeValue(b.value));
}

function addressOf({ type, key, table, tableKey }: UnitData): string {
  return JSON.stringify([type, key, table, tableKey]);
}
