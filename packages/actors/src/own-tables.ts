import type { UnitTable } from './table.ts';
import { copyValue } from './value.ts';

/**
 * Tables that the runtime keeps beside an actor's own, in the same way: each row is a unit of its own. No table of a state
 * has a name that begins with `~`.
 */
export const OWN_TABLES = ['~calls', '~timers', '~letters', '~requests'] as const;
export type OwnTableName = (typeof OWN_TABLES)[number];

/** Rows by the name of their table; keys are ids of calls, ids of timers, ids of letters and the callers' request ids. */
export interface OwnRows {
  '~calls': OpenCall;
  '~timers': OpenTimer;
  '~letters': Letter;
  '~requests': HandledRequest;
}
export type OwnTable<N extends OwnTableName> = UnitTable<string, OwnRows[N]>;

/** A question under way. */
export interface OpenCall {
  /** The actor that was asked; null for a service. */
  readonly to: { readonly type: string; readonly key: string } | null;
  /** The service that was asked, with what: its requests are in no checkpoint, so it is asked again after a restore. */
  readonly service: string | null;
  readonly handler: string;
  readonly args: readonly unknown[] | null;
  /** Handler of the actor that asked, and what comes behind the answer. */
  readonly into: string;
  readonly bound: readonly unknown[];
  readonly timeoutMs: number | null;
  /** Milliseconds since 1970. */
  readonly askedAt: number;
}

export interface OpenTimer {
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly into: string;
  readonly args: readonly unknown[];
}

/** A message whose turn threw, set aside. */
export interface Letter {
  readonly handler: string;
  readonly args: readonly unknown[];
  /** Of the error. */
  readonly code: string;
  readonly message: string;
  readonly stack: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A request that was handled, with what was answered. */
export interface HandledRequest {
  /** Of handler and arguments. */
  readonly digest: string;
  readonly answer: {
    readonly ok: boolean;
    readonly value?: unknown;
    readonly code?: string;
    readonly message?: string;
  };
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function isOwnTable(name: string): name is OwnTableName {
  return (OWN_TABLES as readonly string[]).includes(name);
}

/** What is told of a row: who hears of it in this thread may change it, or move its buffers away, and the row is in the next checkpoint. */
export function givenOut<T>(inRow: T): T {
  return copyValue(inRow, 'row');
}
