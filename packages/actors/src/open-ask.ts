import type { Due } from './deadlines.ts';
import { ActorError, RemoteError } from './errors.ts';
import { type Answer, type Envelope, SERVICE } from './messages.ts';

export interface OpenAskOptions {
  readonly envelope: Envelope;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly release: 'at-once' | 'after-checkpoint';
  /** Monotonic milliseconds. */
  readonly since: number;
  /** It is settled. */
  readonly closed: () => void;
  /** The asker waits no longer, and a service that still runs shall stop. */
  readonly abandoned: () => void;
}

/** What the host has asked and is not settled yet. */
export interface OpenAsks {
  readonly open: number;
  /** The ten that have waited longest, the oldest first. */
  readonly oldest: readonly { readonly what: string; readonly ageMs: number }[];
}

/** An ask of the host that is not settled yet. */
export class OpenAsk implements Due {
  readonly envelope: Envelope;
  /** Monotonic milliseconds. */
  readonly since: number;
  readonly promise: Promise<unknown>;
  readonly #options: OpenAskOptions;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  readonly #aborted: (() => void) | null;
  dueMs: number;
  /** Cut of the record that says that it lets this answer out. */
  #releasedBy: number | null = null;
  /** Newest cut of the host when it was sent; null while it waits for room. */
  sentIn: number | null = null;
  /** Where a service was asked. */
  thread: number | null = null;
  /** An answer that waits for a checkpoint, and the cut of its thread when it was given. */
  #held: { readonly answer: Answer; readonly cut: number } | null = null;

  constructor(options: OpenAskOptions) {
    const { envelope, since, timeoutMs, signal } = options;
    this.envelope = envelope;
    this.since = since;
    this.#options = options;
    this.dueMs = since + timeoutMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#aborted = signal === undefined ? null : () => this.#abandon(signal.reason);
    if (this.#aborted !== null) signal?.addEventListener('abort', this.#aborted);
  }

  late(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    // One that waits for its checkpoint was answered in time.
    if (this.#held === null) this.#abandon(late(this.what, this.#options.timeoutMs));
  }

  get what(): string {
    const { type, key, handler } = this.envelope;
    return type === SERVICE ? `${key} ${handler}` : `${type}/${key} ${handler}`;
  }

  get isService(): boolean {
    return this.envelope.type === SERVICE;
  }

  /** Buffers were moved into it: it cannot be sent twice. */
  get isMoved(): boolean {
    return this.envelope.moved !== undefined;
  }

  answered(answer: Answer, cut: number): void {
    if (this.#options.release === 'after-checkpoint') this.#held = { answer, cut };
    else this.#settle(answer);
  }

  /** Whether the answer is released with that cut: what was done before is in it. */
  waitsFor(cut: number): boolean {
    if (this.#held === null || this.#held.cut >= cut) return false;
    this.#releasedBy = cut;
    return true;
  }

  /** A checkpoint of that cut is published. */
  published(cut: number): void {
    if (this.#held !== null && this.#releasedBy === cut) this.#settle(this.#held.answer);
  }

  /** What was answered is undone; it is, or comes again. */
  rolledBack(): void {
    this.#held = null;
    this.#releasedBy = null;
  }

  fail(error: unknown): void {
    this.#close();
    this.#reject(error);
  }

  #settle(answer: Answer): void {
    this.#close();
    if (answer.ok) this.#resolve(answer.value);
    else this.#reject(new RemoteError({ ...answer, stack: answer.stack, cause: undefined }));
  }

  #abandon(reason: unknown): void {
    this.fail(reason);
    this.#options.abandoned();
  }

  #close(): void {
    if (this.#aborted !== null) this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#options.closed();
  }
}

function late(what: string, timeoutMs: number): ActorError {
  return new ActorError('ASK_TIMEOUT', `${what} has not answered within ${timeoutMs} ms; it may still run`);
}
