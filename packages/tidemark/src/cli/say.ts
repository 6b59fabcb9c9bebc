import type { RunEvent } from '@tidemark/jobs/internal';
import { assertNever } from './assert-never.ts';
import { counted, duration } from './numbers.ts';

/** One message for people. Warnings are said even with `--quiet`. */
export interface Saying {
  readonly level: 'notice' | 'warning';
  readonly text: string;
}

/** What is known beside the event. */
export interface SayingContext {
  /** Since `started`, in milliseconds. */
  readonly elapsedMs: number;
  /** The directory that paths are shown relative to. */
  readonly cwd: string;
}

/** What an event means in plain words; null for those that the live line shows. */
export function sayEvent(event: RunEvent, context: SayingContext): Saying | null {
  switch (event.event) {
    case 'started': {
      if (event.from !== null) return null; // `restored` says it, with the rows.
      const where = `in ${placeText(event.store, context.cwd)}`;
      return notice(`Began a new run of ${event.job} ${where} (${counted(event.workers, 'worker')})`);
    }
    case 'plan':
      return notice(event.message);
    case 'waiting':
      return notice(
        `Waiting: ${event.job} runs on ${event.host}, pid ${event.pid}, since ${event.since}. It goes on here when that one has ended.`,
      );
    case 'restored':
      return notice(`Going on from checkpoint ${event.position} (${counted(event.rows, 'row')} done)`);
    case 'rolled-back':
      return warning(rolledBackText(event));
    case 'checkpoint':
    case 'copied':
    case 'first-record':
      return null;
    case 'checkpoint-failed':
      return warning(`A checkpoint failed, and the job goes on: ${event.code}: ${event.message}`);
    case 'warning':
      return warning(`${event.code}: ${event.message}`);
    case 'finished':
      return notice(event.already ? finishedAlreadyText(event.position) : finishedText(event, context.elapsedMs));
    case 'stopped':
      return notice(stoppedText(event.position, event.rows));
    default:
      return assertNever(event);
  }
}

/** A local path relative to where the person is; anything else as it is. */
export function placeText(store: string, cwd: string): string {
  const path = store.startsWith('file:///') ? decodeURIComponent(store.slice('file://'.length)) : store;
  if (path === cwd) return '.';
  return path.startsWith(`${cwd}/`) ? `./${path.slice(cwd.length + 1)}` : path;
}

function rolledBackText(event: Extract<RunEvent, { event: 'rolled-back' }>): string {
  const { position, rows, durationMs, code, message } = event;
  const where =
    position === null ? 'began again' : `went back to checkpoint ${position} (${counted(rows, 'row')} done)`;
  return `${code}: ${message}. The job ${where} within ${duration(durationMs)}, and goes on.`;
}

function finishedText(event: Extract<RunEvent, { event: 'finished' }>, elapsedMs: number): string {
  const bad = event.badRows === 0 ? '' : ` (${counted(event.badRows, 'bad row')} left out)`;
  return `Finished: ${counted(event.rows, 'row')}${bad} in ${duration(elapsedMs)}`;
}

function finishedAlreadyText(position: number): string {
  return `This job has finished already (checkpoint ${position}). --fresh begins again.`;
}

function stoppedText(position: number | null, rows: number): string {
  if (position === null) return 'Stopped before there was anything to keep';
  return `Stopped at checkpoint ${position} (${counted(rows, 'row')} done). The same command goes on from there.`;
}

function notice(text: string): Saying {
  return { level: 'notice', text };
}

function warning(text: string): Saying {
  return { level: 'warning', text };
}
