/** The whole protocol between threads: what travels on a channel, and what host and worker say to each other. */
import type { ActorAddress, ErrorData } from './errors.ts';
import type { HungCall } from './hung-calls.ts';
import type { Port } from './port.ts';
import type { ThreadView } from './thread-view.ts';
import type { DeadLetter } from './turns.ts';

/** Types of messages that are no actor's begin so. */
export const RESERVED = 'tidemark:';
const RESERVED_MARK = RESERVED.charCodeAt(0);

/** Whether messages of that type are no actor's. The first letter says it of most. */
export function isReserved(type: string): boolean {
  return type.charCodeAt(0) === RESERVED_MARK && type.startsWith(RESERVED);
}

/** An answer to an ask of the host. */
export const ANSWER = `${RESERVED}answer`;
/** Starts a call of the service that `key` names. In no checkpoint: whoever asked knows that it has. */
export const SERVICE = `${RESERVED}service`;
/** Whoever called waits no longer. */
export const ABORT = `${RESERVED}abort`;
/** Handler of an answer to a call: arguments are the call's id and the answer. */
export const REPLY = '~reply';

/** Who waits for an answer: an open ask of the host, or a question of an actor. */
export type ReplyTo = AskReply | CallReply;

export interface AskReply {
  readonly ask: number;
  /** Term of the process that asked: an answer to an earlier process is dropped. */
  readonly term: number;
}

export interface CallReply {
  readonly call: string;
  readonly type: string;
  readonly key: string;
}

/** What comes back: what a handler returned, or why nothing does. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly stack?: string | undefined };

/** One message with its address. */
export interface Envelope {
  readonly type: string;
  readonly key: string;
  readonly handler: string;
  readonly args: readonly unknown[];
  readonly reply: ReplyTo | null;
  /** The caller's own name of this request: it is handled once. */
  readonly requestId?: string | undefined;
  /** About the bytes that it takes, where it was made in this thread. Does not travel. */
  readonly bytes?: number | undefined;
  /** Buffers in the arguments that go over as they are, to a service; then it is the line that it travels by. */
  readonly moved?: readonly ArrayBuffer[];
  /** W3C `traceparent` of whatever it is a part of. */
  readonly trace?: string | undefined;
}

/**
 * A message as most are. A class, so that all of them have one shape, and because V8 keeps no account of how long the objects of a
 * constructor live: where those of a literal lived long once, it makes all later ones old from the start, and they are collected late.
 */
export class Message implements Envelope {
  readonly type: string;
  readonly key: string;
  readonly handler: string;
  readonly args: readonly unknown[];
  readonly reply: ReplyTo | null;
  readonly bytes: number | undefined;

  constructor(
    type: string,
    key: string,
    handler: string,
    args: readonly unknown[],
    reply: ReplyTo | null,
    bytes: number | undefined,
  ) {
    this.type = type;
    this.key = key;
    this.handler = handler;
    this.args = args;
    this.reply = reply;
    this.bytes = bytes;
  }
}

/** The answer of a service to an ask of the host, as it goes by the line because buffers in it are moved. */
export interface ServedAnswer extends AskReply {
  readonly answer: Answer;
  /** Newest cut of the thread that answers. */
  readonly cut: number;
}

/** Records for a task, in order. `keys` is null where the task finds the key in the value by itself. */
export interface Batch {
  readonly task: string;
  readonly keys: readonly (string | number)[] | null;
  readonly values: readonly unknown[];
  /**
   * The values are flat records with exactly these fields in this order: they travel as columns. Null when nothing is
   * known of them.
   */
  readonly columns: readonly string[] | null;
}

/** Bytes of one frame as they were packed; readable alone. */
export interface PackedFrame {
  readonly codec: 'messages' | 'grouped' | 'rows' | 'columns';
  readonly count: number;
  readonly body: Uint8Array;
}

/** A packed batch of messages on its way. `cut` is the sender's at the time of posting: an assertion, not a decision. */
export interface Frame extends PackedFrame {
  readonly kind: 'frame';
  readonly generation: number;
  readonly cut: number;
  readonly seq: number;
  /** Room given back along with it, as by `Credit`: a post costs more than what a small frame holds. */
  readonly credit: number;
}

/** Starts and bounds a cut (Chandy–Lamport). Leaves the FIFO order only ahead of the sender's own outbox. */
export interface Marker {
  readonly kind: 'marker';
  readonly cut: number;
  /** Newest cut that was published when this one began; 0 for none. */
  readonly published: number;
}

/** Room given back: the receiver has taken so many bytes. */
export interface Credit {
  readonly kind: 'credit';
  readonly bytes: number;
}

export type ChannelItem = Frame | Marker | Credit;

/** What a worker is told when a generation starts. */
export interface StartWorker {
  readonly kind: 'start';
  readonly generation: number;
  readonly term: number;
  readonly thread: number;
  readonly workers: number;
  /** For the extension's `install`. */
  readonly extensionData: unknown;
  /** One flag per thread: not 0 while that thread keeps the ingress of the system closed. */
  readonly ingress: Int32Array;
  /** Where each thread counts what it has done. */
  readonly work: Float64Array;
  /** Open calls of services, one number a thread. */
  readonly calls: Int32Array;
  /** See ThreadSettings; 0 or Infinity for never. */
  readonly hungServiceMs: number;
  /** Actors whose turns have thrown: their turns can be undone. */
  readonly careful: readonly ActorAddress[];
}

/** A file of a checkpoint: whole, or one piece after the other as it was made. */
export type FileBytes = Uint8Array | readonly Uint8Array[];

/** Host → worker. */
export type HostSays =
  | StartWorker
  | {
      readonly kind: 'load';
      readonly units: readonly UnitData[];
      readonly frames: readonly PackedFrame[];
      /** Files of a checkpoint that only the layer that takes cuts can read. */
      readonly files: readonly FileBytes[];
    }
  | { readonly kind: 'go' }
  | { readonly kind: 'published'; readonly cut: number; readonly position: number }
  | { readonly kind: 'abandon'; readonly cut: number }
  /** Memory of blocks of a part that are stored. */
  | { readonly kind: 'spare'; readonly buffers: readonly ArrayBuffer[] }
  | { readonly kind: 'look'; readonly id: number }
  | { readonly kind: 'inspect'; readonly id: number }
  | { readonly kind: 'list-letters'; readonly id: number }
  | { readonly kind: 'extension'; readonly data: unknown }
  /** Runs a call of a service whose arguments hold moved buffers: they cannot be in a frame, which is bytes. */
  | { readonly kind: 'serve'; readonly envelope: Envelope }
  /** Nobody waits any more for that call, which came by `serve`. By the same way, which it cannot overtake. */
  | { readonly kind: 'abort-call'; readonly id: string }
  /** That generation is over: nothing of it runs any more when the worker has answered. */
  | { readonly kind: 'halt'; readonly generation: number }
  | { readonly kind: 'stop' };

/** Worker → host, with the generation that it is said in: what an older one still says counts no more. */
export type WorkerSays = WorkerWord & { readonly generation: number };

export type WorkerWord =
  | { readonly kind: 'ready'; readonly versions: Readonly<Record<string, number>> }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'seen'; readonly id: number; readonly sight: Sight }
  | { readonly kind: 'letters'; readonly id: number; readonly letters: readonly DeadLetter[] }
  /** A message was set aside. */
  | { readonly kind: 'letter'; readonly letter: DeadLetter }
  | { readonly kind: 'inspected'; readonly id: number; readonly view: ThreadView }
  | ({ readonly kind: 'log' } & LogLine)
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  | ({ readonly kind: 'served' } & ServedAnswer)
  | { readonly kind: 'service-hung'; readonly call: HungCall }
  | { readonly kind: 'part'; readonly data: unknown }
  | { readonly kind: 'extension'; readonly data: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'halted' }
  | { readonly kind: 'stopped' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Something that code of a thread says for people. */
export interface LogLine {
  /** Without the end of its last line. */
  readonly text: string;
  /** Of `ctx.log` and `console.log`: `info`. */
  readonly level: LogLevel;
  /** By `ctx.log`, or by what writes to the standard streams: `console`, for one. */
  readonly from: 'ctx' | 'stdout' | 'stderr';
}

/** One unit as a checkpoint stores it: its address readable, its value still packed. */
export interface UnitData {
  readonly type: string;
  readonly key: string;
  readonly table: string;
  readonly tableKey: string | number | null;
  readonly value: Uint8Array;
}

/** A unit whose value is its receiver's. */
export type LoadedUnit = Omit<UnitData, 'value'> & { readonly value: unknown };

/** What a thread shows when it is looked at; equal counts on two looks at quiet threads prove that nothing moves. */
export interface Sight {
  readonly quiet: boolean;
  /** No source of this thread will bring more. */
  readonly drained: boolean;
  readonly framesSent: number;
  readonly framesTaken: number;
}

/** Where one thread's end of a channel goes. */
export interface Peer {
  readonly thread: number;
  readonly port: Port;
}
