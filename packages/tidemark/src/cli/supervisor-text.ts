import { assertNever } from './assert-never.ts';
import { codedText } from './cli-errors.ts';
import { RESTART_WINDOW_MS, RESTARTS_MAX } from './limits.ts';
import type { Failure } from './messages.ts';
import type { ChildEnd } from './supervisor.ts';

/** What the supervisor says, in plain words. Each text is one line. */

export function endText(end: ChildEnd, failure: Failure | null): string {
  switch (end.kind) {
    case 'exited':
      return failure === null
        ? `the runtime ended with exit status ${end.status}`
        : `the runtime crashed (${failure.code})`;
    case 'killed':
      return `the runtime was killed by ${end.signal}${end.signal === 'SIGABRT' ? ', as when memory runs out' : ''}`;
    case 'not-started':
      return `the runtime could not be started (${end.reason})`;
    default:
      return assertNever(end);
  }
}

export function restartText(end: ChildEnd, failure: Failure | null, restart: number, delayMs: number): string {
  const when = delayMs < 50 ? 'now' : `in ${(delayMs / 1000).toFixed(1)} s`;
  return `${endText(end, failure)}; starting it again ${when} (restart ${restart} of at most ${RESTARTS_MAX} in ${WINDOW} without a new checkpoint)`;
}

export function spentText(end: ChildEnd, failure: Failure | null): string {
  const why = failure === null ? endText(end, null) : `${failure.code}: ${failure.message}`;
  return codedText(
    'RESTARTS_SPENT',
    `the runtime was restarted ${RESTARTS_MAX} times within ${WINDOW}, got no further, and ended again. ` +
      `The last error was: ${oneLine(why)}. Run the same command to try again; it goes on from the last checkpoint.`,
  );
}

const WINDOW = `${RESTART_WINDOW_MS / 1000} s`;

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replace(/\.$/, '');
}
