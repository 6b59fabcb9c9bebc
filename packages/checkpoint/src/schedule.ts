import { Cron } from 'croner';
import { CheckpointError } from './errors.ts';

/** When checkpoints are due: milliseconds from `nowMs` to the next one. */
export type Schedule = (nowMs: number) => number;

const INTERVAL = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** Shorter intervals would only queue behind each other. */
const INTERVAL_MS_MIN = 10;

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
  try {
    cron = new Cron(text, timezone === undefined ? { paused: true } : { paused: true, timezone });
  } catch (cause) {
    throw invalid(text, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return (nowMs) => {
    const next = cron.nextRun(new Date(nowMs));
    // An expression that never comes again: ask once a day, in vain.
    return next === null ? 86_400_000 : Math.max(1, next.getTime() - nowMs);
  };
}

function invalid(text: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'SCHEDULE_INVALID',
    `schedule ${JSON.stringify(text)}: expected an interval like 250ms, 1s, 5m, or a cron expression like '0 */5 * * * *' (${why})`,
    { cause },
  );
}
