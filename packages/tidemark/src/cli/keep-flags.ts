import type { KeepOptions } from '@tidemark/checkpoint';
import type { Command } from 'commander';
import { readNumber, wrongFlag } from './flag-values.ts';

/** What shall be kept, as it was typed. */
export interface KeepFlags {
  readonly keep?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepTimezone?: string;
}

export function addKeepFlags(command: Command): Command {
  return command
    .option('--keep <N>', 'checkpoints to keep at least, the newest ones (default: 10)')
    .option('--keep-hourly <N>', 'and the newest of each of N hours')
    .option('--keep-daily <N>', 'and the newest of each of N days')
    .option('--keep-weekly <N>', 'and the newest of each of N weeks')
    .option('--keep-timezone <ZONE>', 'where these begin, e.g. Europe/Berlin (default: UTC)');
}

/** Undefined when nothing was said. */
export function readKeepFlags(flags: KeepFlags, errors: string[]): KeepOptions | undefined {
  const number = (flag: string, value: string | undefined, least: number, what: string): number | undefined => {
    if (value === undefined) return undefined;
    const read = readNumber(value);
    if (!(Number.isSafeInteger(read) && read >= least)) {
      errors.push(wrongFlag(flag, value, `${what}, a whole number from ${least}`));
    }
    return read;
  };
  const timezone = flags.keepTimezone;
  if (timezone !== undefined && !isTimezone(timezone)) {
    errors.push(wrongFlag('--keep-timezone', timezone, 'the name of a time zone, for example Europe/Berlin'));
  }
  const read = {
    last: number('--keep', flags.keep, 2, 'the number of checkpoints to keep at least'),
    hourly: number('--keep-hourly', flags.keepHourly, 0, 'the number of hours to keep one of each'),
    daily: number('--keep-daily', flags.keepDaily, 0, 'the number of days to keep one of each'),
    weekly: number('--keep-weekly', flags.keepWeekly, 0, 'the number of weeks to keep one of each'),
    timezone,
  };
  const given = Object.entries(read).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function isTimezone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
