import { MessageChannel, type MessagePort, type TransferListItem } from 'node:worker_threads';
import type { ChannelEnd } from './connect.ts';
import type { HostSays, WorkerSays } from './messages.ts';
import type { SeatSays } from './seat.adapter.ts';
import type { ThreadHost } from './thread-host.ts';
import type { ThreadsOptions, WorkerLine } from './threads.ts';

/** The place of one worker: the thread that sits in it may die, and another takes it. */
export class ThreadPlace implements WorkerLine {
  readonly thread: number;
  /** Resolves when the thread that sits here now is gone. */
  ended: Promise<void> = Promise.resolve();
  readonly #host: ThreadHost;
  readonly #options: ThreadsOptions;
  #control: MessagePort | null = null;
  #abort = new AbortController();
  #receive: ((says: WorkerSays) => void) | null = null;
  #alive = false;
  /** Its end is no news: it was told to go. */
  #leaving = false;

  constructor(thread: number, host: ThreadHost, options: ThreadsOptions) {
    this.thread = thread;
    this.#host = host;
    this.#options = options;
    this.revive();
  }

  readonly say = (says: HostSays, transfer: TransferListItem[] = []): void => this.#post(says, transfer);

  readonly listen = (receive: (says: WorkerSays) => void): void => {
    this.#receive = receive;
    this.#control?.on('message', receive);
  };

  /** A new thread, if there is none. */
  revive(): void {
    if (this.#alive) return;
    this.#control?.close();
    const { port1, port2 } = new MessageChannel();
    this.#control = port1;
    this.#abort = new AbortController();
    this.#alive = true;
    this.#leaving = false;
    // A port that nobody listens to keeps what comes.
    if (this.#receive !== null) port1.on('message', this.#receive);
    const { modules, extension, inline } = this.#options;
    const gone = (cause: unknown): void => {
      if (this.#control !== port1) return;
      this.#alive = false;
      if (!this.#leaving) this.#options.lost(this.thread, cause);
    };
    this.ended = this.#host.start({ control: port2, modules, extension, inline }, this.#abort.signal).then(
      () => gone(new Error('the worker ended without being told to')),
      (cause: unknown) => gone(cause),
    );
  }

  connect(generation: number, ends: readonly ChannelEnd[]): void {
    this.#post(
      { kind: 'connect', generation, ends },
      ends.map(({ port }) => port),
    );
  }

  /** Ends the thread; the next `revive` starts another. */
  end(): void {
    this.#leaving = true;
    this.#alive = false;
    this.#abort.abort();
  }

  /** Lets it end by itself. */
  leave(): void {
    this.#leaving = true;
    this.say({ kind: 'stop' });
  }

  close(): void {
    this.#leaving = true;
    this.#control?.close();
  }

  #post(says: SeatSays, transfer: readonly TransferListItem[]): void {
    this.#control?.postMessage(says, [...transfer]);
  }
}
