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

/** Calls of services that were aborted and still run. */
export interface OpenHungCalls {
  readonly open: number;
  /** The ten that were aborted longest ago, the oldest first. */
  readonly oldest: readonly HungCall[];
}

/** What is known of a call that runs. */
export interface AbortedCall {
  readonly id: string;
  readonly service: { readonly name: string };
  readonly envelope: { readonly handler: string };
  /** Monotonic milliseconds. */
  readonly beganAt: number;
}

/** Calls that are shown at most to whoever looks inside. */
const OLDEST = 10;

interface Aborted {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Tells nobody of it any more. */
  readonly cancel: () => void;
}

/**
 * Calls that do not end after their signal was aborted: tells of each once, and shows them to whoever looks.
 *
 * Owns what is known of each such call until it ends. Ends no call: nobody can, but with its thread.
 */
export class HungCalls {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #tell: (call: HungCall) => void;
  /** In the order in which they were aborted. */
  readonly #aborted = new Map<AbortedCall, Aborted>();

  /** @param limitMs 0 or Infinity for never telling */
  constructor(clock: Clock, limitMs: number, tell: (call: HungCall) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#tell = tell;
  }

  /** Its signal was aborted now, and it runs. */
  aborted(call: AbortedCall): void {
    const at = this.#clock.monotonic();
    const tells = this.#limitMs > 0 && Number.isFinite(this.#limitMs);
    const tell = (): void => this.#tell(hungCall(call, at, this.#clock.monotonic()));
    this.#aborted.set(call, { at, cancel: tells ? this.#clock.after(this.#limitMs, tell) : () => undefined });
  }

  ended(call: AbortedCall): void {
    this.#aborted.get(call)?.cancel();
    this.#aborted.delete(call);
  }

  /** Those that still run, from the abort on, whether or not they were told of. */
  get open(): OpenHungCalls {
    const now = this.#clock.monotonic();
    const oldest: HungCall[] = [];
    for (const [call, { at }] of this.#aborted) {
      if (oldest.length === OLDEST) break;
      oldest.push(hungCall(call, at, now));
    }
    return { open: this.#aborted.size, oldest };
  }

  /** The generation is over. */
  stop(): void {
    for (const { cancel } of this.#aborted.values()) cancel();
    this.#aborted.clear();
  }
}

function hungCall({ id: callId, service, envelope, beganAt }: AbortedCall, abortedAt: number, now: number): HungCall {
  const { handler } = envelope;
  return { service: service.name, handler, callId, ageMs: now - beganAt, abortedMs: now - abortedAt };
}
