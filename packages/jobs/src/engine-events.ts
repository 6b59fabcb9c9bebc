import { type EngineEvent, hungText } from '@tidemark/checkpoint/internal';
import type { RunEvent } from './run-events.ts';

/** What an event of the engine does not say itself. */
export interface RunFacts {
  readonly job: string;
  readonly workers: number;
  /** Rows done at the checkpoint that was restored last. */
  readonly rows: number;
}

/** What an event of the engine is to those who watch a job; null for what is only of use to the engine's developers. */
export function toRunEvent(event: EngineEvent, { job, workers, rows }: RunFacts): RunEvent | null {
  switch (event.kind) {
    case 'term': {
      const { term, from, location: store } = event;
      return { event: 'started', job, term, workers, store, from, pid: process.pid };
    }
    case 'restored': {
      const { cut, position, durationMs } = event;
      return { event: 'restored', cut, position, rows, durationMs };
    }
    case 'rolled-back': {
      const { generation, position, code, message, durationMs } = event;
      return { event: 'rolled-back', generation, position, rows, code, message, durationMs };
    }
    case 'checkpoint': {
      const { cut, position, durationMs, pauseMs, skewMs, bytes } = event;
      return { event: 'checkpoint', cut, position, durationMs, pauseMs, skewMs, bytes };
    }
    case 'copied': {
      const { location: store, cut, position, durationMs, lagMs, files, bytes } = event;
      return { event: 'copied', store, cut, position, durationMs, lagMs, files, bytes };
    }
    case 'checkpoint-failed':
      return { event: 'checkpoint-failed', cut: event.cut, code: event.code, message: event.message };
    case 'plan':
      return { event: 'plan', position: event.position, rows: event.rows, message: event.message };
    case 'waiting': {
      const { host, pid, since, term } = event;
      return { event: 'waiting', job, host, pid, since, term };
    }
    case 'warning':
      return { event: 'warning', code: event.code, message: event.message };
    case 'dead-letter': {
      const { actor, handler, message } = event.letter;
      const what = `a message '${handler}' to ${actor.type}/${actor.key} was set aside: ${message}`;
      return { event: 'warning', code: 'DEAD_LETTER', message: what };
    }
    case 'service-hung':
      return { event: 'warning', code: 'SERVICE_HUNG', message: hungText(event) };
    case 'log':
      return null;
  }
}
