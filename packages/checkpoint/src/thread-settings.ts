import type { ThreadSettings } from '@tidemark/actors';
import { limits } from '@tidemark/actors/internal';
import { CheckpointError } from './errors.ts';

/**
 * What of these options is meant for the worker threads, checked.
 *
 * @throws CheckpointError `WORKERS_INVALID`
 */
export function threadSettings(options: ThreadSettings): ThreadSettings {
  const { env, resourceLimits, memoryBytesMax, watchdogMs, hungServiceMs } = options;
  for (const [name, value] of Object.entries(env ?? {})) {
    if (typeof value !== 'string') throw invalid(`env.${name}`, value, 'a string');
  }
  for (const [name, value] of Object.entries(resourceLimits ?? {})) {
    if (!(value > 0)) throw invalid(`resourceLimits.${name}`, value, 'megabytes, more than 0');
  }
  if (memoryBytesMax !== undefined && !(memoryBytesMax > 0)) {
    throw invalid('memoryBytesMax', memoryBytesMax, 'bytes, more than 0');
  }
  if (watchdogMs !== undefined && watchdogMs !== 0 && !(watchdogMs >= limits.WATCHDOG_MS_MIN)) {
    const expected = `milliseconds, at least ${limits.WATCHDOG_MS_MIN}, or 0 for none`;
    throw invalid('watchdogMs', watchdogMs, expected);
  }
  if (hungServiceMs !== undefined && !(hungServiceMs >= 0)) {
    throw invalid('hungServiceMs', hungServiceMs, 'milliseconds, or 0 for none');
  }
  return {
    ...(env === undefined ? {} : { env }),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
    ...(memoryBytesMax === undefined || memoryBytesMax === Number.POSITIVE_INFINITY ? {} : { memoryBytesMax }),
    ...(watchdogMs === undefined ? {} : { watchdogMs }),
    ...(hungServiceMs === undefined ? {} : { hungServiceMs }),
  };
}

function invalid(name: string, value: unknown, expected: string): CheckpointError {
  return new CheckpointError('WORKERS_INVALID', `${name}: ${String(value)}; expected ${expected}`);
}
