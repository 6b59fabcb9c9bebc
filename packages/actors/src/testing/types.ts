import type { Table } from '../table.ts';
import type { Actor, DeepReadonly, Messages, Ref } from '../types.ts';

/** State of an actor as a test sees it: a read-only copy, with a map for each table. */
export type StateOf<D> =
  D extends Actor<infer S, infer _>
    ? {
        readonly [K in keyof S]: S[K] extends Table<infer TableKey, infer V>
          ? ReadonlyMap<TableKey, DeepReadonly<V>>
          : DeepReadonly<S[K]>;
      }
    : never;

/** Names of the handlers of a definition. */
export type HandlerName<D> = keyof Messages<D> & string;

/** Arguments of a handler's messages. */
export type ArgsOf<D, K extends keyof Messages<D>> = Messages<D>[K] extends (...args: infer A) => unknown ? A : never;

/** What a handler answers. */
export type AnswerOf<D, K extends keyof Messages<D>> = Messages<D>[K] extends (...args: never[]) => infer R ? R : never;

/** A message that an actor has sent. */
export interface SentMessage {
  readonly to: Ref<unknown>;
  readonly handler: string;
  readonly args: readonly unknown[];
}

declare const answer: unique symbol;

/** A question that an actor has asked and that is not answered yet; `R` is what its answer holds. */
export interface OpenQuestion<R = unknown, A extends readonly unknown[] = readonly unknown[]> {
  readonly id: string;
  /** Whom it asks: an actor or a service. */
  readonly to: Ref<unknown> | string;
  readonly handler: string;
  readonly args: A;
  /** Handler that gets the answer, and what comes behind it. */
  readonly into: string;
  readonly bound: readonly unknown[];
  /** Null for one without a limit. */
  readonly timeoutMs: number | null;
  readonly [answer]?: R;
}

/** A timer of an actor that has not gone off yet. */
export interface OpenTimer {
  readonly id: string;
  /** Milliseconds since 1970, and from now. */
  readonly dueAt: number;
  readonly inMs: number;
  readonly handler: string;
  readonly args: readonly unknown[];
}
