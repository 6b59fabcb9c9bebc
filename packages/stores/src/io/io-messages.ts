import type { StoreErrorCode, StoreErrorKind } from '../errors.ts';
import type { StoreSupport, StoreTraffic } from '../store.ts';

/** A call as it crosses to the thread that has the store. What ends it from outside comes apart, as `abort`. */
export type IoCall =
  | { readonly call: 'put'; readonly name: string; readonly body: Uint8Array | 'streamed' }
  | { readonly call: 'putIfAbsent' | 'replace'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly call: 'get'; readonly name: string; readonly options: Readonly<Record<string, number>> }
  | { readonly call: 'list'; readonly prefix: string; readonly after: string | undefined }
  | { readonly call: 'delete' | 'storedAt'; readonly name: string };

/** To the thread. `id` is that of the call it belongs to. */
export type ToStore =
  | { readonly kind: 'call'; readonly id: number; readonly call: IoCall; readonly deadlineMs: number | undefined }
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  /** The body is over: all of it was sent, or what makes it threw. */
  | { readonly kind: 'body-over'; readonly id: number; readonly whole: boolean }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'close' };

/** From the thread. */
export type FromStore =
  | ({ readonly kind: 'opened' } & OpenedStore)
  | { readonly kind: 'not-opened'; readonly error: IoError }
  /** The store has taken a chunk of a body: one more may come. */
  | { readonly kind: 'taken'; readonly id: number }
  | { readonly kind: 'answered'; readonly id: number; readonly value: unknown; readonly traffic: StoreTraffic | null }
  | { readonly kind: 'failed'; readonly id: number; readonly error: IoError; readonly traffic: StoreTraffic | null }
  | { readonly kind: 'closed' };

/** What the other side must know of a store to stand for it. */
export interface OpenedStore {
  readonly url: string;
  readonly supports: StoreSupport;
  /** Whether it has `storedAt`. */
  readonly tellsStoredAt: boolean;
  readonly traffic: StoreTraffic | null;
}

/** An error as it crosses: a posted one loses its class, its code and its kind. */
export interface IoError {
  readonly name: string;
  readonly message: string;
  readonly store: { readonly kind: StoreErrorKind; readonly code: StoreErrorCode } | null;
  readonly cause: string | null;
}

/** One end of the line between a store and those who call it. */
export interface IoLine<Out, In> {
  post(message: Out, transfer?: ArrayBuffer[]): void;
  /** `ended`: nothing comes any more. */
  listen(receive: (message: In) => void, ended: () => void): void;
  close(): void;
  /** Whether an answer is waited for: only then does the line keep the process alive. */
  hold(waiting: boolean): void;
}

/** Chunks of a body on their way at a time. */
export const CHUNKS_MAX = 4;
