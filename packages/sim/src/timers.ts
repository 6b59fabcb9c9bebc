import type { Lane } from './lane.ts';

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly lane: Lane;
  readonly run: () => void;
  cancelled: boolean;
}

/** What is due later, as a heap by due time; equal times in the order in which they were set. */
export class Timers {
  readonly #heap: Timer[] = [];
  #order = 0;

  add(due: number, lane: Lane, run: () => void): () => void {
    const timer: Timer = { due, order: this.#order++, lane, run, cancelled: false };
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return () => (timer.cancelled = true);
  }

  /** When the next one is due; infinite when none is. Those that will never run are thrown away. */
  next(): number {
    while (this.#heap.length > 0 && (this.#heap[0].cancelled || this.#heap[0].lane.dead)) this.#pop();
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0].due;
  }

  /** Hands everything that is due by now to its lane. */
  release(now: number): void {
    while (this.next() <= now) {
      const timer = this.#pop();
      // It may still be cancelled while it waits for its turn.
      timer.lane.push(() => {
        if (!timer.cancelled) timer.run();
      });
    }
  }

  #pop(): Timer {
    const top = this.#heap[0];
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#down(0);
    }
    return top;
  }

  #up(at: number): void {
    for (let i = at; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!before(this.#heap[i], this.#heap[parent])) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #down(at: number): void {
    for (let i = at; ; ) {
      const left = 2 * i + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child = right < this.#heap.length && before(this.#heap[right], this.#heap[left]) ? right : left;
      if (!before(this.#heap[child], this.#heap[i])) return;
      this.#swap(i, child);
      i = child;
    }
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a];
    this.#heap[a] = this.#heap[b];
    this.#heap[b] = kept;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
