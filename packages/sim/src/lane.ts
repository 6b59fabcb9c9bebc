/** Entries done before the array is compacted. */
const COMPACT_AT = 64;

/** Whose lane it is: nothing runs on lanes of what is paused or dead. */
export interface LaneOwner {
  readonly running: boolean;
}

/**
 * Things to do, one after the other, in one place: callbacks of a thread, deliveries at one end of a channel, answers of
 * the store to a process. Within a lane the order is kept; between lanes only the seed decides.
 */
export class Lane {
  readonly label: string;
  readonly owner: LaneOwner | null;
  /** Comes to its turn seldom. */
  readonly slow: boolean;
  readonly #changed: (lane: Lane) => void;
  #things: (() => void)[] = [];
  #head = 0;
  #held = false;
  #dead = false;
  /** Index in the world's list of ready lanes; -1 when not in it. */
  readyAt = -1;

  constructor(label: string, owner: LaneOwner | null, slow: boolean, changed: (lane: Lane) => void) {
    this.label = label;
    this.owner = owner;
    this.slow = slow;
    this.#changed = changed;
  }

  get length(): number {
    return this.#things.length - this.#head;
  }

  get ready(): boolean {
    return !this.#dead && !this.#held && this.#head < this.#things.length && (this.owner?.running ?? true);
  }

  get dead(): boolean {
    return this.#dead;
  }

  push(thing: () => void): void {
    if (this.#dead) return;
    this.#things.push(thing);
    if (this.readyAt < 0) this.#changed(this);
  }

  take(): () => void {
    const thing = this.#things[this.#head++];
    if (this.#head === this.#things.length) {
      this.#things = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT) {
      this.#things.splice(0, this.#head);
      this.#head = 0;
    }
    this.#changed(this);
    return thing;
  }

  /** Nobody listens yet: what comes is kept. */
  hold(held: 'held' | 'free'): void {
    this.#held = held === 'held';
    this.#changed(this);
  }

  /** Nothing of it ever runs again. */
  kill(): void {
    this.#dead = true;
    this.#things = [];
    this.#head = 0;
    this.#changed(this);
  }

  /** Its owner was paused, or goes on. */
  refresh(): void {
    this.#changed(this);
  }
}
