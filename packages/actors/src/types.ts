/* oxlint-disable no-explicit-any -- patterns of conditional types match any handler; no value of type any leaves this file */
import type { Table } from './table.ts';

declare const of: unique symbol;

/** Address of one actor: plain data. May be sent, stored in a state, compared by its fields. */
export interface Ref<D> {
  readonly type: string;
  readonly key: string;
  readonly [of]?: D;
}

/** A Buffer would arrive as a Uint8Array. No view has this method but a Buffer. */
interface BufferLike {
  readonly swap16: unknown;
}

/** An Error would arrive without its class. Data that has a name and a message has no stack: `Wire` asks for that key too. */
interface ErrorLike {
  readonly name: string;
  readonly message: string;
}

/**
 * Plain data only: what the codec gives back unchanged. What is most frequent is asked first, and a Map stays a Map, because
 * two of a kind are compared by what they hold and not member by member: a tenth fewer instantiations in `bench -- types`.
 */
export type Wire<T> = T extends null | undefined | boolean | number | string | bigint
  ? T
  : T extends Table<any, infer V>
    ? [V] extends [Wire<V>]
      ? T
      : never
    : T extends BufferLike
      ? never
      : T extends Date | ArrayBufferView | ArrayBuffer
        ? T
        : // Not by `extends Ref`: anything with a type and a key would be one, whatever else it has.
          typeof of extends keyof T
          ? T
          : T extends PromiseLike<any> | symbol | ((...a: never[]) => unknown)
            ? never
            : T extends Map<infer K, infer V>
              ? Map<Wire<K>, Wire<V>>
              : T extends Set<infer V>
                ? Set<Wire<V>>
                : T extends ReadonlyMap<infer K, infer V>
                  ? ReadonlyMap<Wire<K>, Wire<V>>
                  : T extends ReadonlySet<infer V>
                    ? ReadonlySet<Wire<V>>
                    : ['stack', T] extends [keyof T, ErrorLike]
                      ? never
                      : T extends object
                        ? { [K in keyof T]: Wire<T[K]> }
                        : T;

export type DeepReadonly<T> = T extends null | undefined | boolean | number | string | bigint | Date
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<K, DeepReadonly<V>>
    : T extends ReadonlySet<infer V>
      ? ReadonlySet<DeepReadonly<V>>
      : T extends object
        ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
        : T;

/** Its arguments and its answer are plain data, and it is not async: `actor` checks both, and its errors say what to do. */
export type Handler<S> = (ctx: Ctx<S>, ...args: any[]) => unknown;

/** Levels below an argument or a state to which a mistake is looked for: a type may contain itself. */
type Levels = [1, 1, 1, 1, 1, 1];

/** Where in `T` the first thing lies that is no plain data, in words. Only what `Wire` has refused comes here. */
type Place<T, At extends string, Left extends unknown[] = Levels> = Left extends [unknown, ...infer Less]
  ? T extends Wire<T>
    ? never
    : T extends Table<infer K, infer V>
      ? Place<K, `a key of ${At}`, Less> | Place<V, `a value of ${At}`, Less>
      : T extends BufferLike
        ? `${At} is a Buffer: make it a Uint8Array`
        : ['stack', T] extends [keyof T, ErrorLike]
          ? `${At} is an Error: take its message or its code`
          : T extends PromiseLike<any>
            ? `${At} is a promise`
            : T extends symbol
              ? `${At} is a symbol`
              : T extends (...a: never[]) => unknown
                ? `${At} is a function`
                : T extends ReadonlyMap<infer K, infer V>
                  ? Place<K, `a key of ${At}`, Less> | Place<V, `a value of ${At}`, Less>
                  : T extends ReadonlySet<infer V>
                    ? Place<V, `an item of ${At}`, Less>
                    : T extends readonly (infer V)[]
                      ? Place<V, `an item of ${At}`, Less>
                      : { [K in keyof T & string]: Place<T[K], `${At}.${K}`, Less> }[keyof T & string]
  : `${At} is no plain data`;

type NotPlain<Where extends string> = `${Where}; only plain data can be sent and kept`;

/** Where in the arguments: they are counted from 1. */
type PlaceIn<A extends readonly unknown[], Counted extends unknown[] = [1]> = A extends readonly [
  infer First,
  ...infer Rest,
]
  ? Place<First, `argument ${Counted['length']}`> | PlaceIn<Rest, [...Counted, 1]>
  : Place<A[number], 'an argument'>;

/** `unknown` for what may be a handler, else a text that says what is wrong and what to do. */
type CheckedHandler<F> = F extends (ctx: any, ...a: infer A) => infer R
  ? [R] extends [Wire<R>]
    ? A extends { [I in keyof A]: Wire<A[I]> }
      ? unknown
      : NotPlain<PlaceIn<Required<A>>>
    : Extract<R, PromiseLike<any>> extends never
      ? NotPlain<Place<R, 'what this handler returns'>>
      : 'A handler of an actor may not be async or return a promise: wait outside of it, and send the result as a message'
  : never;
type Checked<H> = { [K in keyof H]: CheckedHandler<H[K]> };
type CheckedState<S> = [S] extends [Wire<S>] ? unknown : NotPlain<Place<S, 'state'>>;

/** A kind of actor: a name, which is its only identity, a first state, and handlers. */
export interface Actor<S, H> {
  readonly kind: 'actor';
  readonly name: string;
  readonly version: number;
  readonly state: (key: string) => S;
  readonly on: H;
  readonly onThrow: 'rollback' | 'forget';
  readonly place: 'worker' | 'host';
  readonly migrate: StateSteps;
  readonly migrateMessage: MessageSteps;
}

/**
 * By the version that it begins from: makes a state of that version one of the next. Tables stand in it as a `Map` each,
 * and so they do in what it returns.
 */
export type StateSteps = Readonly<Record<number, (old: any, key: string) => unknown>>;

/** A message that a checkpoint holds: sent, and not yet handled. */
export interface RecordedMessage {
  /** Key of the actor that it was sent to; a step cannot change it. */
  readonly key: string;
  readonly handler: string;
  readonly args: readonly any[];
}

/** By the version that it begins from: makes a message to an actor of that version one to the next; null drops it. */
export type MessageSteps = Readonly<
  Record<number, (message: RecordedMessage) => Pick<RecordedMessage, 'handler' | 'args'> | null>
>;

/** A definition of which nothing more is known: what the runtime keeps. */
export type AnyActor = Actor<any, Record<string, Handler<any>>>;

export interface ActorOptions<S extends object, H extends Record<string, Handler<S>>> {
  /** Version of the state's shape and of the messages, 1 when not given. A checkpoint of another one goes through `migrate`. */
  readonly version?: number;
  /**
   * How a start makes the state in a checkpoint of an earlier version one of this: one step for each version before it.
   *
   * @example
   * version: 3,
   * migrate: {
   *   1: (old) => ({ ...old, currency: 'EUR' }),
   *   2: ({ amount, ...rest }) => ({ ...rest, cents: amount * 100 }),
   * },
   */
  readonly migrate?: StateSteps;
  /** The same for messages that were on their way; without a step they stay as they are. */
  readonly migrateMessage?: MessageSteps;
  readonly state: (key: string) => S & CheckedState<S>;
  readonly on: H & Checked<H>;
  /** What to do when a handler throws anything but a Refusal: go back to the last checkpoint (default), or drop the actor's state. */
  readonly onThrow?: 'rollback' | 'forget';
  /** `host` keeps the actor on the thread that made the system. */
  readonly place?: 'worker' | 'host';
}

type Handlers<D> = D extends Actor<any, infer H> ? H : never;
export type Messages<D> = {
  [K in keyof Handlers<D>]: Handlers<D>[K] extends (ctx: any, ...a: infer A) => infer R
    ? (...a: A) => Awaited<R>
    : never;
};
type Args<F> = F extends (...a: infer A) => any ? A : never;
type Answer<F> = F extends (...a: any[]) => infer R ? R : never;
/** `ctx.self` does not say of what actor it is: it may be handed on, not sent to. */
export type Tells<D> = [D] extends [never]
  ? 'ctx.self has no messages: send to ctx.ref(TheActor, ctx.key)'
  : { readonly [K in keyof Messages<D>]: (...a: Args<Messages<D>[K]>) => void };
export type TellsWhenRoom<D> = { readonly [K in keyof Messages<D>]: (...a: Args<Messages<D>[K]>) => Promise<void> };
export type Asks<D> = {
  readonly [K in keyof Messages<D>]: (...a: Args<Messages<D>[K]>) => Promise<Answer<Messages<D>[K]>>;
};

/** What a handler works with. Valid only until its turn ends; later use throws `CTX_EXPIRED`. */
export interface Ctx<S> {
  /** The actor's state. Change it in place; a checkpoint keeps it as it is between two turns. */
  readonly state: S;
  readonly key: string;
  readonly self: Ref<never>;
  readonly log: (text: string) => void;
  ref<D extends AnyActor>(definition: D, key: string): Ref<D>;
  /** Sends when the turn ends without a throw; the arguments are copied now. */
  tell<D>(to: Ref<D>): Tells<D>;
  /** Drops this actor's state when the turn ends; the next message starts anew. */
  forget(): void;
}

export interface AskOptions {
  /** Milliseconds until the promise rejects with `ASK_TIMEOUT`; 5,000 when not given. */
  readonly timeoutMs?: number;
}
