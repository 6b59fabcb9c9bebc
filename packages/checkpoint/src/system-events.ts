import { Events } from '@tidemark/actors/internal';
import type { EngineEvent } from './engine-options.ts';
import { codeOf } from './errors.ts';

/** The system runs no more; the last event of all. */
export interface SystemStopped {
  readonly kind: 'stopped';
  /** Code and message of what it could not go on after; null when it was told to stop. */
  readonly code: string | null;
  readonly message: string | null;
}

/** Events of a system by name. */
export type SystemEvents = {
  readonly [K in EngineEvent['kind']]: Extract<EngineEvent, { readonly kind: K }>;
} & { readonly stopped: SystemStopped };

/** Tells what happens to a system; what must not go unheard is told to the process when nobody listens. */
export class SystemNews {
  readonly events = new Events<SystemEvents>((name, error) => {
    process.emitWarning(`a listener of '${name}' threw: ${error instanceof Error ? error.message : String(error)}`);
  });
  readonly #observe: ((event: EngineEvent) => void) | undefined;

  constructor(observe: ((event: EngineEvent) => void) | undefined) {
    this.#observe = observe;
  }

  readonly tell = (event: EngineEvent): void => {
    this.#observe?.(event);
    const heard = this.events.emit(event.kind, event);
    // An observer hears everything, and need not show what a program has printed; who asks for `log` does.
    const isPrinted = event.kind === 'log' && event.from !== 'ctx';
    if (!heard && (isPrinted || this.#observe === undefined)) tellProcess(event);
  };

  /** Whoever must know has `done`: nothing is told to the process. */
  readonly stopped = (reason: Error | null): void => {
    const why = reason === null ? { code: null, message: null } : { code: codeOf(reason), message: reason.message };
    this.events.emit('stopped', { kind: 'stopped', ...why });
  };
}

function tellProcess(event: EngineEvent): void {
  switch (event.kind) {
    case 'log':
      writeLog(event);
      return;
    case 'rolled-back':
      process.emitWarning(`${event.message}: the system went back to its last checkpoint`, { code: event.code });
      return;
    case 'plan':
      process.stderr.write(`${event.message}\n`);
      return;
    case 'waiting':
      process.stderr.write(`${waitingText(event)}\n`);
      return;
    case 'dead-letter':
      process.emitWarning(deadLetterText(event), { code: 'DEAD_LETTER' });
      return;
    case 'service-hung':
      process.emitWarning(hungText(event), { code: 'SERVICE_HUNG' });
      return;
    case 'warning':
    case 'checkpoint-failed':
      process.emitWarning(event.message, { code: event.code });
      return;
    case 'term':
    case 'restored':
    case 'checkpoint':
    case 'copied':
      return;
  }
}

function deadLetterText({ letter: { actor, handler, code, message } }: SystemEvents['dead-letter']): string {
  return `a message '${handler}' to ${actor.type}/${actor.key} was set aside: ${code}: ${message}. See system.deadLetters`;
}

export function hungText({ thread, service, handler, callId, ageMs, abortedMs }: SystemEvents['service-hung']): string {
  const where = thread === 0 ? 'the host' : `worker ${thread}`;
  const since = `for ${Math.round(ageMs)} ms, and was aborted ${Math.round(abortedMs)} ms ago`;
  return `service ${service} ${handler} (${callId}) on ${where} has run ${since}: it does not heed ctx.signal. system.endWorker ends its thread`;
}

/** What nobody listens to goes where it would have gone from the thread of a process: a line of `ctx.log` to stderr. */
export function writeLog({ text, from }: SystemEvents['log']): void {
  process[from === 'stdout' ? 'stdout' : 'stderr'].write(`${text}\n`);
}

function waitingText({ host, pid, since }: SystemEvents['waiting']): string {
  return `waiting for the process that has these checkpoints: host ${host}, pid ${pid}, since ${since}`;
}
