import type { CutState } from './unit.ts';

/** Whose mailbox it is: the cut that it looks at, and where a message from before the mark goes. */
export interface MailOwner<T> {
  readonly cut: CutState;
  captureMail(item: T): void;
}

/** Entries taken before the array is compacted: spreads the copy over as many takes. */
const COMPACT_AT = 1024;

/**
 * Queue of one receiver, append-only at its tail, with the mark that a cut needs.
 *
 * - A1 What lies before `mark` is the mailbox's content at the cut `markCut`. The first touch after a flip sets it.
 * - A2 A message from before the mark is given to the capture before a handler receives it.
 */
export class Mailbox<T> {
  #owner: MailOwner<T>;
  #items: T[] = [];
  /** Index of the first waiting message. */
  #head = 0;
  /** Messages compacted away so far: makes `mark` and `captured` stable numbers. */
  #base = 0;
  #mark = 0;
  #markCut: number;
  /** Number of the first message that the cut `markCut` has not captured. */
  #captured = 0;

  constructor(owner: MailOwner<T>) {
    this.#owner = owner;
    this.#markCut = owner.cut.cut;
  }

  /** Another owner gets it, empty as it is: most actors have no mail most of the time, and few mailboxes serve all. */
  serve(owner: MailOwner<T>): this {
    this.#owner = owner;
    this.#setMark();
    return this;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** What is taken next. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** What waits here, in order. */
  waiting(): readonly T[] {
    return this.#items.slice(this.#head);
  }

  append(message: T): void {
    if (this.#markCut !== this.#owner.cut.cut) this.#setMark();
    this.#items.push(message);
  }

  take(): T | undefined {
    if (this.#markCut !== this.#owner.cut.cut) this.#setMark();
    if (this.#head === this.#items.length) return undefined;
    const message = this.#items[this.#head];
    const number = this.#base + this.#head;
    if (number < this.#mark && number >= this.#captured) {
      this.#owner.captureMail(message);
      this.#captured = number + 1;
    }
    this.#head++;
    if (this.#head === this.#items.length || (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length)) {
      this.#compact();
    }
    return message;
  }

  /** Captures what was here at the cut and is still waiting. */
  *capture(): Generator<void, void, void> {
    if (this.#markCut !== this.#owner.cut.cut) this.#setMark();
    for (;;) {
      const number = Math.max(this.#captured, this.#base + this.#head);
      if (number >= this.#mark) return;
      this.#owner.captureMail(this.#items[number - this.#base]);
      this.#captured = number + 1;
      yield;
    }
  }

  #setMark(): void {
    this.#markCut = this.#owner.cut.cut;
    this.#mark = this.#base + this.#items.length;
    this.#captured = this.#base + this.#head;
  }

  #compact(): void {
    this.#base += this.#head;
    if (this.#head === this.#items.length) this.#items.length = 0;
    else this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
