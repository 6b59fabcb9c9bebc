/** All that the threads of the hand-written program say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { Totals } from './totals.ts';

/** What a worker is started with. */
export interface ByHandTask {
  readonly path: string;
  readonly replays: number;
  /** 0 or 1: the worker keeps the airports whose `ownerOf` is this. */
  readonly index: number;
  /** The bytes of the file that it reads, from a row's first to a row's last. */
  readonly start: number;
  readonly end: number;
  readonly peer: MessagePort;
}

/** From a worker to the host. */
export type ToHost =
  | { readonly kind: 'ready' }
  /** The totals of the airports that the worker keeps. */
  | { readonly kind: 'result'; readonly totals: Totals };

/** From the host to a worker. */
export interface ToWorker {
  readonly kind: 'start';
}

/** From a worker to the other. */
export type ToPeer =
  /** Rows as msgpackr records. */
  | { readonly kind: 'frame'; readonly bytes: ArrayBuffer }
  /** A frame was processed: one more may be sent. */
  | { readonly kind: 'credit' }
  /** No frame follows. */
  | { readonly kind: 'end' };

/** Which of the two workers keeps an airport's totals: nearly half of the rows fall to each. */
export function ownerOf(airport: string): number {
  return (airport.charCodeAt(0) + airport.charCodeAt(1) + airport.charCodeAt(2)) & 1;
}
