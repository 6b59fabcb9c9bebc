/** Numbers of one thread in shared memory: messages and rows handled, bytes read and received. */
export const WORK_FIELDS = 2;

/** What a thread has done, counted for whoever paces checkpoints. Written to shared memory once a slice, never sent. */
export class WorkCount {
  records = 0;
  /** Slices of work so far: the event loop has turned as often at least. */
  slices = 0;
  /** Of frames that came from other threads. */
  frameBytes = 0;
  /** Of inputs that this thread reads, as its sources say. */
  inputBytes = 0;
  readonly #shared: Float64Array | null;
  readonly #at: number;

  /** @param shared null where nobody looks */
  constructor(shared: Float64Array | null, thread: number) {
    this.#shared = shared;
    this.#at = thread * WORK_FIELDS;
  }

  write(): void {
    if (this.#shared === null) return;
    this.#shared[this.#at] = this.records;
    this.#shared[this.#at + 1] = this.frameBytes + this.inputBytes;
  }
}
