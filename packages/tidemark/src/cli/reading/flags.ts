import { LIST_LIMIT } from '../limits.ts';
import type { Address, ReadingCommand } from './commands.ts';

/** Name of a job's task: its keys have addresses like those of actors. */
const JOB = 'job';

/** The flags of the commands that look, as they were typed. */
export interface ReadingFlags {
  readonly store: string;
  readonly job?: string;
  readonly actor?: string;
  readonly jobKey?: string;
  readonly limit?: string;
  readonly json?: true;
  readonly verbose?: true;
}

export type ReadingRead = { readonly command: ReadingCommand } | { readonly errors: readonly string[] };

/** Checks what can be checked without opening the store. All that is wrong is named at once. */
export function readReading(
  kind: ReadingCommand['kind'],
  positions: readonly (string | undefined)[],
  flags: ReadingFlags,
): ReadingRead {
  const errors: string[] = [];
  if (flags.store.trim() === '') errors.push("--store '': expected a folder or the URL of a store.");
  const { json = false, verbose = false, job = null } = flags;
  const common = { store: flags.store, job, json, verbose };
  const [position = null, other = null] = positions.map((text) => positionOf(text, errors));
  const command = commandOf(kind, common, position, other, {
    limit: limitOf(flags.limit, errors),
    actor: addressOf(flags, errors),
  });
  return errors.length === 0 ? { command } : { errors };
}

function commandOf(
  kind: ReadingCommand['kind'],
  common: Pick<ReadingCommand, 'store' | 'job' | 'json' | 'verbose'>,
  position: number | null,
  other: number | null,
  { limit, actor }: { readonly limit: number; readonly actor: Address | null },
): ReadingCommand {
  switch (kind) {
    case 'checkpoints':
      return { kind, ...common };
    case 'show':
    case 'verify':
      return { kind, ...common, position };
    case 'inspect':
      return { kind, ...common, position, actor, limit };
    case 'diff':
      return { kind, ...common, before: position ?? 0, after: other ?? 0, limit };
  }
}

function positionOf(text: string | undefined, errors: string[]): number | null {
  if (text === undefined) return null;
  const position = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(position) && position > 0) return position;
  errors.push(`${text}: expected the position of a checkpoint, a whole number from 1. See: tidemark checkpoints`);
  return null;
}

function limitOf(text: string | undefined, errors: string[]): number {
  if (text === undefined) return LIST_LIMIT;
  const limit = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(limit)) return limit;
  errors.push(`--limit ${text}: expected how many lines to show at most, a whole number from 0.`);
  return LIST_LIMIT;
}

function addressOf({ actor, jobKey }: ReadingFlags, errors: string[]): Address | null {
  if (jobKey !== undefined) {
    if (actor !== undefined) errors.push('--actor and --job-key name two different things. Give one of them.');
    return { type: JOB, key: jobKey };
  }
  if (actor === undefined) return null;
  const slash = actor.indexOf('/');
  if (slash > 0) return { type: actor.slice(0, slash), key: actor.slice(slash + 1) };
  errors.push(`--actor ${actor}: expected TYPE/KEY, for example account/7.`);
  return null;
}
