import type { AnyActor } from '@tidemark/actors';
import type { CheckpointRecord } from '../record.ts';
import { missingStep } from './migrate.ts';
import type { Mapping, ProgramParts } from './program.ts';

/**
 * What becomes of the state of one definition or task, and of the messages to it:
 * `mapped` it goes on; `migrated` it goes on in another version; `renamed` under another name; `dropped` it is given up, as
 * was asked; `new` the checkpoint knows nothing of it; `empty` the program has it no more, and nothing of it is stored;
 * `unclaimed` the program has it no more, and a start is refused (`STATE_UNCLAIMED`); `other-version` no step leads to
 * the program's version, and a start is refused (`CHECKPOINT_INCOMPATIBLE`); `failed` a step threw (`MIGRATION_FAILED`), or
 * there are messages for a handler that is no more (`HANDLER_UNKNOWN`).
 */
export type PlanOutcome =
  | 'mapped'
  | 'migrated'
  | 'renamed'
  | 'dropped'
  | 'new'
  | 'empty'
  | 'unclaimed'
  | 'other-version'
  | 'failed';

/** What is to be done with all that a checkpoint holds of one name. */
export type Fate =
  /** Of a task: as it is. */
  | { readonly kind: 'task' }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'unclaimed' }
  /** No step begins from `missing`; null where the checkpoint's version is the later one. */
  | {
      readonly kind: 'other-version';
      readonly definition: AnyActor;
      readonly stored: number;
      readonly missing: number | null;
    }
  | {
      readonly kind: 'kept';
      readonly definition: AnyActor;
      /** Version in the checkpoint. */
      readonly stored: number;
    };

export function fateOf(type: string, record: CheckpointRecord, mapping: Mapping, program: ProgramParts): Fate {
  if (program.isTask(type)) return { kind: 'task' };
  if (mapping.drop.includes(type)) return { kind: 'dropped' };
  const definition = program.definitions.get(newName(type, mapping));
  if (definition === undefined) return { kind: 'unclaimed' };
  const stored = record.definitions[type] ?? definition.version;
  if (stored > definition.version) return { kind: 'other-version', definition, stored, missing: null };
  const missing = missingStep(definition, stored);
  if (missing !== null) return { kind: 'other-version', definition, stored, missing };
  return { kind: 'kept', definition, stored };
}

/** New names by old ones, as far as the checkpoint knows these. */
export function renames({ rename }: Mapping, record: CheckpointRecord): ReadonlyMap<string, string> {
  return new Map(Object.entries(rename).filter(([name]) => Object.hasOwn(record.definitions, name)));
}

export function newName(type: string, { rename }: Mapping): string {
  return Object.hasOwn(rename, type) ? rename[type] : type;
}
