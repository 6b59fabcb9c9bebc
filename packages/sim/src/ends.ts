/** Codes with which a process may end. Anything else is a bug of ours: no fault touches bytes or code. */
export const MAY_END: ReadonlySet<string> = new Set([
  'FENCED',
  'ALREADY_RUNNING',
  'LOG_UNSETTLED',
  'ROLLBACKS_SPENT',
  'PART_NOT_STORED',
  'WORKER_LOST',
  'WORKER_START',
  'SYSTEM_STOPPED',
  'SYSTEM_FAILED',
  'CHECKPOINT_OVERDUE',
  'STORE_BUSY',
  'STORE_IO',
  'STORE_OUTCOME_UNKNOWN',
]);

export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error);
}
