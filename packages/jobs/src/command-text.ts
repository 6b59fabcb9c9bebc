import { fileURLToPath } from 'node:url';
import type { RunOptions } from './run-events.ts';

/** The command that runs a job with these options from a checkpoint that a person must choose, for messages. */
export function commandText(file: URL, options: RunOptions, position: number): string {
  const flags: readonly Flag[] = [
    ['--output', options.output],
    ['--store', options.store],
    ['--workers', options.workers],
    ...scheduleFlags(options.schedule),
    ['--compression', options.compression],
    ...keepFlags(options.keep),
    ...(options.copies ?? []).flatMap(copyFlags),
    ['--rate', options.rate],
    ['--key', options.key],
    ['--bad-rows', options.badRows],
  ];
  const words = ['tidemark', 'run', fileURLToPath(file)];
  if (options.input !== undefined) words.push('--input', ...options.input);
  for (const [flag, value] of flags) if (value !== undefined) words.push(flag, String(value));
  if (options.drop !== undefined) words.push('--drop', ...options.drop);
  const renames = Object.entries(options.rename ?? {}).map(([from, to]) => `${from}=${to}`);
  if (renames.length > 0) words.push('--rename', ...renames);
  if (options.allowNfs === true) words.push('--allow-nfs');
  if (options.inline === true) words.push('--inline');
  return [...words, '--from', String(position), '--accept-duplicates'].map(quoted).join(' ');
}

function keepFlags(keep: RunOptions['keep']): readonly Flag[] {
  const { last, hourly, daily, weekly, timezone } = typeof keep === 'object' ? keep : { last: keep };
  return [
    ['--keep', last],
    ['--keep-hourly', hourly],
    ['--keep-daily', daily],
    ['--keep-weekly', weekly],
    ['--keep-timezone', timezone],
  ];
}

type Flag = readonly [string, string | number | undefined];

/** A time zone has no flag: it comes from the job's own file, and stays there. */
function scheduleFlags(schedule: RunOptions['schedule']): readonly Flag[] {
  if (typeof schedule !== 'object') return [['--schedule', schedule]];
  return [
    ['--schedule', schedule.every ?? schedule.cron],
    ['--every-records', schedule.records],
    ['--every-bytes', schedule.bytes],
    ['--min-pause', schedule.minPause],
    ['--time-limit', schedule.timeLimit],
    ['--tolerated-failures', schedule.toleratedFailures],
  ];
}

function copyFlags({ location, schedule, keep }: NonNullable<RunOptions['copies']>[number]): readonly Flag[] {
  return [
    ['--copy-to', location],
    ['--copy-schedule', schedule],
    ['--copy-keep', keep],
  ];
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
