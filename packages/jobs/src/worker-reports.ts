/**
 * What the workers of one generation have said to the host's side of their job, and who waits for what they have not yet
 * said. A rollback makes new ones: whoever waited hears of it.
 */
export class WorkerReports {
  readonly #workers: number;
  readonly #watching = new Set<{ look(): void; reject(reason: Error): void }>();
  readonly drained = new Set<number>();
  readonly counters = new Map<number, Readonly<Record<string, number>>>();
  /** Newest position of which all batches are durable, by worker. */
  readonly applied = new Map<number, number>();
  /** Workers that have begun. */
  begun = 0;

  constructor(workers: number) {
    this.#workers = workers;
  }

  get allBegun(): boolean {
    return this.begun === this.#workers;
  }

  get allDrained(): boolean {
    return this.drained.size === this.#workers;
  }

  get allEnded(): boolean {
    return this.counters.size === this.#workers;
  }

  haveAllApplied(position: number): boolean {
    for (let thread = 1; thread <= this.#workers; thread++)
      if ((this.applied.get(thread) ?? 0) < position) return false;
    return true;
  }

  /** A worker has said something: whoever waits looks. */
  look(): void {
    for (const watcher of this.#watching) watcher.look();
  }

  /** Resolves when `condition` holds; rejects when the workers that it is about are no more. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((done, reject) => {
      const watcher = {
        look: (): void => {
          if (!condition()) return;
          this.#watching.delete(watcher);
          done();
        },
        reject,
      };
      this.#watching.add(watcher);
      watcher.look();
    });
  }

  /** These workers say nothing any more. */
  end(reason: Error): void {
    for (const watcher of this.#watching) watcher.reject(reason);
    this.#watching.clear();
  }
}
