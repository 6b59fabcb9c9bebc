import { Cron } from 'croner';
import { CheckpointError } from './errors.ts';

/** When checkpoints are due: milliseconds from `nowMs` to the next one, infinite when none will come. */
export type Schedule = (nowMs: number) => number;

const INTERVAL = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** Shorter intervals would only queue behind each other. */
const INTERVAL_MS_MIN = 10;
/** A timer may come a little early; the instant that it was set for must not be found a second time. */
const EARLY_MS = 20;

/**
 * Reads a schedule: an interval (`250ms`, `1s`, `5m`, `1h`) or a cron expression of five or six fields
 * (`0 *\/5 * * * *`: every five minutes, at second 0), in a time zone if one is given.
 *
 * @throws CheckpointError `SCHEDULE_INVALID`
 */
export function parseSchedule(text: string, timezone?: string): Schedule {
  const interval = INTERVAL.exec(text.trim());
  if (interval !== null) {
    const ms = Number(interval[1]) * UNIT_MS[interval[2] as keyof typeof UNIT_MS];
    if (ms < INTERVAL_MS_MIN) throw invalid(text, `an interval of at least ${INTERVAL_MS_MIN}ms`);
    return () => ms;
  }
  let cron: Cron;
  let first: Date | null;
  try {
    // The library takes a date for a schedule, too: one checkpoint, or none and not a word of it.
    if (text.includes(':')) throw new RangeError('a date is no schedule');
    const options = { paused: true, mode: '5-or-6-parts' } as const;
    cron = new Cron(text, timezone === undefined ? options : { ...options, timezone });
    // A time zone is looked at only now, and 30 February only shows here.
    first = cron.nextRun(new Date(0));
  } catch (cause) {
    throw invalid(text, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (first === null) throw invalid(text, 'it never comes');
  return (nowMs) => {
    const next = cron.nextRun(new Date(nowMs + EARLY_MS));
    return next === null ? Number.POSITIVE_INFINITY : next.getTime() - nowMs;
  };
}

function invalid(text: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'SCHEDULE_INVALID',
    `schedule ${JSON.stringify(text)}: expected an interval like 250ms, 1s, 5m, or a cron expression like '0 */5 * * * *' (${why})`,
    { cause },
  );
}
