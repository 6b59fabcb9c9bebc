import { setMaxListeners } from 'node:events';
import { StoreError } from '../errors.ts';
import type { CallOptions } from '../store.ts';

/** What ended a call before its answer came. */
export type Ending = 'aborted' | 'deadline';

/**
 * The time of one call, and the caller's wish to end it. It owns a timer: `end` it.
 *
 * A part of a call gets a shorter limit of its own (`within`); the end of the whole ends the part.
 */
export class CallLimit {
  readonly #abort = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #whole: CallLimit | undefined;
  readonly #endsAt: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #ending: Ending | undefined;
  #onEnd = (): void => undefined;
  readonly #onOuter = (): void => this.#stop(this.#whole?.ending ?? 'aborted');

  /** `deadlineMs` undefined: the call may go on for as long as its bytes move. `whole` is the call that this is a part of. */
  constructor(signal: AbortSignal | undefined, deadlineMs: number | undefined, whole?: CallLimit) {
    this.#outer = signal;
    this.#whole = whole;
    this.#endsAt = deadlineMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + deadlineMs;
    if (deadlineMs !== undefined) this.#timer = setTimeout(() => this.#stop('deadline'), Math.max(0, deadlineMs));
    // Any number of calls may share a signal; the warning is for listeners that are forgotten, and `end` forgets none.
    setMaxListeners(0, this.signal, ...(signal === undefined ? [] : [signal]));
    if (signal?.aborted === true) this.#onOuter();
    else signal?.addEventListener('abort', this.#onOuter, { once: true });
  }

  static of({ signal, deadlineMs }: CallOptions, ownDeadlineMs: number | undefined): CallLimit {
    return new CallLimit(signal, deadlineMs ?? ownDeadlineMs);
  }

  /** Aborts when the time is up or the caller gave up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the signal was aborted. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  get leftMs(): number {
    return this.#ending === undefined ? Math.max(0, this.#endsAt - performance.now()) : 0;
  }

  /** A limit for a part of the call. */
  within(milliseconds: number): CallLimit {
    return new CallLimit(this.signal, Math.min(milliseconds, this.leftMs), this);
  }

  /**
   * The same deadline for what must be seen through once it was begun: when the caller gives up, `graceMs` are left to it.
   */
  unaborted(ownDeadlineMs: number, graceMs: number): CallLimit {
    const own = new CallLimit(undefined, Math.min(ownDeadlineMs, Math.max(0, this.#endsAt - performance.now())));
    const { signal } = this;
    const shorten = (): void => {
      const timer = setTimeout(() => own.#stop('deadline'), Math.min(graceMs, own.leftMs));
      own.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      own.#onEnd = () => clearTimeout(timer);
    };
    own.#onEnd = () => signal.removeEventListener('abort', shorten);
    signal.addEventListener('abort', shorten, { once: true });
    return own;
  }

  /** Resolves after a random part of `milliseconds`, or when the call ends. */
  async pause(milliseconds: number): Promise<void> {
    const part = milliseconds * (0.5 + Math.random() / 2);
    await new Promise<void>((resolve) => {
      if (this.signal.aborted) return resolve();
      const timer = setTimeout(done, part);
      const { signal } = this;
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  /** Waits for something that cannot be called back, such as a lookup, and no longer than the call may take. */
  async during<T>(act: Promise<T>, doing: string, place: string): Promise<T> {
    const { signal } = this;
    let onAbort = (): void => undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(endedError(this.#ending ?? 'deadline', doing, place));
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([act, ended]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      // Whatever comes of it later is nobody's business any more.
      act.catch(() => undefined);
    }
  }

  /** Throws when the call has ended; surely nothing was done. */
  refuseEnded(doing: string, place: string): void {
    if (this.#ending !== undefined) throw endedError(this.#ending, doing, place);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#onEnd();
    this.#outer?.removeEventListener('abort', this.#onOuter);
  }

  #stop(ending: Ending): void {
    this.#ending ??= ending;
    this.#abort.abort();
  }
}

/** The error of a call that ended before anything could have been changed. */
export function endedError(ending: Ending, doing: string, place: string): StoreError {
  return ending === 'aborted'
    ? new StoreError(
        'retry',
        'STORE_ABORTED',
        `The caller aborted the call to ${doing} at ${place}. Nothing was done; repeat it when wanted.`,
      )
    : new StoreError(
        'retry',
        'STORE_TIMEOUT',
        `Could not ${doing} at ${place} before the deadline; nothing was changed. Look at the cluster, or give it more time.`,
      );
}

/** Calls `stalled` when `watch.moved()` was not called for `milliseconds` while it is armed. */
export class StallWatch {
  readonly #milliseconds: number;
  readonly #stalled: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(milliseconds: number, stalled: () => void) {
    this.#milliseconds = milliseconds;
    this.#stalled = stalled;
  }

  /** Bytes moved, or are to move from now on. */
  moved(): void {
    if (this.#isEnded) return;
    if (this.#timer === undefined) this.#timer = setTimeout(this.#stalled, this.#milliseconds);
    else this.#timer.refresh();
  }

  /** Nothing need move: we wait for our own side. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  end(): void {
    this.#isEnded = true;
    this.rest();
  }
}
