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
  readonly mailbox: MailboxOptions | null;
  readonly migrate: StateSteps;
  readonly migrateMessage: MessageSteps;
}

/** A bound on what may wait for one actor, for messages that may be lost. Without one nothing is. */
export interface MailboxOptions {
  /** Messages that may wait. */
  readonly max: number;
  /**
   * What becomes of one more: `refuse` and `drop-newest` give it up, `drop-oldest` the one that has waited longest. Whoever asked
   * gets `MAILBOX_FULL`; all are counted.
   */
  readonly overflow: 'refuse' | 'drop-newest' | 'drop-oldest';
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
  readonly mailbox?: MailboxOptions;
  /** `host` keeps the actor on the thread that made the system. */
  readonly place?: 'worker' | 'host';
}

/** What a handler of a service works with. */
export interface ServiceCtx {
  /** Aborted when whoever asked waits no longer, or the system goes back or ends: stop then, nobody wants the answer. */
  readonly signal: AbortSignal;
  /**
   * Name of this call. A call of an actor that is made again after a crash has the same one, so that what it does outside can
   * be made to happen once.
   */
  readonly callId: string;
  readonly log: (text: string) => void;
}

export type ServiceHandler = (ctx: ServiceCtx, ...args: any[]) => unknown;

/** `unknown` for what may be a handler of a service, else a text that says what is wrong. */
type CheckedServiceHandler<F> = F extends (ctx: any, ...a: infer A) => infer R
  ? [Awaited<R>] extends [Wire<Awaited<R>>]
    ? A extends { [I in keyof A]: Wire<A[I]> }
      ? unknown
      : NotPlain<PlaceIn<Required<A>>>
    : NotPlain<Place<Awaited<R>, 'what this handler returns'>>
  : never;
export type CheckedService<H> = { [K in keyof H]: CheckedServiceHandler<H[K]> };

/** Functions without a state: they may be async, and run wherever there is room. */
export interface Service<H> {
  readonly kind: 'service';
  readonly name: string;
  readonly on: H;
  readonly place: ServicePlace;
  readonly maxConcurrent: number;
}

/** `any`: the worker with the fewest open calls; `here`: the thread of whoever calls; `host`: the thread that made the system. */
export type ServicePlace = 'any' | 'here' | 'host';

export type AnyService = Service<Record<string, ServiceHandler>>;

export interface ServiceOptions {
  /** `any` when not given. */
  readonly place?: ServicePlace;
  /** Calls that run at the same time in one thread; more wait in line. Without a limit when not given. */
  readonly maxConcurrent?: number;
}

type Handlers<D> = D extends Actor<any, infer H> ? H : D extends Service<infer H> ? H : never;
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

/** The answer to a call: what the handler returned, or why there is none. */
export type Reply<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly code: string; readonly message: string };

type Tail<A> = A extends readonly [any, ...infer T] ? T : [];
/** Handlers of `D` whose first argument takes the answer `R`. */
type TakingReply<D, R> = {
  [K in keyof Messages<D>]: Args<Messages<D>[K]> extends [infer F, ...any] ? (Reply<R> extends F ? K : never) : never;
}[keyof Messages<D>];

/** Says of a handler that cannot be the one for an answer `R` why it cannot. */
type IntoHandler<D, K, R> =
  K extends TakingReply<D, R>
    ? unknown
    : K extends keyof Messages<D>
      ? {
          readonly 'the first argument of this handler does not take the answer: it must be a Reply of what was asked': never;
        }
      : { readonly 'this actor has no such handler': never };
type BoundArgs<D, K, R> = K extends TakingReply<D, R> ? Tail<Args<Messages<D>[K]>> : any[];

/** A call that does not yet say where its answer goes. */
export interface Question<R> {
  /**
   * The answer comes as a message to this handler of the actor that asks, followed by the `bound` arguments. Until then the
   * question is data of that actor: it is in every checkpoint, and nothing waits.
   */
  into<D extends Actor<any, any>, K extends TakingReply<D, R> | (string & {})>(
    self: D,
    handler: K & IntoHandler<D, K, R>,
    ...bound: BoundArgs<D, K, R>
  ): void;
}
export type Calls<D> = {
  readonly [K in keyof Messages<D>]: (...a: Args<Messages<D>[K]>) => Question<Answer<Messages<D>[K]>>;
};

export interface CallOptions {
  /**
   * Milliseconds until the answer is `CALL_TIMEOUT`, and a service that still runs is aborted. Without a limit when not given.
   * Counted while the system runs: after a restart it begins anew.
   */
  readonly timeoutMs?: number;
}

/** A timer that does not yet say where it goes off. */
export interface Timer {
  into<D extends Actor<any, any>, K extends keyof Messages<D>>(
    self: D,
    handler: K,
    ...args: Args<Messages<D>[K]>
  ): void;
}

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
  /**
   * Asks an actor or a service; the answer comes later as a message.
   *
   * @example ctx.call(from).withdraw(5).into(Transfer, 'withdrawn', id);
   */
  call<D extends AnyServiceLike>(to: D, options?: CallOptions): Calls<D>;
  call<D extends AnyActor>(to: Ref<D>, options?: CallOptions): Calls<D>;
  /**
   * Sends a message to this actor in `delayMs` milliseconds. There is one timer of an id: a second one takes the place of the
   * first. It is part of the actor, so it goes off after a restart too; at once when it is overdue.
   *
   * @example ctx.after(60_000, 'idle').into(Session, 'close', 'idle');
   */
  after(delayMs: number, timerId: string): Timer;
  /** The timer of that id does not go off, if there is one. */
  cancel(timerId: string): void;
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Drops this actor's state when the turn ends; the next message starts anew. */
  forget(): void;
}

/** So that a ref, which has a type and a key, is never taken for one. */
type AnyServiceLike = Service<any>;

export interface AskOptions {
  /** Milliseconds until the promise rejects with `ASK_TIMEOUT`; 5,000 when not given. A service that still runs is aborted. */
  readonly timeoutMs?: number;
  /** Stops waiting: the promise rejects with the signal's reason. A service is aborted; an actor's turn may still run. */
  readonly signal?: AbortSignal;
  /**
   * Name of this request, the caller's own: however often it is asked, also after a crash, the handler runs once, and everybody
   * gets the answer of that run. Kept for an hour. After a rollback the runtime asks again by itself. Not for services.
   */
  readonly requestId?: string;
  /**
   * When the answer is given: `at-once` (default), though a crash may still undo it; or `after-checkpoint`, when a published
   * checkpoint has what the handler did, so that nothing can.
   */
  readonly release?: 'at-once' | 'after-checkpoint';
}
