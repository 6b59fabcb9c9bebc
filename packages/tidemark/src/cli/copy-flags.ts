import type { CopyOptions } from '@tidemark/checkpoint';
import type { Command } from 'commander';
import { readNumber, wrongFlag } from './flag-values.ts';

/** The flags that ask for copies, as they were typed. */
export interface CopyFlags {
  readonly copyTo?: string;
  readonly copySchedule?: string;
  readonly copyKeep?: string;
}

const DEFAULT_SCHEDULE = '5m';

export function addCopyFlags(command: Command): Command {
  return command
    .option('--copy-to <URL>', 'copy the newest checkpoint to another store, now and then')
    .option('--copy-schedule <S>', `when to copy (default: ${DEFAULT_SCHEDULE})`)
    .option('--copy-keep <N>', 'copies to keep there (default: 10)');
}

/** Undefined when nothing was said. What a schedule or a store URL means, the engine knows. */
export function readCopyFlags(flags: CopyFlags, errors: string[]): readonly CopyOptions[] | undefined {
  const { copyTo: location, copySchedule: schedule, copyKeep } = flags;
  if (location === undefined) {
    if ((schedule ?? copyKeep) === undefined) return undefined;
    errors.push('--copy-schedule and --copy-keep say how to copy, not where. Give --copy-to, too.');
    return undefined;
  }
  for (const [flag, value] of [
    ['--copy-to', location],
    ['--copy-schedule', schedule],
  ] as const) {
    if (value?.trim() === '') errors.push(wrongFlag(flag, value, 'something that is not empty'));
  }
  const keep = copyKeep === undefined ? undefined : readNumber(copyKeep);
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep >= 1)) {
    errors.push(wrongFlag('--copy-keep', copyKeep ?? '', 'the number of copies to keep, a whole number from 1'));
  }
  return [{ location, schedule: schedule ?? DEFAULT_SCHEDULE, ...(keep === undefined ? {} : { keep }) }];
}
