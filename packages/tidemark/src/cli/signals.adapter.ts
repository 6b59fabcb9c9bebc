import type { StopSignal } from './messages.ts';

/** Calls `listener` for each SIGINT and SIGTERM, which no longer end this process by themselves. */
export function onStopSignal(listener: (signal: StopSignal) => void): void {
  process.on('SIGINT', () => listener('SIGINT'));
  process.on('SIGTERM', () => listener('SIGTERM'));
}
