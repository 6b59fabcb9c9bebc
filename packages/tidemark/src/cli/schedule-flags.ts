import type { RunOptions } from '@tidemark/jobs/internal';
import type { Command } from 'commander';
import { readNumber, wrongFlag } from './flag-values.ts';

/** The flags that say when checkpoints are taken, as they were typed. */
export interface ScheduleFlags {
  readonly schedule?: string;
  readonly everyRecords?: string;
  readonly everyBytes?: string;
  readonly minPause?: string;
  readonly timeLimit?: string;
  readonly toleratedFailures?: string;
}

export function addScheduleFlags(command: Command): Command {
  return command
    .option('--schedule <S>', 'when to take checkpoints: 250ms, 1s, 5m, or six cron fields')
    .option('--every-records <N>', 'a checkpoint after N rows and messages')
    .option('--every-bytes <SIZE>', 'a checkpoint after so much input, as 64MB')
    .option('--min-pause <TIME>', 'no checkpoint by schedule sooner than this after the last one')
    .option('--time-limit <TIME>', 'give up a checkpoint that takes longer (default: 60s)')
    .option('--tolerated-failures <N>', 'failed checkpoints in a row; one more ends the job');
}

/** A text alone stays a text; an object where there is more. What a text means, the engine knows. */
export function readScheduleFlags(flags: ScheduleFlags, errors: string[]): RunOptions['schedule'] | undefined {
  const text = (flag: string, value: string | undefined): string | undefined => {
    if (value?.trim() === '') errors.push(wrongFlag(flag, value, 'something that is not empty'));
    return value;
  };
  const whole = (flag: string, value: string | undefined, min: number, expected: string): number | undefined => {
    if (value === undefined) return undefined;
    const read = readNumber(value);
    if (!Number.isSafeInteger(read) || read < min) errors.push(wrongFlag(flag, value, expected));
    return read;
  };
  const schedule = text('--schedule', flags.schedule);
  const options = {
    records: whole('--every-records', flags.everyRecords, 1, RECORDS),
    bytes: text('--every-bytes', flags.everyBytes),
    minPause: text('--min-pause', flags.minPause),
    timeLimit: text('--time-limit', flags.timeLimit),
    toleratedFailures: whole('--tolerated-failures', flags.toleratedFailures, 0, FAILURES),
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) return schedule;
  if (schedule === undefined) return given;
  return CRON.test(schedule.trim()) ? { cron: schedule, ...given } : { every: schedule, ...given };
}

/** Five fields or more; an interval has two at most. */
const CRON = /^\S+(\s+\S+){4,}$/;

const RECORDS = 'the number of rows and messages between two checkpoints, a whole number from 1';

const FAILURES =
  'the number of failed checkpoints in a row that are tolerated, a whole number from 0; leave it out to tolerate all';
