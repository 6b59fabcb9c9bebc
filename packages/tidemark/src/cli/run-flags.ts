import type { Compression } from '@tidemark/checkpoint';
import type { RunOptions } from '@tidemark/jobs/internal';
import { type CopyFlags, readCopyFlags } from './copy-flags.ts';
import { readNumber, wrongFlag } from './flag-values.ts';
import { readScheduleFlags, type ScheduleFlags } from './schedule-flags.ts';
import { type KeepFlags, readKeepFlags } from './keep-flags.ts';
import { WORKERS_MAX } from './limits.ts';

/** The flags of `tidemark run` as they were typed. */
export interface RunFlags extends KeepFlags, ScheduleFlags, CopyFlags {
  readonly input?: readonly string[];
  readonly output?: string;
  readonly store?: string;
  readonly workers?: string;
  readonly compression?: string;
  readonly allowNfs?: boolean;
  readonly rate?: string;
  readonly key?: string;
  readonly badRows?: string;
  readonly fresh?: true;
  readonly from?: string;
  readonly acceptDuplicates?: true;
  readonly drop?: readonly string[];
  readonly rename?: readonly string[];
  readonly wait?: true;
  readonly takeOver?: true;
  readonly inline?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

export interface FlagsRead {
  readonly options: RunOptions;
  /** One for each thing that is wrong: all at once, so that nobody has to find them one by one. */
  readonly errors: readonly string[];
}

/** Checks what can be checked without looking at the job. What a schedule or a store URL means, the engine knows. */
export function readRunFlags(flags: RunFlags): FlagsRead {
  const errors: string[] = [];
  const text = (flag: string, value: string | undefined): string | undefined => {
    if (value?.trim() === '') errors.push(wrongFlag(flag, value, 'something that is not empty'));
    return value;
  };
  const number = (flag: string, value: string | undefined, is: NumberRule): number | undefined => {
    if (value === undefined) return undefined;
    const read = readNumber(value);
    if (!is.allowed(read)) errors.push(wrongFlag(flag, value, is.expected));
    return read;
  };
  if (flags.fresh && flags.from !== undefined) {
    errors.push(
      '--fresh and --from contradict each other. Give --fresh to begin anew, or --from to go on from a checkpoint.',
    );
  }
  if (flags.wait && flags.takeOver) {
    errors.push(
      '--wait and --take-over contradict each other. Give --wait to begin when the other process has ended, or --take-over to end it.',
    );
  }
  const options = {
    input: flags.input?.map((path) => text('--input', path) ?? ''),
    output: text('--output', flags.output),
    store: text('--store', flags.store),
    workers: number('--workers', flags.workers, WORKERS),
    schedule: readScheduleFlags(flags, errors),
    keep: readKeepFlags(flags, errors),
    compression: readCompression(flags.compression, errors),
    allowNfs: flags.allowNfs,
    copies: readCopyFlags(flags, errors),
    rate: number('--rate', flags.rate, RATE),
    key: text('--key', flags.key),
    badRows: readBadRows(flags.badRows, errors),
    fresh: flags.fresh,
    from: number('--from', flags.from, POSITION),
    acceptDuplicates: flags.acceptDuplicates,
    drop: flags.drop?.map((name) => text('--drop', name) ?? ''),
    rename: flags.rename === undefined ? undefined : readRenames(flags.rename, errors),
    ifRunning: readIfRunning(flags),
    inline: flags.inline,
  };
  return { options: given(options), errors };
}

interface NumberRule {
  readonly expected: string;
  allowed(value: number): boolean;
}

const WORKERS: NumberRule = {
  expected: `a whole number from 1 to ${WORKERS_MAX}; leave it out to use every core`,
  allowed: (value) => Number.isInteger(value) && value >= 1 && value <= WORKERS_MAX,
};

const RATE: NumberRule = {
  expected: 'rows a second over all workers, more than 0; leave it out to run as fast as possible',
  allowed: (value) => Number.isFinite(value) && value > 0,
};

const POSITION: NumberRule = {
  expected: 'the position of a checkpoint, a whole number from 0',
  allowed: (value) => Number.isSafeInteger(value) && value >= 0,
};

/** Not asked of the engine, which the supervisor must not load. */
const COMPRESSIONS: Readonly<Record<Compression, true>> = { none: true, gzip: true, zstd: true, snappy: true };

function isCompression(value: string): value is Compression {
  return Object.hasOwn(COMPRESSIONS, value);
}

function readCompression(value: string | undefined, errors: string[]): RunOptions['compression'] {
  if (value === undefined || isCompression(value)) return value;
  errors.push(wrongFlag('--compression', value, 'none, gzip, zstd or snappy'));
  return undefined;
}

/** `old=new`, each. */
export function readRenames(renames: readonly string[], errors: string[]): Readonly<Record<string, string>> {
  const names = new Map<string, string>();
  for (const rename of renames) {
    const [, from, to] = /^([^=]+)=([^=]+)$/.exec(rename) ?? [];
    if (from === undefined || to === undefined) errors.push(wrongFlag('--rename', rename, 'OLD=NEW, names of actors'));
    else if (names.has(from)) errors.push(`--rename names ${from} twice. Give it one new name.`);
    else names.set(from, to);
  }
  return Object.fromEntries(names);
}

function readIfRunning({ wait, takeOver }: RunFlags): RunOptions['ifRunning'] {
  if (takeOver) return 'take-over';
  return wait ? 'wait' : undefined;
}

function readBadRows(value: string | undefined, errors: string[]): RunOptions['badRows'] {
  if (value === undefined || value === 'stop' || value === 'skip') return value;
  if (value.startsWith('file:') && value.length > 'file:'.length) return value as `file:${string}`;
  errors.push(wrongFlag('--bad-rows', value, 'stop, skip, or file:DIR to set them aside in a folder'));
  return undefined;
}

/** Without the keys that nobody gave. */
function given(options: { readonly [K in keyof RunOptions]: RunOptions[K] | undefined }): RunOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
