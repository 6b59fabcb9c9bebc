import { assertNever } from '../assert-never.ts';
import { type KeepFlags, readKeepFlags } from '../keep-flags.ts';
import { LIST_LIMIT } from '../limits.ts';
import { readRenames } from '../run-flags.ts';
import type { Address, ReadingCommand } from './commands.ts';

/** Name of a job's task: its keys have addresses like those of actors. */
const JOB = 'job';

/** The flags of the commands over a store, as they were typed. */
export interface ReadingFlags extends KeepFlags {
  readonly store?: string;
  readonly job?: string;
  readonly from?: string;
  readonly drop?: readonly string[];
  readonly rename?: readonly string[];
  readonly actor?: string;
  readonly jobKey?: string;
  readonly limit?: string;
  readonly label?: string;
  readonly dryRun?: true;
  readonly json?: true;
  readonly verbose?: true;
}

/** A command as it was typed: what is no flag stands in `words`, in its order. */
export interface TypedReading {
  readonly kind: ReadingCommand['kind'];
  readonly words: readonly (string | undefined)[];
  readonly flags: ReadingFlags;
}

export type ReadingRead = { readonly command: ReadingCommand } | { readonly errors: readonly string[] };

/** Checks what can be checked without opening the store. All that is wrong is named at once. */
export function readReading(typed: TypedReading): ReadingRead {
  const errors: string[] = [];
  const command = commandOf(typed, errors);
  if (command.store.trim() === '') errors.push("'': expected a folder or the URL of a store.");
  return errors.length === 0 ? { command } : { errors };
}

function commandOf({ kind, words, flags }: TypedReading, errors: string[]): ReadingCommand {
  const { json = false, verbose = false, job = null, store = '' } = flags;
  const common = { store, job, json, verbose };
  const [first, second, third] = words;
  const position = (word: string | undefined): number | null => positionOf(word, errors);
  switch (kind) {
    case 'checkpoints':
      return { kind, ...common };
    case 'show':
    case 'verify':
      return { kind, ...common, position: position(first) };
    case 'inspect': {
      const limit = limitOf(flags.limit, errors);
      return { kind, ...common, position: position(first), actor: addressOf(flags, errors), limit };
    }
    case 'diff': {
      const limit = limitOf(flags.limit, errors);
      return { kind, ...common, before: position(first) ?? 0, after: position(second) ?? 0, limit };
    }
    case 'plan': {
      const mapping = { drop: flags.drop ?? [], rename: readRenames(flags.rename ?? [], errors) };
      return { kind, ...common, position: position(flags.from), file: first ?? '', mapping };
    }
    case 'doctor':
      return { kind, ...common, store: first ?? '' };
    case 'copy':
      return { kind, ...common, store: first ?? '', to: second ?? '', position: position(third) };
    case 'pin':
      return { kind, ...common, position: position(first) ?? 0, label: labelOf(flags.label, errors) };
    case 'unpin':
      return { kind, ...common, position: position(first) ?? 0 };
    case 'savepoint':
      return { kind, ...common, position: position(first), label: labelOf(flags.label, errors) };
    case 'gc':
      return { kind, ...common, dryRun: flags.dryRun === true, keep: readKeepFlags(flags, errors) ?? null };
    default:
      return assertNever(kind);
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

function labelOf(text: string | undefined, errors: string[]): string | null {
  if (text === undefined) return null;
  if (text.trim() === '') errors.push("--label '': expected a letter, then letters, digits, '.', '_' and '-'.");
  return text;
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
