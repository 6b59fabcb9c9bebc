import type { Clock } from './clock.ts';

/** A call of a service that goes on though its `ctx.signal` was aborted. */
export interface HungCall {
  readonly service: string;
  readonly handler: string;
  readonly callId: string;
  /** Milliseconds since it began to run. */
  readonly ageMs: number;
  /** Milliseconds since its signal was aborted. */
  readonly abortedMs: number;
}

/** What is known of a call that runs. */
export interface AbortedCall {
  readonly id: string;
  readonly service: { readonly name: string };
  readonly envelope: { readonly handler: string };
  /** Monotonic milliseconds. */
  readonly beganAt: number;
}

/**
 * Tells of calls that do not end after their signal was aborted, once each.
 *
 * Owns a timer for each such call until it ends. Ends no call: nobody can, but with its thread.
 */
export class HungCalls {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #tell: (call: HungCall) => void;
  readonly #timers = new Map<AbortedCall, () => void>();

  /** @param limitMs 0 or Infinity for never */
  constructor(clock: Clock, limitMs: number, tell: (call: HungCall) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#tell = tell;
  }

  /** Its signal was aborted now, and it runs. */
  aborted(call: AbortedCall): void {
    if (!(this.#limitMs > 0 && Number.isFinite(this.#limitMs))) return;
    const abortedAt = this.#clock.monotonic();
    const cancel = this.#clock.after(this.#limitMs, () => {
      this.#timers.delete(call);
      const now = this.#clock.monotonic();
      const { id: callId, service, envelope, beganAt } = call;
      const [ageMs, abortedMs] = [now - beganAt, now - abortedAt];
      this.#tell({ service: service.name, handler: envelope.handler, callId, ageMs, abortedMs });
    });
    this.#timers.set(call, cancel);
  }

  ended(call: AbortedCall): void {
    this.#timers.get(call)?.();
    this.#timers.delete(call);
  }

  /** The generation is over. */
  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
