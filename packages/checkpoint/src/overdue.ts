import { CheckpointError } from './errors.ts';

/** How far the threads of a cut have come. Threads are numbers: 0 is the host, 1 … are the workers. */
interface Got {
  /** Host and workers. */
  readonly threads: number;
  readonly flipped: ReadonlySet<number>;
  readonly parts: { readonly has: (thread: number) => boolean };
}

/** Says of a cut that was given up what it still waited for, and what to do about that. */
export function overdue(cut: number, limitMs: number, got: Got): CheckpointError {
  const missing = Array.from({ length: got.threads }, (_, thread) => thread).filter((thread) => !got.parts.has(thread));
  const outside = missing.filter((thread) => !got.flipped.has(thread));
  const why =
    outside.length > 0
      ? `${names(outside)} had not begun it: look for a turn that takes long, or a machine without a core to spare`
      : `what ${names(missing)} had to store was not stored: look whether the store is slow`;
  const more = "Or give it more time: timeLimit of the schedule, '--time-limit'";
  return new CheckpointError(
    'CHECKPOINT_OVERDUE',
    `cut ${cut} was not complete within ${limitMs} ms; ${why}. ${more}. The next one is tried`,
  );
}

function names(threads: readonly number[]): string {
  const workers = threads.filter((thread) => thread > 0);
  const named = workers.length === 0 ? [] : [`${workers.length === 1 ? 'worker' : 'workers'} ${workers.join(', ')}`];
  return [...(threads.includes(0) ? ['the host'] : []), ...named].join(' and ');
}
