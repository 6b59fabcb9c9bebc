import type { Clock } from './clock.ts';
import { ActorError, RemoteError } from './errors.ts';
import type { Envelope } from './messages.ts';
import type { Answer } from './actor-table.ts';
import type { Runtime } from './runtime.ts';
import { makeEnvelope, messageFacet } from './turn.ts';
import type { Asks, AskOptions, Ref, TellsWhenRoom } from './types.ts';

const ASK_TIMEOUT_MS = 5_000;
/** Milliseconds between looks at a closed ingress. */
const ROOM_POLL_MS = 1;

interface OpenAsk {
  readonly what: string;
  /** Newest cut of the host when it was sent; null while it waits for room. */
  sentIn: number | null;
  settle(answer: Answer): void;
  fail(error: Error): void;
}

/**
 * The host's border: what an ordinary app uses to send to actors and to ask them. It outlives generations.
 *
 * Owns the open asks and the sends that wait for room, which keep their order.
 *
 * - A14 An ask that was sent before the cut of the checkpoint that is gone back to stays open: it, or its answer, is in
 *   the cut. One that was sent later rejects with `ROLLED_BACK`: nothing of it was done. What waits for room goes on waiting.
 */
export class Border {
  readonly #clock: Clock;
  readonly #asks = new Map<number, OpenAsk>();
  readonly #waiting: {
    readonly envelope: Envelope;
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

  constructor(clock: Clock) {
    this.#clock = clock;
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

  /** The system goes back to the checkpoint of cut `cut`: what was asked later is undone (A14). */
  rollBack(cut: number): void {
    for (const ask of this.#asks.values()) {
      if (ask.sentIn !== null && ask.sentIn >= cut) ask.fail(undone(ask.what));
    }
  }

  tell<D>(to: Ref<D>): TellsWhenRoom<D> {
    // `async`, so that what cannot be sent rejects; the copy is made before the call returns.
    return messageFacet(to, async (target, handler, args) => this.#sendWhenRoom(makeEnvelope(target, handler, args)));
  }

  ask<D>(to: Ref<D>, options: AskOptions = {}): Asks<D> {
    const timeoutMs = options.timeoutMs ?? ASK_TIMEOUT_MS;
    return messageFacet(to, async (target, handler, args) => this.#ask(makeEnvelope(target, handler, args), timeoutMs));
  }

  /** An answer has come; one to an earlier process, or too late, is dropped. */
  answered(ask: number, term: number, answer: Answer): void {
    if (term === this.#term) this.#asks.get(ask)?.settle(answer);
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

  #ask(envelope: Envelope, timeoutMs: number): Promise<unknown> {
    const ask = this.#nextAsk++;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        cancel();
        this.#asks.delete(ask);
      };
      const cancel = this.#clock.after(timeoutMs, () => {
        done();
        reject(
          new ActorError(
            'ASK_TIMEOUT',
            `${envelope.type}/${envelope.key} ${envelope.handler} has not answered within ${timeoutMs} ms; it may still run`,
          ),
        );
      });
      this.#asks.set(ask, {
        what: `${envelope.type}/${envelope.key} ${envelope.handler}`,
        sentIn: null,
        settle(answer) {
          done();
          if (answer.ok) resolve(answer.value);
          else reject(new RemoteError({ ...answer, stack: undefined, cause: undefined }));
        },
        fail(error) {
          done();
          reject(error);
        },
      });
      this.#sendWhenRoom({ ...envelope, reply: { ask, term: this.#term } }).catch((error: unknown) => {
        done();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  async #sendWhenRoom(envelope: Envelope): Promise<void> {
    if (this.#closed !== null) throw this.#closed;
    const runtime = this.#runtime;
    if (runtime === null && !this.#paused) throw new ActorError('SYSTEM_STOPPED', 'the system has not started');
    if (this.#waiting.length === 0 && runtime?.ingressOpen === true) {
      this.#send(runtime, envelope);
      return;
    }
    await new Promise<void>((sent, fail) => {
      this.#waiting.push({ envelope, sent, fail });
      this.#poll();
    });
  }

  #send(runtime: Runtime, envelope: Envelope): void {
    const ask = envelope.reply === null ? undefined : this.#asks.get(envelope.reply.ask);
    if (ask !== undefined) ask.sentIn = runtime.cut.cut;
    runtime.send(envelope);
  }

  #poll(): void {
    if (this.#polling || this.#paused) return;
    this.#polling = true;
    this.#clock.after(ROOM_POLL_MS, () => {
      this.#polling = false;
      this.#sendWaiting();
    });
  }

  /** What waits is sent as far as there is room. */
  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#runtime?.ingressOpen === true) {
      const { envelope, sent } = this.#waiting.shift()!;
      this.#send(this.#runtime, envelope);
      sent();
    }
    if (this.#waiting.length > 0) this.#poll();
  }
}

function undone(what: string): ActorError {
  return new ActorError(
    'ROLLED_BACK',
    `${what} was undone: the system went back to a checkpoint from before it was sent. Nothing of it was done; ask again`,
  );
}
