import type { Clock } from './clock.ts';
import type { ActorAddress } from './errors.ts';
import type { HungCall } from './hung-calls.ts';
import type { Answer, Frame, Marker, Peer, ServedAnswer } from './messages.ts';
import type { ServiceLine } from './service-desk.ts';
import type { DeadLetter } from './turns.ts';

/** What the runtime tells whoever takes cuts. It knows that a marker exists; what a checkpoint is, it does not know. */
export interface CutHooks {
  marker(marker: Marker, from: number): void;
  /** A frame has arrived; called before anything of it is processed. */
  arrived(frame: Frame, from: number): void;
  /** Work on the open cut until `deadline` (monotonic ms). Answers whether there is more to do. */
  work(deadline: number): boolean;
}

export interface RuntimeOptions {
  readonly thread: number;
  readonly workers: number;
  readonly generation: number;
  readonly term: number;
  /** Cut of the checkpoint that is loaded; 0 when nothing is, or it does not matter. */
  readonly cut?: number;
  readonly clock: Clock;
  readonly peers: readonly Peer[];
  /** One flag per thread: not 0 while that thread keeps the ingress of the system closed. */
  readonly ingress: Int32Array;
  /** Where each thread counts what it has done; left out where nobody looks. */
  readonly work?: Float64Array;
  /** A turn threw, or the program overran: this thread cannot go on. */
  readonly fail: (error: unknown) => void;
  readonly log: (text: string) => void;
  /** The host's open asks; a worker has none. */
  readonly answered?: (ask: number, term: number, answer: Answer, cut: number) => void;
  /** A message was set aside. */
  readonly letter?: (letter: DeadLetter) => void;
  /** Actors whose turns have thrown since the process began. */
  readonly careful?: readonly ActorAddress[];
  /** In [0, 1). */
  readonly random?: () => number;
  /** Open calls of services by thread, in shared memory. */
  readonly calls?: Int32Array;
  /** The host's way to the workers for calls with moved buffers; without it they travel in frames, as copies. */
  readonly line?: ServiceLine;
  /** A worker's way to the host for answers with moved buffers; without it they travel in frames, as copies. */
  readonly served?: (answer: ServedAnswer, moved: readonly ArrayBuffer[]) => void;
  /** A call of a service runs on so many milliseconds after it was aborted; 0, Infinity or not given for never. */
  readonly hungServiceMs?: number;
  readonly hung?: (call: HungCall) => void;
  /** Bytes of memory at which waiting messages end the program (`OVERRUN`); `OVERRUN_BYTES` when not given. */
  readonly overrunBytes?: number | undefined;
  /** How long a slice is, and how many turns pass between two looks at the clock; only tests say so. */
  readonly slice?: { readonly ms: number; readonly turns: number };
}
