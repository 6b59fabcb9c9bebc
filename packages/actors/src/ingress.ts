import { HIGH_MARK_BYTES, LOW_MARK_BYTES } from './limits.ts';

/** Whether new work may enter the system: each thread has a flag in shared memory, and any of them closes it for all. */
export class Ingress {
  readonly #flags: Int32Array;
  readonly #thread: number;

  constructor(flags: Int32Array, thread: number) {
    this.#flags = flags;
    this.#thread = thread;
  }

  /** No thread has more waiting than it should. */
  get isOpen(): boolean {
    for (let i = 0; i < this.#flags.length; i++) if (Atomics.load(this.#flags, i) !== 0) return false;
    return true;
  }

  /** So many bytes wait in this thread. */
  set(waitingBytes: number): void {
    const closed = Atomics.load(this.#flags, this.#thread) !== 0;
    if (!closed && waitingBytes > HIGH_MARK_BYTES) Atomics.store(this.#flags, this.#thread, 1);
    else if (closed && waitingBytes < LOW_MARK_BYTES) Atomics.store(this.#flags, this.#thread, 0);
  }
}
