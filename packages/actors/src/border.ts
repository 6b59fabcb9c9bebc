import type { Clock } from './clock.ts';
import { ChurnMap } from './churn-map.ts';
import { Deadlines } from './deadlines.ts';
import { ActorError } from './errors.ts';
import { messageFacet, serviceFacet } from './facet.ts';
import { SENDS_UNBROKEN } from './limits.ts';
import type { Answer, Envelope } from './messages.ts';
import { unmark } from './move.ts';
import { OpenAsk, type OpenAsks } from './open-ask.ts';
import type { Runtime } from './runtime.ts';
import { askCallId } from './service-desk.ts';
import { assertDelay, isService, makeEnvelope, makeMovingCall } from './turn.ts';
import type { Asks, AskOptions, Ref, TellsWhenRoom } from './types.ts';
import { assertKey, copyValue } from './value.ts';

const ASK_TIMEOUT_MS = 5_000;
/** Asks that are told at most to whoever looks inside. */
const OLDEST = 10;
/** Milliseconds between looks at a closed ingress. */
const ROOM_POLL_MS = 1;

/**
 * The host's border: what an ordinary app uses to send to actors and to ask them. It outlives generations.
 *
 * Owns the open asks and the sends that wait for room, which keep their order.
 *
 * - A14 An ask that was sent before the cut of the checkpoint that is gone back to stays open: it, or its answer, is in
 *   the cut. One that was sent later is undone: it is asked again where it has a request id, else it rejects with `ROLLED_BACK`:
 *   nothing of it was done. What waits for room goes on waiting. Asks to services are in no cut, and are asked again; those whose
 *   thread has died reject with `SERVICE_INTERRUPTED`: they may be what it died of. So do those that buffers were moved with: nobody
 *   has them to send them again.
 */
export class Border {
  readonly #clock: Clock;
  readonly #asks = new ChurnMap<number, OpenAsk>();
  readonly #deadlines: Deadlines;
  #waiting: {
    /** Null for whoever only waits until all before is sent. */
    readonly envelope: Envelope | null;
    readonly sent: () => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  #runtime: Runtime | null = null;
  #term = 0;
  /** Between two generations: nothing is sent, all waits. */
  #paused = false;
  #nextAsk = 1;
  #polling = false;
  #closed: Error | null = null;
  /** Sends since the event loop has turned, as the slices of the runtime tell. */
  #unbroken = 0;
  #slices = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock, this.#asks);
  }

  /** What is sent goes to this generation. */
  use(runtime: Runtime): void {
    this.#runtime = runtime;
    this.#term = runtime.term;
    this.#paused = false;
    // At once: a checkpoint that is asked for next is to hold them.
    this.#sendWaiting();
  }

  /** The generation is over: what is sent from now on waits for the next. */
  pause(): void {
    this.#runtime = null;
    this.#paused = true;
  }

  /**
   * The system goes back to the checkpoint of cut `cut`: what was asked later is undone (A14).
   *
   * @param lost threads that have died
   */
  rollBack(cut: number, lost: ReadonlySet<number> = new Set()): void {
    const again: OpenAsk[] = [];
    for (const ask of this.#asks.values()) {
      const { sentIn } = ask;
      if (sentIn === null) continue;
      ask.rolledBack();
      if (ask.isService && ask.thread !== null && lost.has(ask.thread)) ask.fail(interrupted(ask.what));
      else if (ask.isMoved) ask.fail(movedAway(ask.what));
      else if (ask.isService || (sentIn >= cut && ask.envelope.requestId !== undefined)) again.push(ask);
      else if (sentIn >= cut) ask.fail(undone(ask.what));
    }
    // Before what waits: it was sent first.
    const front = again.map((ask) => {
      ask.sentIn = null;
      return { envelope: ask.envelope, sent: () => undefined, fail: (error: Error) => ask.fail(error) };
    });
    this.#waiting = [...front, ...this.#waiting];
  }

  /** Resolves when all that waits for room now is sent, or will not be; null when nothing waits. */
  sentSoFar(): Promise<void> | null {
    if (this.#waiting.length === 0) return null;
    return new Promise((resolve) => void this.#waiting.push({ envelope: null, sent: resolve, fail: () => resolve() }));
  }

  /** The record of that cut is put: answers that wait for it now are released with it. Answers whether there are any. */
  answersWait(cut: number): boolean {
    let found = false;
    for (const ask of this.#asks.values()) found = ask.waitsFor(cut) || found;
    return found;
  }

  /** A checkpoint of that cut is published. */
  published(cut: number): void {
    for (const ask of this.#asks.values()) ask.published(cut);
  }

  tell<D>(to: Ref<D>): TellsWhenRoom<D> {
    return messageFacet(to, (target, handler, args) =>
      rejecting(args, () => this.#sendWhenRoom(makeEnvelope(target, handler, args))),
    );
  }

  ask<D>(to: D | Ref<D>, options: AskOptions = {}): Asks<D> {
    if (isService(to)) {
      return serviceFacet(to, ({ type }, handler, args) =>
        rejecting(args, () =>
          this.#ask((reply) => makeMovingCall(type, handler, args, reply), {
            ...options,
            requestId: noRequestId(options),
          }),
        ),
      );
    }
    return messageFacet(to as Ref<D>, (target, handler, args) =>
      rejecting(args, () => this.#ask((reply) => makeEnvelope(target, handler, args, reply), options)),
    );
  }

  /** Asks an actor for what the runtime itself does for it. */
  askOwn(to: Ref<unknown>, handler: string, id: string): Promise<boolean> {
    return rejecting([], () => this.#ask((reply) => makeEnvelope(to, handler, [id], reply), {})) as Promise<boolean>;
  }

  /** An answer has come; one to an earlier process, or too late, is dropped. */
  answered(ask: number, term: number, answer: Answer, cut = 0): void {
    if (term === this.#term) this.#asks.get(ask)?.answered(answer, cut);
  }

  get openAsks(): OpenAsks {
    const now = this.#clock.monotonic();
    const oldest: { readonly what: string; readonly ageMs: number }[] = [];
    // A Map keeps the order in which they were made.
    for (const { what, since } of this.#asks.values()) {
      if (oldest.length === OLDEST) break;
      oldest.push({ what, ageMs: now - since });
    }
    return { open: this.#asks.size, oldest };
  }

  /** Nothing new may enter; answers to open asks still come. */
  closeEntry(reason: Error): void {
    this.#closed ??= reason;
    for (const { fail } of this.#waiting.splice(0)) fail(reason);
  }

  close(reason: Error): void {
    this.closeEntry(reason);
    for (const ask of this.#asks.values()) ask.fail(reason);
  }

  #ask(make: (reply: { ask: number; term: number }) => Envelope, options: AskOptions): Promise<unknown> {
    const { timeoutMs = ASK_TIMEOUT_MS, signal, requestId, release = 'at-once' } = options;
    assertDelay('timeoutMs', timeoutMs);
    if (requestId !== undefined) assertKey(requestId, () => 'requestId');
    signal?.throwIfAborted();
    // Before buffers are moved: nobody would get them.
    this.#assertOpen();
    const number = this.#nextAsk++;
    const made = make({ ask: number, term: this.#term });
    const ask = new OpenAsk({
      envelope: requestId === undefined ? made : { ...made, requestId },
      timeoutMs,
      signal,
      release,
      since: this.#clock.monotonic(),
      closed: () => {
        this.#asks.delete(number);
        this.#deadlines.removed();
      },
      abandoned: () => this.#abandoned(ask, number),
    });
    this.#asks.set(number, ask);
    this.#deadlines.added(ask);
    const sent = rejecting([], () => this.#sendWhenRoom(ask.envelope));
    if (sent !== SENT) sent.catch((error: unknown) => ask.fail(error));
    return ask.promise;
  }

  #abandoned({ envelope, isService: runs, isMoved, thread }: OpenAsk, number: number): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.envelope !== envelope);
    if (!runs) return;
    const id = askCallId(this.#term, number);
    if (isMoved && thread !== null) this.#runtime?.services.abortMoved(id, thread);
    else this.#runtime?.services.abort(id);
  }

  #assertOpen(): void {
    if (this.#closed !== null) throw this.#closed;
    if (this.#runtime === null && !this.#paused) {
      throw new ActorError('SYSTEM_STOPPED', 'the system has not started');
    }
  }

  #sendWhenRoom(envelope: Envelope): Promise<void> {
    this.#assertOpen();
    const runtime = this.#runtime;
    if (this.#waiting.length === 0 && runtime !== null && this.#hasRoom(runtime)) {
      this.#send(runtime, envelope);
      return SENT;
    }
    return new Promise<void>((sent, fail) => {
      this.#waiting.push({ envelope, sent, fail });
      this.#poll();
    });
  }

  /** The system takes more, and this thread's event loop is not kept from turning. */
  #hasRoom(runtime: Runtime): boolean {
    const { slices } = runtime.work;
    if (slices !== this.#slices) {
      this.#slices = slices;
      this.#unbroken = 0;
    }
    return this.#unbroken < SENDS_UNBROKEN && runtime.ingressOpen;
  }

  #send(runtime: Runtime, envelope: Envelope): void {
    this.#unbroken++;
    const { reply } = envelope;
    const ask = reply !== null && 'ask' in reply ? this.#asks.get(reply.ask) : undefined;
    if (ask !== undefined) ask.sentIn = runtime.cut.cut;
    // Where it may be sent again its arguments stay: whoever gets them in this thread may change them.
    if (ask?.isService === true) ask.thread = runtime.services.startNow(ask.isMoved ? envelope : withOwnArgs(envelope));
    else runtime.send(envelope.requestId === undefined ? envelope : withOwnArgs(envelope));
  }

  #poll(): void {
    if (this.#polling || this.#paused) return;
    this.#polling = true;
    const look = (): void => {
      this.#polling = false;
      this.#sendWaiting();
    };
    // Where only the event loop has to turn, that is soon.
    if (this.#unbroken >= SENDS_UNBROKEN) this.#clock.soon(look);
    else this.#clock.after(ROOM_POLL_MS, look);
  }

  /** What waits is sent as far as there is room. */
  #sendWaiting(): void {
    for (let runtime = this.#runtime; runtime !== null && this.#waiting.length > 0; runtime = this.#runtime) {
      const [{ envelope, sent }] = this.#waiting;
      if (envelope !== null && !this.#hasRoom(runtime)) break;
      this.#waiting.shift();
      if (envelope !== null) this.#send(runtime, envelope);
      sent();
    }
    if (this.#waiting.length > 0) this.#poll();
  }
}

/** What most sends answer: there was room. */
const SENT = Promise.resolve();

/** What throws rejects; the copy is made before the call returns. Not `async`, which makes two promises more. */
function rejecting<T>(args: readonly unknown[], run: () => Promise<T>): Promise<T> {
  try {
    return run();
  } catch (error) {
    unmark(args);
    return Promise.reject(error);
  }
}

function withOwnArgs(envelope: Envelope): Envelope {
  return { ...envelope, args: copyValue(envelope.args, 'arguments') };
}

function noRequestId({ requestId }: AskOptions): undefined {
  if (requestId === undefined) return undefined;
  throw new ActorError(
    'REQUEST_ID_REUSED',
    `requestId '${requestId}' was given to a service, which has no state to remember it in; ask an actor, or use ctx.callId`,
  );
}

function interrupted(what: string): ActorError {
  return new ActorError(
    'SERVICE_INTERRUPTED',
    `${what}: the thread that it ran on has died. It may have been done, or be what the thread died of; ask again if that is safe`,
  );
}

function movedAway(what: string): ActorError {
  return new ActorError(
    'SERVICE_INTERRUPTED',
    `${what}: the system went back to a checkpoint while it ran, and what was moved to it is gone. It may have been done; ask again with new bytes if that is safe`,
  );
}

function undone(what: string): ActorError {
  return new ActorError(
    'ROLLED_BACK',
    `${what} was undone: the system went back to a checkpoint from before it was sent. Nothing of it was done; ask again`,
  );
}
