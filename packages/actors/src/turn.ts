import type { Cell } from './cell.ts';
import { encodeValueInPlace } from './codec.ts';
import { ActorError } from './errors.ts';
import { messageFacet, type Send, serviceFacet } from './facet.ts';
import { tooLarge } from './frame.ts';
import { MESSAGE_BYTES_GUESS, MESSAGE_BYTES_MAX } from './limits.ts';
import { type Envelope, Message, type ReplyTo, SERVICE } from './messages.ts';
import { movesSome, withMoves } from './move.ts';
import type { OpenCall, OpenTimer } from './own-tables.ts';
import { serviceOf } from './service.ts';
import { currentTrace } from './trace.ts';
import type { AnyActor, AnyService, CallOptions, Calls, Ctx, Question, Ref, Tells, Timer } from './types.ts';
import { assertKey, copiedBytes, copyArguments, copyValue } from './value.ts';

/** Numbers, lengths and references take up to nine bytes where the rough count takes one. */
const ROUGH_FACTOR = 9;

/** Copies the arguments of a message at its send; the list of them, not what is in it, is the message's own from now on. */
export function makeEnvelope(
  to: Ref<unknown>,
  handler: string,
  args: unknown[],
  reply: ReplyTo | null = null,
): Envelope {
  if (to.key !== fitKey) fitKey = fitKeyOf(to);
  const before = copiedBytes();
  copyArguments(args, to.type, handler);
  const roughly = copiedBytes() - before;
  const envelope = new Message(to.type, to.key, handler, args, reply, roughly + MESSAGE_BYTES_GUESS);
  assertSize(envelope, roughly);
  const trace = currentTrace();
  return trace === undefined ? envelope : Object.assign(envelope, { trace });
}

/** Key of the message before: who gets one often gets another one. */
let fitKey = '';

/** @throws ActorError `DATA_NOT_SERIALISABLE` */
function fitKeyOf({ type, key }: Ref<unknown>): string {
  if (typeof key !== 'string' || !key.isWellFormed()) assertKey(key, () => `key of a message to '${type}'`);
  return key;
}

/** Starts a call of a service. */
export function makeServiceCall(name: string, handler: string, args: unknown[], reply: ReplyTo | null): Envelope {
  return { ...makeEnvelope({ type: name, key: '' }, handler, args, reply), type: SERVICE, key: name };
}

/** The same for the app: buffers that it has marked go over as they are, and are detached here. */
export function makeMovingCall(name: string, handler: string, args: unknown[], reply: ReplyTo): Envelope {
  const { value, moved } = withMoves(() => makeServiceCall(name, handler, args, reply));
  return moved.length === 0 ? value : { ...value, moved };
}

/** Copies what a handler returns for whoever asked: later turns may change the state that it is a part of. */
export function copyAnswer(of: Envelope, value: unknown): unknown {
  const before = copiedBytes();
  const copied = copyValue(value, () => `answer of ${of.type}.${of.handler}`);
  assertSize({ ...of, args: [copied] }, copiedBytes() - before);
  return copied;
}

/** Large ones are measured as they will travel; for the others, and those that do not travel in frames, the rough count says enough. */
function assertSize(envelope: Envelope, roughly: number): void {
  if (roughly * ROUGH_FACTOR <= MESSAGE_BYTES_MAX) return;
  const bytes = movesSome() ? roughly : encodeValueInPlace(envelope.args).length;
  if (bytes > MESSAGE_BYTES_MAX) throw tooLarge(envelope, bytes);
}

/** What a turn gets from its thread. */
export interface TurnPlace {
  readonly log: (text: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  /** A new id of a call, unlike every other of this job. */
  readonly nextId: () => string;
}

/** What a turn does beside changing its state: made when there is something, since most turns do nothing of it. */
export class TurnEffects {
  /** Null for none. */
  sends: Envelope[] | null = null;
  /** Questions that were asked; null for none. */
  calls: Map<string, OpenCall> | null = null;
  /** Timers by id; null for one that was cancelled. */
  timers: Map<string, OpenTimer | null> | null = null;
  forgotten = false;
  /** Calls that do not say yet where their answers go. */
  unanswerable = 0;
  /** Takes what the turn tells. */
  collect: Send | null = null;

  send(envelope: Envelope): void {
    if (this.sends === null) this.sends = [envelope];
    else this.sends.push(envelope);
  }
}

/** The context of one turn. What is done through it takes effect only when the turn ends well. */
// oxlint-disable-next-line no-explicit-any -- the handler was checked against its state's type at the definition
export class TurnContext implements Ctx<any> {
  /** What the handler returned. */
  value: unknown = undefined;
  readonly #cell: Cell;
  readonly #place: TurnPlace;
  /** Null for none. */
  effects: TurnEffects | null = null;
  #over = false;

  constructor(cell: Cell, place: TurnPlace) {
    this.#cell = cell;
    this.#place = place;
  }

  /** It is the end of a turn as well, of one that ended well. */
  get kind(): 'done' {
    return 'done';
  }

  get key(): string {
    return this.#cell.key;
  }

  // oxlint-disable-next-line no-explicit-any -- the handler was checked against its state's type at the definition
  get state(): any {
    this.#check();
    return this.#cell.state;
  }

  get self(): Ref<never> {
    return { type: this.#cell.definition.name, key: this.key };
  }

  /** A function of its own, so that it may be handed on; made when it is asked for. */
  get log(): (text: string) => void {
    return (text) => this.#place.log(`${this.#cell.definition.name}/${this.key}: ${text}`);
  }

  ref<D extends AnyActor>(definition: D, key: string): Ref<D> {
    return { type: definition.name, key };
  }

  tell<D>(to: Ref<D>): Tells<D> {
    this.#check();
    const effects = this.#acting();
    effects.collect ??= (target, handler, args) => {
      this.#check();
      effects.send(makeEnvelope(target, handler, args));
    };
    return messageFacet(to, effects.collect);
  }

  call<D>(to: D | Ref<D>, { timeoutMs }: CallOptions = {}): Calls<D> {
    this.#check();
    if (timeoutMs !== undefined) assertDelay('timeoutMs', timeoutMs);
    const limit = timeoutMs ?? null;
    if (isService(to)) {
      const service = serviceOf(to.name);
      return serviceFacet(service, (_, handler, args) => this.#askService(service, handler, args, limit));
    }
    return messageFacet(to as Ref<D>, (target, handler, args) => this.#askActor(target, handler, args, limit));
  }

  after(delayMs: number, timerId: string): Timer {
    this.#check();
    assertDelay('delayMs', delayMs);
    assertKey(timerId, () => `id of a timer of ${this.#cell.definition.name}/${this.key}`);
    const dueAt = this.#place.now() + delayMs;
    return {
      into: (self, handler, ...args) => {
        this.#check();
        this.#assertOwn(self, handler as string);
        const { args: copied } = makeEnvelope(this.self, handler as string, args);
        const effects = this.#acting();
        effects.timers ??= new Map();
        effects.timers.set(timerId, { dueAt, into: handler as string, args: copied });
      },
    };
  }

  cancel(timerId: string): void {
    this.#check();
    const effects = this.#acting();
    effects.timers ??= new Map();
    effects.timers.set(timerId, null);
  }

  now(): number {
    return this.#place.now();
  }

  random(): number {
    return this.#place.random();
  }

  forget(): void {
    this.#check();
    this.#acting().forgotten = true;
  }

  /** The turn is over. @throws ActorError `CALL_INCOMPLETE` */
  finish(): void {
    this.#over = true;
    if (this.effects === null || this.effects.unanswerable === 0) return;
    throw new ActorError(
      'CALL_INCOMPLETE',
      `${this.#cell.definition.name}/${this.key} has called without saying where the answer goes: end it with .into(…), or tell`,
    );
  }

  end(): void {
    this.#over = true;
  }

  #acting(): TurnEffects {
    return (this.effects ??= new TurnEffects());
  }

  #askActor(to: Ref<unknown>, handler: string, args: unknown[], timeoutMs: number | null): Question<unknown> {
    this.#check();
    const call = this.#place.nextId();
    const envelope = makeEnvelope(to, handler, args, { call, type: this.#cell.definition.name, key: this.key });
    const { type, key } = to;
    const asked = { to: { type, key }, service: null, handler, args: null };
    return this.#question(call, envelope, { ...asked, timeoutMs });
  }

  #askService({ name }: AnyService, handler: string, args: unknown[], timeoutMs: number | null): Question<unknown> {
    this.#check();
    const call = this.#place.nextId();
    const envelope = makeServiceCall(name, handler, [...args], {
      call,
      type: this.#cell.definition.name,
      key: this.key,
    });
    // A copy of its own: the service may change what it gets, and is asked with the same again after a crash.
    const asked = { to: null, service: name, handler, args: makeEnvelope({ type: name, key: '' }, handler, args).args };
    return this.#question(call, envelope, { ...asked, timeoutMs });
  }

  #question(call: string, envelope: Envelope, asked: Omit<OpenCall, 'into' | 'bound' | 'askedAt'>): Question<unknown> {
    const effects = this.#acting();
    effects.unanswerable++;
    let isComplete = false;
    return {
      into: (self, handler, ...bound) => {
        this.#check();
        this.#assertOwn(self, handler as string);
        if (isComplete) throw intoTwice(this.#cell);
        isComplete = true;
        effects.unanswerable--;
        const { args } = makeEnvelope(this.self, handler as string, bound);
        effects.calls ??= new Map();
        effects.calls.set(call, { ...asked, into: handler as string, bound: args, askedAt: this.#place.now() });
        effects.send(envelope);
      },
    };
  }

  /** What an actor asked is answered to it, and its timers are its own. */
  #assertOwn({ name }: AnyActor, handler: string): void {
    const { definition } = this.#cell;
    if (name === definition.name && definition.on[handler] !== undefined) return;
    throw new ActorError(
      'CALL_INCOMPLETE',
      `into(${name}, '${handler}') in a turn of '${definition.name}': expected this actor's own definition and one of its handlers (${Object.keys(definition.on).join(', ')})`,
    );
  }

  #check(): void {
    if (!this.#over) return;
    throw new ActorError(
      'CTX_EXPIRED',
      `a ctx of ${this.#cell.definition.name}/${this.key} was used after its turn had ended; send what you need later as a message`,
    );
  }
}

/** Longest delay: what a date can hold, far beyond any use. */
const DELAY_MS_MAX = 8.64e15;

export function assertDelay(what: string, ms: number): void {
  if (typeof ms === 'number' && ms >= 0 && ms <= DELAY_MS_MAX) return;
  throw new ActorError('DELAY_INVALID', `${what}: ${String(ms)}; expected milliseconds from 0 to ${DELAY_MS_MAX}`);
}

export function isService(to: unknown): to is AnyService {
  return typeof to === 'object' && to !== null && 'kind' in to && to.kind === 'service';
}

function intoTwice(cell: Cell): ActorError {
  return new ActorError(
    'CALL_INCOMPLETE',
    `${cell.definition.name}/${cell.key} has called .into(…) twice on one question; a question has one answer`,
  );
}
