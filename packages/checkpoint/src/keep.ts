import { CheckpointError } from './errors.ts';
import { KEEP_CHECKPOINTS } from './limits.ts';

/** Checkpoints to keep, by what stays of each time. What is left out is 0, and 10 for `last`. */
export interface KeepOptions {
  /** The newest ones, at least; Infinity keeps all. */
  readonly last?: number;
  /** The newest of each of so many hours in which checkpoints were taken. */
  readonly hourly?: number;
  /** The newest of each of so many days. */
  readonly daily?: number;
  /** The newest of each of so many weeks; they begin on Monday. */
  readonly weekly?: number;
  /** Where hours, days and weeks begin, for example `Europe/Berlin`; UTC when not given. */
  readonly timezone?: string;
}

/** What a job keeps, with nothing left out. */
export interface KeepPolicy {
  /** Null keeps all. */
  readonly last: number | null;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly timezone: string;
}

/** Why retention keeps a checkpoint of its own accord: `spare` shares no file with the newest one, should a file be damaged. */
export type KeepReason = KeepRule | 'spare';

export type KeepRule = 'hourly' | 'daily' | 'weekly';

const RULES: readonly KeepRule[] = ['hourly', 'daily', 'weekly'];

/**
 * Checks what shall be kept.
 *
 * @throws CheckpointError `KEEP_INVALID`
 */
export function parseKeep(keep: number | KeepOptions | undefined): KeepPolicy {
  const options: KeepOptions = typeof keep === 'number' ? { last: keep } : (keep ?? {});
  const { last = KEEP_CHECKPOINTS, hourly = 0, daily = 0, weekly = 0, timezone = 'UTC' } = options;
  if (last !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(last) && last >= 1)) {
    throw invalid('last', last, 'a whole number from 1, or Infinity to keep all');
  }
  for (const [rule, count] of Object.entries({ hourly, daily, weekly })) {
    if (!(Number.isSafeInteger(count) && count >= 0)) throw invalid(rule, count, 'a whole number from 0');
  }
  if (!isTimezone(timezone)) {
    throw invalid('timezone', timezone, 'the name of a time zone, for example Europe/Berlin');
  }
  return { last: last === Number.POSITIVE_INFINITY ? null : last, hourly, daily, weekly, timezone };
}

function isTimezone(name: string): boolean {
  // To make a format takes longer than all else that a start checks.
  if (name === 'UTC') return true;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function invalid(field: string, value: unknown, expected: string): CheckpointError {
  return new CheckpointError('KEEP_INVALID', `keep: ${field} is ${JSON.stringify(value)}; expected ${expected}`);
}

/** Whether anything but the newest is kept. */
export function keepsByTime(policy: KeepPolicy): boolean {
  return RULES.some((rule) => policy[rule] > 0);
}

interface Taken {
  readonly position: number;
  /** ISO 8601. */
  readonly takenAt: string;
}

/**
 * Which checkpoints are the newest of an hour, a day or a week that is to be kept. The order is the log's; clocks say only
 * which hour a checkpoint belongs to, so one that was wrong for a while drives nothing out.
 */
export function keptByTime(
  checkpoints: readonly Taken[],
  policy: KeepPolicy,
): ReadonlyMap<number, readonly KeepRule[]> {
  const chosen = new Map<number, KeepRule[]>();
  if (!keepsByTime(policy)) return chosen;
  const newestFirst = checkpoints.toSorted((a, b) => b.position - a.position);
  const times = new LocalTimes(policy.timezone);
  for (const rule of RULES) {
    const seen = new Set<string>();
    for (const { position, takenAt } of newestFirst) {
      if (seen.size >= policy[rule]) break;
      const span = times.spanOf(takenAt, rule);
      if (seen.has(span)) continue;
      seen.add(span);
      chosen.set(position, [...(chosen.get(position) ?? []), rule]);
    }
  }
  return chosen;
}

const DAY_MS = 86_400_000;

/** Names of hours, days and weeks in a time zone. */
class LocalTimes {
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat('en', {
      timeZone: timezone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      hourCycle: 'h23',
      // The hour that comes twice in autumn is two hours.
      timeZoneName: 'longOffset',
    });
  }

  spanOf(iso: string, rule: KeepRule): string {
    const parts = new Map(this.#format.formatToParts(new Date(iso)).map(({ type, value }) => [type, value]));
    const day = Math.floor(
      Date.UTC(this.#number(parts, 'year'), this.#number(parts, 'month') - 1, this.#number(parts, 'day')) / DAY_MS,
    );
    if (rule === 'hourly') return `${day} ${parts.get('hour')} ${parts.get('timeZoneName')}`;
    // Day 0 was a Thursday.
    return String(rule === 'daily' ? day : Math.floor((day + 3) / 7));
  }

  #number(parts: ReadonlyMap<string, string>, type: string): number {
    return Number(parts.get(type));
  }
}
