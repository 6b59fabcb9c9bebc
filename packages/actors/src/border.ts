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

/**
 * The host's border: what an ordinary app uses to send to actors and to ask them.
 *
 * Owns the open asks and the sends that wait for room, which keep their order.
 */
export class Border {
  readonly #clock: Clock;
  readonly #asks = new Map<number, { settle(answer: Answer): void; fail(error: Error): void }>();
  readonly #waiting: {
    readonly envelope: Envelope;
    readonly sent: () => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  #runtime: Runtime | null = null;
  #nextAsk = 1;
  #polling = false;
  #closed: Error | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  use(runtime: Runtime): void {
    this.#runtime = runtime;
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
    if (term === this.#runtime?.term) this.#asks.get(ask)?.settle(answer);
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
      const term = this.#runtime?.term ?? 0;
      this.#sendWhenRoom({ ...envelope, reply: { ask, term } }).catch((error: unknown) => {
        done();
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  async #sendWhenRoom(envelope: Envelope): Promise<void> {
    if (this.#closed !== null) throw this.#closed;
    const runtime = this.#runtime;
    if (runtime === null) throw new ActorError('SYSTEM_STOPPED', 'the system has not started');
    if (this.#waiting.length === 0 && runtime.ingressOpen) {
      runtime.send(envelope);
      return;
    }
    await new Promise<void>((sent, fail) => {
      this.#waiting.push({ envelope, sent, fail });
      this.#poll(runtime);
    });
  }

  #poll(runtime: Runtime): void {
    if (this.#polling) return;
    this.#polling = true;
    this.#clock.after(ROOM_POLL_MS, () => {
      this.#polling = false;
      while (this.#waiting.length > 0 && runtime.ingressOpen) {
        const { envelope, sent } = this.#waiting.shift()!;
        runtime.send(envelope);
        sent();
      }
      if (this.#waiting.length > 0) this.#poll(runtime);
    });
  }
}
