import { decodeValue, type UnitData } from '@tidemark/actors/internal';
import { type CheckpointView, diffUnits, type UnitChange, unitText } from '@tidemark/checkpoint/internal';
import { toJson } from '../json.ts';
import { STATE_CHARS } from '../limits.ts';
import { counted } from '../numbers.ts';
import { plain } from '../padding.ts';
import { type Answer, paragraphs } from './answer.ts';
import { unitsOf } from './inspect.ts';
import { toPlainJson } from './value-json.ts';

/** Units that two checkpoints do not hold alike, `limit` of them with their states. */
export function diffAnswer(before: CheckpointView, after: CheckpointView, limit: number): Answer {
  const old = unitsOf(before);
  const now = unitsOf(after);
  const changes = diffUnits(old.units, now.units);
  const shown = changes.slice(0, limit);
  const count = countOf(changes);
  const sum = `${before.record.position} → ${after.record.position}: ${count.added} added, ${count.removed} removed, ${count.changed} changed`;
  const note =
    changes.length > shown.length ? `${shown.length} of ${counted(changes.length, 'change')}: see --limit.` : '';
  const warnings = [...old.warnings, ...now.warnings];
  return {
    text: paragraphs([sum, shown.map(changeText).join('\n'), note]),
    json: {
      job: before.job,
      before: before.record.position,
      after: after.record.position,
      ...count,
      changes: shown.map(changeJson),
      damage: warnings,
    },
    warnings,
    code: warnings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}

function countOf(changes: readonly UnitChange[]): Record<UnitChange['kind'], number> {
  const count = { added: 0, removed: 0, changed: 0 };
  for (const { kind } of changes) count[kind]++;
  return count;
}

const SIGN = { added: '+', removed: '-', changed: '~' } as const;

function changeText(change: UnitChange): string {
  const lines = [`${SIGN[change.kind]} ${plain(unitText(unitOf(change)))}`];
  if (change.before !== null) lines.push(`    was ${stateText(change.before)}`);
  if (change.after !== null) lines.push(`    is  ${stateText(change.after)}`);
  return lines.join('\n');
}

function changeJson(change: UnitChange): object {
  const { type, key, table, tableKey } = unitOf(change);
  const state = (unit: UnitData | null): object =>
    unit === null ? {} : { value: toPlainJson(decodeValue(unit.value)) };
  const { value: before } = state(change.before) as { value?: unknown };
  const { value: after } = state(change.after) as { value?: unknown };
  return { kind: change.kind, type, key, table, tableKey, before, after };
}

function unitOf({ before, after }: UnitChange): UnitData {
  const unit = after ?? before;
  if (unit === null) throw new TypeError('a change has a unit on one side at least');
  return unit;
}

/** In one line: whoever wants all of it asks for JSON, or inspects. */
function stateText(unit: UnitData): string {
  const text = plain(toJson(toPlainJson(decodeValue(unit.value))));
  return text.length > STATE_CHARS ? `${text.slice(0, STATE_CHARS)}…` : text;
}
