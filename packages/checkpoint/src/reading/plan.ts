import { decodeValue } from '@tidemark/actors/internal';
import { CheckpointError } from '../errors.ts';
import { type MappedCheckpoint, mapCheckpoint, type PlanRow } from '../mapping/map-checkpoint.ts';
import type { Mapping, ProgramParts } from '../mapping/program.ts';
import type { PartContent } from '../part.ts';
import type { CheckpointRecord } from '../record.ts';
import { census } from './census.ts';

/** What a start would make of a checkpoint. */
export type RestorePlan = Pick<MappedCheckpoint, 'rows' | 'refusals'>;

/**
 * Says what a start of a program would do with a checkpoint, and decodes all of it.
 *
 * @param tasks names of the program's tasks
 * @throws CheckpointError `CHECKPOINT_DAMAGED` when a value cannot be decoded
 */
export function planRestore(
  record: CheckpointRecord,
  parts: readonly PartContent[],
  program: Pick<ProgramParts, 'definitions'> & { readonly tasks: readonly string[] },
  mapping: Mapping,
): RestorePlan {
  decodeAll(record, parts);
  const { definitions, tasks } = program;
  const mapped = mapCheckpoint(record, parts, { definitions, isTask: (name) => tasks.includes(name) }, mapping);
  const begins = tasks.filter((task) => mapped.rows.every(({ type }) => type !== task)).map(newTask);
  return { rows: [...mapped.rows, ...begins], refusals: mapped.refusals };
}

/** Whether a start changes something that people should hear of before. */
export function isTrivial({ outcome, refs }: PlanRow): boolean {
  return !TOLD.has(outcome) && refs === 0;
}

const TOLD: ReadonlySet<PlanRow['outcome']> = new Set(['migrated', 'renamed', 'dropped']);

function newTask(type: string): PlanRow {
  const nothing = { units: 0, messages: 0, messagesDropped: 0, refs: 0 };
  return { type, outcome: 'new', to: null, stored: null, defined: null, ...nothing };
}

function decodeAll(record: CheckpointRecord, parts: readonly PartContent[]): void {
  try {
    for (const unit of parts.flatMap((part) => part.units)) decodeValue(unit.value);
    census(parts);
  } catch (cause) {
    throw new CheckpointError('CHECKPOINT_DAMAGED', `checkpoint ${record.position} holds what cannot be decoded`, {
      cause,
    });
  }
}
