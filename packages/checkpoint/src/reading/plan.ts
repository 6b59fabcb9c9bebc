import { decodeValue } from '@tidemark/actors/internal';
import { CheckpointError } from '../errors.ts';
import type { PartContent } from '../part.ts';
import type { CheckpointRecord } from '../record.ts';
import { type Census, census } from './census.ts';

/**
 * What becomes of the state of one definition or task at a start:
 * `mapped` it goes on; `new` the checkpoint knows nothing of it; `empty` the program has it no more, and nothing of it is
 * stored; `unclaimed` the program has it no more, and a start is refused (`STATE_UNCLAIMED`); `other-version` the program has
 * another version, and a start is refused (`CHECKPOINT_INCOMPATIBLE`).
 */
export type PlanOutcome = 'mapped' | 'new' | 'empty' | 'unclaimed' | 'other-version';

export interface PlanRow {
  readonly type: string;
  readonly outcome: PlanOutcome;
  /** Version in the checkpoint, and in the program; null where it is a task, or not there. */
  readonly stored: number | null;
  readonly defined: number | null;
  readonly units: number;
  readonly messages: number;
}

/** What a program has. */
export interface ProgramParts {
  /** Versions of its definitions by name. */
  readonly definitions: Readonly<Record<string, number>>;
  /** Names of its tasks. */
  readonly tasks: readonly string[];
}

/**
 * Says what a start of a program would do with a checkpoint, and decodes all of it.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` when a value cannot be decoded
 */
export function planRestore(record: CheckpointRecord, parts: readonly PartContent[], program: ProgramParts): PlanRow[] {
  const { units, motion } = decodeAll(record, parts);
  // Answers to an earlier process are dropped by every start.
  const moving = motion.filter(({ type }) => !type.startsWith(ANSWERS));
  const held = [...units, ...moving].map(({ type }) => type);
  const types = new Set([
    ...held,
    ...Object.keys(record.definitions),
    ...Object.keys(program.definitions),
    ...program.tasks,
  ]);
  return [...types].sort().map((type) => {
    const row = {
      type,
      stored: record.definitions[type] ?? null,
      defined: program.definitions[type] ?? null,
      units: sum(units.filter((group) => group.type === type).map((group) => group.units)),
      messages: sum(moving.filter((group) => group.type === type).map((group) => group.messages)),
    };
    return { ...row, outcome: outcomeOf(row, program.tasks.includes(type)) };
  });
}

const ANSWERS = 'tidemark:';

function decodeAll(record: CheckpointRecord, parts: readonly PartContent[]): Census {
  try {
    for (const unit of parts.flatMap((part) => part.units)) decodeValue(unit.value);
    return census(parts);
  } catch (cause) {
    throw new CheckpointError('CHECKPOINT_DAMAGED', `checkpoint ${record.position} holds what cannot be decoded`, {
      cause,
    });
  }
}

function outcomeOf(row: Omit<PlanRow, 'outcome'>, isTask: boolean): PlanOutcome {
  const isHeld = row.units + row.messages > 0;
  if (isTask) return isHeld ? 'mapped' : 'new';
  if (row.defined === null) return isHeld ? 'unclaimed' : 'empty';
  if (row.stored === null) return isHeld ? 'mapped' : 'new';
  return row.units > 0 && row.stored !== row.defined ? 'other-version' : 'mapped';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
