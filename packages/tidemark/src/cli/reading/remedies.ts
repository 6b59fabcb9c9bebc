import type { FailedAttempt } from '@tidemark/checkpoint/internal';

/** What to do about a failed attempt at a checkpoint, by what was behind it; docs/errors.md has more of each. */
export function remedyOf({ code, cause = code }: Pick<FailedAttempt, 'code' | 'cause'>): string {
  return REMEDIES[cause] ?? REMEDIES[code] ?? `See docs/errors.md, ${code}.`;
}

const REMEDIES: Readonly<Record<string, string>> = {
  CHECKPOINT_OVERDUE: 'Look for a long turn or a slow store, or give it more time (--time-limit).',
  CHECKPOINT_ABANDONED: 'Nothing: the next attempt follows.',
  PART_NOT_STORED: 'Look at the store: a part could not be written.',
  STORE_FULL: 'Free space.',
  STORE_DENIED: 'Give this user the right to write there.',
  STORE_READ_ONLY: 'Mount it for writing, or use another folder.',
  STORE_BUSY: 'Raise the number of open files (ulimit -n); a server that throttles gets better by itself.',
  STORE_UNREACHABLE: 'Look whether the server runs, and at the network to it.',
  STORE_TIMEOUT: 'Look whether the server or the network to it is slow.',
  STORE_CREDENTIALS: 'Renew the credentials.',
  STORE_CLOCK_SKEW: 'Set the clock of this machine.',
  STORE_IO: 'Look at the disk, or the network to it.',
};
