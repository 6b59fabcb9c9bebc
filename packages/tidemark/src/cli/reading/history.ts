import type { CutHistory, FailedAttempt } from '@tidemark/checkpoint/internal';
import { bytes, counted } from '../numbers.ts';
import type { FlatRow } from '../table.ts';
import { msText, timeText } from './facts.ts';
import { remedyOf } from './remedies.ts';

/** Who was last at a checkpoint and what took it longest; null where the record does not tell. */
export function slowestText({ slowest }: CutHistory): string | null {
  if (slowest === undefined) return null;
  const { why, ms, waitedFor } = slowest;
  const who = threadText(slowest.thread);
  switch (why) {
    case 'flip':
      return `${who}: ${msText(ms)} until it entered the cut, as in a long turn`;
    case 'markers':
      return `${who}: ${msText(ms)} until ${waitedFor === null ? 'the last' : threadText(waitedFor)} had entered the cut`;
    case 'capture':
      return `${who}: ${msText(ms)} until all its units were captured`;
    case 'upload':
      return `${who}: ${msText(ms)} until the store had its part`;
  }
}

/** A row for each thread: its stretches, in the order in which they come. */
export function threadRows({ threads = [] }: CutHistory): readonly FlatRow[] {
  return threads.map(
    ({
      thread,
      flipMs,
      markersMs,
      capturedMs,
      doneMs,
      storedMs,
      encodeMs,
      pauseMs,
      collectMs,
      preemptMs,
      ...amounts
    }): FlatRow => ({
      thread: threadText(thread),
      flip: msText(flipMs),
      markers: msText(markersMs),
      captured: msText(capturedMs),
      complete: msText(doneMs),
      stored: msText(storedMs),
      encoding: msText(encodeMs),
      pause: msText(pauseMs),
      gc: collectMs === undefined ? null : msText(collectMs),
      'no core': preemptMs === undefined ? null : msText(preemptMs),
      units: amounts.units,
      'in flight': amounts.messages,
      size: bytes(amounts.bytes),
      file: bytes(amounts.storedBytes),
    }),
  );
}

/** A row for each definition of each thread that had units in its part. */
export function definitionRows({ threads = [] }: CutHistory): readonly FlatRow[] {
  return threads.flatMap(({ thread, definitions }) =>
    definitions.map(
      ({ name, units, bytes: size }): FlatRow => ({
        thread: threadText(thread),
        definition: name,
        units,
        size: bytes(size),
      }),
    ),
  );
}

/** A row for each attempt that came to nothing. */
export function failedRows(failed: readonly FailedAttempt[]): readonly FlatRow[] {
  return failed.map((attempt): FlatRow => {
    const { beganAt, durationMs } = attempt;
    return {
      cut: String(attempt.cut),
      began: beganAt === undefined ? null : timeText(beganAt),
      after: durationMs === undefined ? null : msText(durationMs),
      code: codeText(attempt),
      who: missingText(attempt),
      'what to do': remedyOf(attempt),
    };
  });
}

/** A failed attempt in one line. */
export function failedText(attempt: FailedAttempt): string {
  const { cut, durationMs } = attempt;
  const after = durationMs === undefined ? '' : ` after ${msText(durationMs)}`;
  const missing = missingText(attempt);
  return `cut ${cut} failed${after}: ${codeText(attempt)}${missing === null ? '' : `, ${missing}`}. ${remedyOf(attempt)}`;
}

/** For scripts: with what to do. */
export function failedJson(failed: readonly FailedAttempt[]): object[] {
  return failed.map((attempt) => ({ ...attempt, remedy: remedyOf(attempt) }));
}

function codeText({ code, cause }: FailedAttempt): string {
  return cause === undefined ? code : `${code} (${cause})`;
}

/** Who it failed for: the others wait for those that have not entered the cut. */
function missingText({ outside = [], missing = [] }: FailedAttempt): string | null {
  if (outside.length > 0) return `${threadsText(outside)} had not entered the cut`;
  return missing.length === 0 ? null : `${threadsText(missing)} had not stored its part`;
}

function threadsText(threads: readonly number[]): string {
  return threads.length > THREADS_NAMED ? counted(threads.length, 'thread') : threads.map(threadText).join(', ');
}

const THREADS_NAMED = 4;

function threadText(thread: number): string {
  return thread === 0 ? 'host' : `worker ${thread}`;
}
