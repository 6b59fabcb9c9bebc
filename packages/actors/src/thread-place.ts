import { MessageChannel, type MessagePort, receiveMessageOnPort, type TransferListItem } from 'node:worker_threads';
import { BEAT_FIELDS, BEATS, NODE_THREAD } from './beat.ts';
import { waitedForCore } from './beat.adapter.ts';
import type { ChannelEnd } from './connect.ts';
import type { HostSays, WorkerSays } from './messages.ts';
import type { SeatSays, WorkerTask } from './seat.adapter.ts';
import type { ThreadHost } from './thread-host.ts';
import type { ThreadsOptions, WorkerLine } from './threads.ts';
import { isWatching, lookMs, type Watched } from './watchdog.ts';

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
  #beat: (Watched & { readonly shared: Int32Array }) | null = null;
  /** Its end is no news: it was told to go. */
  #leaving = false;

  constructor(thread: number, host: ThreadHost, options: ThreadsOptions) {
    this.thread = thread;
    this.#host = host;
    this.#options = options;
    this.revive();
  }

  readonly say = (says: HostSays, transfer: readonly ArrayBuffer[] = []): void => this.#post(says, transfer);

  readonly listen = (receive: (says: WorkerSays) => void): void => {
    this.#receive = receive;
    this.#control?.on('message', receive);
  };

  /** What the watchdog sees of the thread that sits here now. */
  get watched(): Watched | null {
    return this.#alive && !this.#leaving ? this.#beat : null;
  }

  /** Number in Node of the thread that sits here now; 0 for none that has begun. */
  get nodeThread(): number {
    return this.#beat === null ? 0 : Atomics.load(this.#beat.shared, NODE_THREAD);
  }

  /** A new thread, if there is none. */
  revive(): void {
    if (this.#alive) return;
    this.#hangUp();
    const { port1, port2 } = new MessageChannel();
    this.#control = port1;
    this.#abort = new AbortController();
    this.#alive = true;
    this.#leaving = false;
    // A port that nobody listens to keeps what comes.
    if (this.#receive !== null) port1.on('message', this.#receive);
    const gone = (cause: unknown): void => {
      if (this.#control !== port1) return;
      this.#alive = false;
      // Its last words, before the news of its end.
      this.#drain();
      if (!this.#leaving) this.#options.lost(this.thread, cause);
    };
    this.ended = this.#host.start(this.#task(port2), this.#abort.signal).then(
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
    this.#drain();
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
    this.#hangUp();
  }

  #task(control: MessagePort): WorkerTask {
    const { modules, extension, inline, settings, watchdogMs } = this.#options;
    this.#beat = inline || !isWatching(watchdogMs) ? null : this.#newBeat();
    const beat = this.#beat === null ? null : { shared: this.#beat.shared, everyMs: lookMs(watchdogMs) };
    return { control, modules, extension, inline, beat, memoryBytesMax: settings.memoryBytesMax ?? null };
  }

  #newBeat(): Watched & { readonly shared: Int32Array } {
    const shared = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * BEAT_FIELDS));
    return {
      thread: this.thread,
      shared,
      beats: () => Atomics.load(shared, BEATS),
      waitedMs: () => waitedForCore(shared),
    };
  }

  /** What it has said is heard; a port that is closed forgets it. */
  #drain(): void {
    const control = this.#control;
    if (control === null || this.#receive === null) return;
    for (let left = receiveMessageOnPort(control); left !== undefined; left = receiveMessageOnPort(control)) {
      this.#receive(left.message as WorkerSays);
      // Whoever heard it may have had this line closed.
      if (this.#control !== control) return;
    }
  }

  #hangUp(): void {
    this.#drain();
    this.#control?.close();
  }

  #post(says: SeatSays, transfer: readonly TransferListItem[]): void {
    this.#control?.postMessage(says, [...transfer]);
  }
}
