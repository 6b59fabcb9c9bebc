import type { UnitData } from '@tidemark/actors/internal';
import { decodeValue } from '@tidemark/actors/internal';
import { actorView, type CheckpointView, keyedUnits, sortedUnits } from '@tidemark/checkpoint/internal';
import { toJson } from '../json.ts';
import { bytes, counted } from '../numbers.ts';
import { tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';
import type { Address } from './commands.ts';
import { actorJson, toPlainJson } from './value-json.ts';

/** The state of one actor or key, as it was at the cut; null when the checkpoint holds none. */
export function inspectAnswer(view: CheckpointView, { type, key }: Address): Answer | null {
  const { units, warnings } = unitsOf(view);
  const state = stateOf(units, type, key);
  if (state === undefined) return null;
  const { position } = view.record;
  return {
    text: toJson(state, 2),
    json: { job: view.job, position, type, key, state, damage: warnings },
    warnings,
    code: warnings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}

/** All units of a checkpoint, `limit` of them. */
export function unitsAnswer(view: CheckpointView, limit: number): Answer {
  const { units, warnings } = unitsOf(view);
  const shown = sortedUnits(units).slice(0, limit);
  const rows = shown.map(({ type, key, table, tableKey, value }) => ({
    definition: type,
    key,
    table,
    'key in table': tableKey === null ? '' : String(tableKey),
    size: bytes(value.length),
  }));
  const { position } = view.record;
  const note = units.length > shown.length ? `${shown.length} of ${counted(units.length, 'unit')}: see --limit.` : '';
  const list = shown.map(({ value, ...address }) => ({ ...address, bytes: value.length }));
  return {
    text: paragraphs([tableText(rows), units.length === 0 ? `Checkpoint ${position} holds no units.` : note]),
    json: { job: view.job, position, count: units.length, units: list, damage: warnings },
    warnings,
    code: warnings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}

/** Units of all parts that can be read, and what is wrong with the others. */
export function unitsOf(view: CheckpointView): { readonly units: UnitData[]; readonly warnings: readonly string[] } {
  return {
    units: view.parts.flatMap((part) => (part.ok ? part.content.units : [])),
    warnings: view.parts.flatMap((part) => (part.ok ? [] : [part.error.message])),
  };
}

/** A key of a task comes first: what else such an address could name (the counters of a worker) is of no use alone. */
function stateOf(units: readonly UnitData[], type: string, key: string): unknown {
  const [keyed, second] = keyedUnits(units, type, key).map((unit) => [
    unit.tableKey,
    toPlainJson(decodeValue(unit.value)),
  ]);
  if (second !== undefined) return { $type: 'Table', value: [keyed, second] };
  if (keyed !== undefined) return keyed[1];
  const actor = actorView(units, type, key);
  return actor === null ? undefined : actorJson(actor);
}
