import { fileURLToPath } from 'node:url';
import type { RunOptions } from './run-events.ts';

/** The command that runs a job with these options from a checkpoint that a person must choose, for messages. */
export function commandText(file: URL, options: RunOptions, position: number): string {
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ['--output', options.output],
    ['--store', options.store],
    ['--workers', options.workers],
    ['--schedule', options.schedule],
    ['--compression', options.compression],
    ...keepFlags(options.keep),
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
  if (options.inline === true) words.push('--inline');
  return [...words, '--from', String(position), '--accept-duplicates'].map(quoted).join(' ');
}

function keepFlags(keep: RunOptions['keep']): (readonly [string, string | number | undefined])[] {
  const { last, hourly, daily, weekly, timezone } = typeof keep === 'object' ? keep : { last: keep };
  return [
    ['--keep', last],
    ['--keep-hourly', hourly],
    ['--keep-daily', daily],
    ['--keep-weekly', weekly],
    ['--keep-timezone', timezone],
  ];
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
