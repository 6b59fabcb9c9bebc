import type { CutState } from './unit.ts';

/** Whose mailbox it is: the cut that it looks at, and where a message from before the mark goes. */
export interface MailOwner<T> {
  readonly cut: CutState;
  captureMail(item: T): void;
}

/** Places of a mailbox that has mail for the first time. */
const CAPACITY_FIRST = 4;

/** Places that an empty mailbox keeps. */
const CAPACITY_KEPT = 1024;

/**
 * Queue of one receiver, with the mark that a cut needs. A ring that is used again and again: arrays that are replaced
 * would, once they are old, keep all that they hold from being collected.
 *
 * - A1 What lies before `mark` is the mailbox's content at the cut `markCut`. The first touch after a flip sets it.
 * - A2 A message from before the mark is given to the capture before a handler receives it.
 */
export class Mailbox<T> {
  #owner: MailOwner<T>;
  /** The message of number n is at n modulo its length, which is a power of two. */
  #ring: (T | undefined)[] = [];
  /** Number of the first waiting message. */
  #taken = 0;
  /** Number of the next message. */
  #put = 0;
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
    return this.#put - this.#taken;
  }

  /** What is taken next. */
  get first(): T | undefined {
    return this.length === 0 ? undefined : this.#at(this.#taken);
  }

  /** What waits here, in order. */
  waiting(): readonly T[] {
    return Array.from({ length: this.length }, (_, i) => this.#at(this.#taken + i));
  }

  append(message: T): void {
    if (this.#markCut !== this.#owner.cut.cut) this.#setMark();
    if (this.#put - this.#taken === this.#ring.length) this.#grow();
    this.#ring[this.#put++ & (this.#ring.length - 1)] = message;
  }

  take(): T | undefined {
    if (this.#markCut !== this.#owner.cut.cut) this.#setMark();
    if (this.#taken === this.#put) return undefined;
    const number = this.#taken++;
    const message = this.#at(number);
    this.#ring[number & (this.#ring.length - 1)] = undefined;
    if (number < this.#mark && number >= this.#captured) {
      this.#owner.captureMail(message);
      this.#captured = number + 1;
    }
    if (this.#taken === this.#put && this.#ring.length > CAPACITY_KEPT) this.#ring = [];
    return message;
  }

  /** Captures what was here at the cut and is still waiting. */
  *capture(): Generator<void, void, void> {
    if (this.#markCut !== this.#owner.cut.cut) this.#setMark();
    for (;;) {
      const number = Math.max(this.#captured, this.#taken);
      if (number >= this.#mark) return;
      this.#owner.captureMail(this.#at(number));
      this.#captured = number + 1;
      yield;
    }
  }

  /** A message that waits. */
  #at(number: number): T {
    return this.#ring[number & (this.#ring.length - 1)] as T;
  }

  #setMark(): void {
    this.#markCut = this.#owner.cut.cut;
    this.#mark = this.#put;
    this.#captured = this.#taken;
  }

  #grow(): void {
    const waiting = this.waiting();
    const capacity = Math.max(CAPACITY_FIRST, this.#ring.length * 2);
    const ring = new Array<T | undefined>(capacity).fill(undefined);
    for (const [i, message] of waiting.entries()) ring[(this.#taken + i) & (capacity - 1)] = message;
    this.#ring = ring;
  }
}
