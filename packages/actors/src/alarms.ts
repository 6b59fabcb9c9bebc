/** Something that is due at an instant of the monotonic clock, in milliseconds. */
export interface Alarm {
  readonly at: number;
}

/** Alarms by the time when they are due: a binary heap (Williams, "Algorithm 232: Heapsort", CACM 1964). */
export class Alarms<A extends Alarm> {
  readonly #heap: A[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the earliest is due. */
  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  add(alarm: A): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(alarm);
    for (let parent = (at - 1) >> 1; at > 0 && heap[parent].at > alarm.at; parent = (at - 1) >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = alarm;
  }

  /** Drops all that nobody waits for any more. */
  keep(isWanted: (alarm: A) => boolean): void {
    const wanted = this.#heap.filter(isWanted);
    // What is sorted is a heap.
    this.#heap.length = 0;
    for (const alarm of wanted.sort((a, b) => a.at - b.at)) this.#heap.push(alarm);
  }

  /** Takes the earliest one if it is due at `now`. */
  takeDue(now: number): A | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  /** Puts an alarm where the first one was. */
  #sink(alarm: A): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].at < heap[child].at) child++;
      if (heap[child].at >= alarm.at) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = alarm;
  }
}
