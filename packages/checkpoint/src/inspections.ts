import type { Clock, ThreadView, WorkerLine } from '@tidemark/actors/internal';
import type { Seen } from './system-view.ts';

interface OpenLook {
  readonly views: (ThreadView | undefined)[];
  missing: number;
  readonly finish: () => void;
}

/** Looks at all workers of one generation. None waits for a worker that does not answer: it is told as silent. */
export class Inspections {
  readonly #lines: readonly WorkerLine[];
  readonly #clock: Clock;
  readonly #open = new Map<number, OpenLook>();
  #next = 0;

  constructor(lines: readonly WorkerLine[], clock: Clock) {
    this.#lines = lines;
    this.#clock = clock;
  }

  look(timeoutMs: number): Promise<Seen> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const views = new Array<ThreadView | undefined>(this.#lines.length).fill(undefined);
      const finish = (): void => {
        cancel();
        this.#open.delete(id);
        resolve(this.#lines.map(({ thread }, index) => seenOf(thread, views[index])));
      };
      const cancel = this.#clock.after(timeoutMs, finish);
      this.#open.set(id, { views, missing: views.length, finish });
      for (const { say } of this.#lines) say({ kind: 'inspect', id });
    });
  }

  heard(thread: number, id: number, view: ThreadView): void {
    const look = this.#open.get(id);
    if (look === undefined) return;
    look.views[thread - 1] = view;
    if (--look.missing === 0) look.finish();
  }

  /** Nobody answers any more. */
  end(): void {
    for (const { finish } of this.#open.values()) finish();
  }
}

function seenOf(thread: number, view: ThreadView | undefined): Seen[number] {
  return view === undefined ? { thread, answered: false } : { thread, answered: true, ...view };
}
