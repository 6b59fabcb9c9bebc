import { ActorError } from '@tidemark/actors';
import { CheckpointError } from '../errors.ts';
import type { CheckpointRecord } from '../record.ts';
import type { Fate } from './fate.ts';
import type { Mapping, ProgramParts } from './program.ts';

/** Why a start is refused. Each text says what to do. */

/** What cannot be meant by `--drop` and `--rename`, whatever the checkpoint holds. */
export function mappingRefusals({ drop, rename }: Mapping, program: ProgramParts): CheckpointError[] {
  const { definitions, isTask } = program;
  const isDefined = (name: string): boolean => definitions.has(name) || isTask(name);
  const wrong: string[] = [];
  for (const name of drop) {
    if (isDefined(name)) wrong.push(`--drop ${name}: this program defines '${name}', so its state is not given up`);
    if (Object.hasOwn(rename, name)) wrong.push(`--drop ${name} and --rename ${name}=… contradict each other`);
  }
  for (const [from, to] of Object.entries(rename)) {
    if (isDefined(from)) wrong.push(`--rename ${from}=${to}: this program defines '${from}' still`);
    if (!definitions.has(to)) wrong.push(`--rename ${from}=${to}: this program defines no actor '${to}'`);
  }
  const targets = Object.values(rename);
  for (const to of new Set(targets.filter((name, i) => targets.indexOf(name) !== i)))
    wrong.push(`--rename …=${to}: two names cannot become one, since their keys may be the same`);
  return wrong.map((message) => new CheckpointError('MAPPING_INVALID', message));
}

export function bothStored({ position }: CheckpointRecord, from: string, to: string): CheckpointError {
  return new CheckpointError(
    'MAPPING_INVALID',
    `--rename ${from}=${to}: checkpoint ${position} holds state of '${to}' too, and their keys may be the same`,
  );
}

export function unclaimed({ position }: CheckpointRecord, types: readonly string[]): CheckpointError {
  const names = types.map((type) => `'${type}'`).join(', ');
  return new CheckpointError(
    'STATE_UNCLAIMED',
    `checkpoint ${position} holds state of ${names}, which this program does not define; nothing was started and nothing is lost. ` +
      `Define it again, say --rename ${types[0]}=NEW if it has another name now, or --drop ${types[0]} to give it up.`,
  );
}

export function otherVersion(
  { position }: CheckpointRecord,
  type: string,
  { stored, missing, definition }: Extract<Fate, { readonly kind: 'other-version' }>,
): CheckpointError {
  const { version } = definition;
  const advice =
    missing === null
      ? 'A program of an earlier version cannot go on from it: run the later one, or one that has its version.'
      : `No step leads there: migrate: { ${missing}: (old) => … } in its definition would make it version ${missing + 1}.`;
  return new CheckpointError(
    'CHECKPOINT_INCOMPATIBLE',
    `checkpoint ${position} holds state of '${type}' version ${stored}; this program defines version ${version}. ${advice}`,
  );
}

export function tableGone({ position }: CheckpointRecord, type: string, table: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_INCOMPATIBLE',
    `checkpoint ${position} holds table '${table}' of '${type}', whose state has no such table now. Raise its version, and say in migrate what becomes of it.`,
  );
}

export function handlerUnknown({ position }: CheckpointRecord, type: string, handler: string): ActorError {
  return new ActorError(
    'HANDLER_UNKNOWN',
    `checkpoint ${position} holds a message '${handler}' to '${type}', which has no such handler now. Put it back, or raise the version and say in migrateMessage what becomes of it.`,
  );
}
