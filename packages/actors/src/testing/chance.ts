/** Chance that is the same for the same seed (mulberry32, public domain). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds begin far apart.
    this.#state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) | 0;
  }

  /** From 0 up to and without 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 up to and without `below`. */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  isTrue(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Mostly small, seldom up to `max`. */
  skewed(max: number): number {
    return max * this.fraction() ** 4;
  }

  /** Sixteen hexadecimal digits. */
  id(): string {
    const half = (): string =>
      Math.floor(this.fraction() * 4294967296)
        .toString(16)
        .padStart(8, '0');
    return half() + half();
  }

  /** Another stream, so that what is drawn from one changes nothing in the other. */
  fork(): Chance {
    return new Chance(this.below(0x7fffffff));
  }
}
