import { createRequire } from 'node:module';
import type { Cron } from 'croner';
import { CheckpointError } from './errors.ts';
import { CUT_OVERDUE_MS } from './limits.ts';

/** When checkpoints are taken: `1s`, `0 *\/5 * * * *`, or more than that. */
export type ScheduleOption = string | ScheduleOptions;

/**
 * When checkpoints are taken, by any of `every`, `cron`, `records` and `bytes`, whichever comes first; every second where
 * none of them is given. What a program asks for, and the last one before a stop, come beside it.
 *
 * @example { every: '10s', records: 1_000_000, minPause: '500ms', timeLimit: '30s', toleratedFailures: 5 }
 */
export interface ScheduleOptions {
  /** An interval: `250ms`, `1s`, `5m`, `1h`. Time in which the machine sleeps does not count. */
  readonly every?: string;
  /** Five or six fields: `0 *\/5 * * * *` is every five minutes, at second 0. Instants that were slept through come once. */
  readonly cron?: string;
  /** Of `cron`, as `Europe/Berlin`; the machine's when not given. */
  readonly timezone?: string;
  /** After so many messages and rows were handled, by all threads together, since the last cut began. */
  readonly records?: number;
  /** After so many bytes of input were read and of messages went between threads: a number, or `64MB`, `1GiB`. */
  readonly bytes?: number | string;
  /** From the end of an attempt to the begin of the next one that is not asked for. Nothing when not given. */
  readonly minPause?: string;
  /** An attempt that is not complete by then is given up; `60s` when not given. */
  readonly timeLimit?: string;
  /** Failed attempts in a row that are tolerated; one more ends the system. All of them when not given. */
  readonly toleratedFailures?: number;
}

/** What a timetable says: after each interval, or at instants of the wall clock. */
export type Timetable =
  | { readonly kind: 'every'; readonly ms: number }
  /** Milliseconds from `nowMs` to the next instant, infinite when none will come. */
  | { readonly kind: 'cron'; readonly delayMs: (nowMs: number) => number };

/** A schedule that was read and is sound. */
export interface Schedule {
  readonly timetable: Timetable | null;
  /** Infinite where nothing is counted. */
  readonly records: number;
  readonly bytes: number;
  readonly minPauseMs: number;
  readonly timeLimitMs: number;
  readonly toleratedFailures: number;
}

/** How early a timer may come; the instant that it was set for is neither missed nor found a second time. */
export const EARLY_MS = 20;
/** Shorter intervals would only queue behind each other. */
const INTERVAL_MS_MIN = 10;
const DEFAULT_EVERY_MS = 1000;
const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const SIZE = /^(\d+(?:\.\d+)?)\s*([kmg]i?)?b$/i;
const UNIT_BYTES = { '': 1, k: 1e3, m: 1e6, g: 1e9, ki: 1024, mi: 1024 ** 2, gi: 1024 ** 3 } as const;
const OPTIONS: readonly (keyof ScheduleOptions)[] = [
  'every',
  'cron',
  'timezone',
  'records',
  'bytes',
  'minPause',
  'timeLimit',
  'toleratedFailures',
];

/**
 * Reads a schedule, in a time zone if it names none itself. Nothing is touched: whatever is wrong is found here.
 *
 * @throws CheckpointError `SCHEDULE_INVALID`
 */
export function parseSchedule(option: ScheduleOption, timezone?: string): Schedule {
  if (typeof option === 'string') return { ...NOTHING, timetable: parseTimetable(option, timezone) };
  const given = asOptions(option);
  return {
    timetable: optionsTimetable(given, timezone),
    records: count(given, 'records', 1, Number.POSITIVE_INFINITY),
    bytes: given.bytes === undefined ? Number.POSITIVE_INFINITY : bytesOf(given.bytes),
    minPauseMs: duration(given, 'minPause', 0),
    timeLimitMs: duration(given, 'timeLimit', CUT_OVERDUE_MS),
    toleratedFailures: count(given, 'toleratedFailures', 0, Number.POSITIVE_INFINITY),
  };
}

/**
 * What `over` says wins over what `base` says: when checkpoints are taken as a whole, the rest one by one. So that a
 * flag `--schedule 10s` does not go on beside the interval of the job's own file.
 *
 * @param timezone of `base`, if it names none itself
 */
export function mergedSchedule(base: ScheduleOption, over: ScheduleOption, timezone?: string): ScheduleOption {
  const above = asNamed(over);
  const under = withoutUndefined({ timezone, ...asNamed(base) });
  if (!saysWhen(above)) return { ...under, ...above };
  const { minPause, timeLimit, toleratedFailures } = under;
  return withoutUndefined({ minPause, timeLimit, toleratedFailures, ...above });
}

/** An interval or a cron expression. @throws CheckpointError `SCHEDULE_INVALID` */
export function parseTimetable(text: string, timezone?: string): Timetable {
  const ms = durationMs(text);
  return ms === null ? cronTable(text, timezone) : intervalTable(text, ms);
}

const NOTHING: Omit<Schedule, 'timetable'> = {
  records: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  minPauseMs: 0,
  timeLimitMs: CUT_OVERDUE_MS,
  toleratedFailures: Number.POSITIVE_INFINITY,
};

function saysWhen({ every, cron, records, bytes }: ScheduleOptions): boolean {
  return every !== undefined || cron !== undefined || records !== undefined || bytes !== undefined;
}

function asNamed(option: ScheduleOption): ScheduleOptions {
  if (typeof option !== 'string') return option;
  return durationMs(option) === null ? { cron: option } : { every: option };
}

function withoutUndefined(
  options: {
    readonly [K in keyof ScheduleOptions]: ScheduleOptions[K] | undefined;
  },
): ScheduleOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function asOptions(option: unknown): ScheduleOptions {
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    throw invalid(option, 'it is neither a text nor an object');
  }
  const unknown = Object.keys(option).find((name) => !(OPTIONS as readonly string[]).includes(name));
  if (unknown === undefined) return option;
  throw new CheckpointError(
    'SCHEDULE_INVALID',
    `schedule: no option is named '${unknown}'; there are ${OPTIONS.join(', ')}`,
  );
}

function optionsTimetable(given: ScheduleOptions, timezone: string | undefined): Timetable | null {
  if (given.every !== undefined && given.cron !== undefined) {
    throw new CheckpointError(
      'SCHEDULE_INVALID',
      "schedule: 'every' and 'cron' contradict each other; give one of them",
    );
  }
  if (given.cron !== undefined) {
    if (typeof given.cron !== 'string') throw invalid(given.cron, 'cron is no text');
    return cronTable(given.cron, given.timezone ?? timezone);
  }
  if (given.every === undefined) return saysWhen(given) ? null : { kind: 'every', ms: DEFAULT_EVERY_MS };
  return intervalTable(given.every, duration(given, 'every', DEFAULT_EVERY_MS));
}

function intervalTable(text: string, ms: number): Timetable {
  if (ms < INTERVAL_MS_MIN) throw invalid(text, `an interval of at least ${INTERVAL_MS_MIN}ms`);
  return { kind: 'every', ms };
}

/** Worker threads load this module too, and none of them has a use for the library. */
const require = createRequire(import.meta.url);

function cronTable(text: string, timezone: string | undefined): Timetable {
  let times: Cron;
  let first: Date | null;
  try {
    // The library takes a date for a schedule, too: one checkpoint, or none and not a word of it.
    if (text.includes(':')) throw new RangeError('a date is no schedule');
    const { Cron } = require('croner') as typeof import('croner');
    const options = { paused: true, mode: '5-or-6-parts' } as const;
    times = new Cron(text, timezone === undefined ? options : { ...options, timezone });
    // A time zone is looked at only now, and 30 February only shows here.
    first = times.nextRun(new Date(0));
  } catch (cause) {
    throw invalid(text, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (first === null) throw invalid(text, 'it never comes');
  return {
    kind: 'cron',
    delayMs: (nowMs) => {
      const next = times.nextRun(new Date(nowMs + EARLY_MS));
      return next === null ? Number.POSITIVE_INFINITY : next.getTime() - nowMs;
    },
  };
}

/** Milliseconds of a text like `1.5s`; null when it is none. */
function durationMs(text: unknown): number | null {
  const found = typeof text === 'string' ? DURATION.exec(text.trim()) : null;
  return found === null ? null : Number(found[1]) * UNIT_MS[found[2] as keyof typeof UNIT_MS];
}

function duration(given: ScheduleOptions, name: 'every' | 'minPause' | 'timeLimit', otherwise: number): number {
  const text = given[name];
  if (text === undefined) return otherwise;
  const ms = durationMs(text);
  if (ms === null || (ms === 0 && name !== 'minPause')) throw wrong(name, text, 'a time like 250ms, 1s, 5m');
  return ms;
}

function count(given: ScheduleOptions, name: 'records' | 'toleratedFailures', min: number, otherwise: number): number {
  const value = given[name];
  if (value === undefined) return otherwise;
  if (!Number.isSafeInteger(value) || value < min) throw wrong(name, value, `a whole number from ${min}`);
  return value;
}

function bytesOf(value: number | string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  const found = typeof value === 'string' ? SIZE.exec(value.trim()) : null;
  const size = found === null ? 0 : Number(found[1]) * UNIT_BYTES[unitOf(found[2])];
  if (size >= 1) return Math.round(size);
  throw wrong('bytes', value, 'a size like 64MB or 1GiB, or a number of bytes from 1');
}

function unitOf(text: string | undefined): keyof typeof UNIT_BYTES {
  return (text ?? '').toLowerCase() as keyof typeof UNIT_BYTES;
}

function wrong(name: string, value: unknown, expected: string): CheckpointError {
  return new CheckpointError('SCHEDULE_INVALID', `schedule: ${name} ${JSON.stringify(value)}: expected ${expected}`);
}

function invalid(given: unknown, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'SCHEDULE_INVALID',
    `schedule ${JSON.stringify(given)}: expected an interval like 250ms, 1s, 5m, or a cron expression like '0 */5 * * * *' (${why})`,
    { cause },
  );
}
