/** An actor and its turns since the last look. */
export interface ActiveActor {
  readonly type: string;
  readonly key: string;
  /** Exact while its thread has run few turns since the last look; of many, one in 64 stands for all. */
  readonly turns: number;
}

/** Actors that a list of the fullest or the most active names at most. */
export const TOP = 10;

/** Turns after a look that are counted one by one. */
const EXACT_TURNS = 4_096;

/** Later, one turn in so many is counted, for all of them: nobody may be looking. */
const TURNS_PER_SAMPLE = 64;

/** Actors that are counted at most; then only the most active of them are kept. */
const COUNTED_MAX = 1_024;
const COUNTED_KEPT = 256;

/**
 * Which actors of a thread run the most turns, without a counter in each: turns are sampled at random distances (a fixed
 * one would always meet the same of two actors that take turns), and only the most frequent are remembered. An actor with
 * a hundredth of the turns of its thread stays among them.
 */
export class Activity {
  readonly #counts = new Map<string, { readonly type: string; readonly key: string; turns: number }>();
  #exactLeft = EXACT_TURNS;
  #untilSample = 1;
  #random = 1;

  /** A turn of that actor. */
  turn(type: string, key: string): void {
    if (--this.#untilSample === 0) this.#sample(type, key);
  }

  /** The most active first; what follows counts anew. */
  take(): readonly ActiveActor[] {
    const top = this.#byTurns().slice(0, TOP);
    this.#counts.clear();
    this.#exactLeft = EXACT_TURNS;
    this.#untilSample = 1;
    return top;
  }

  #sample(type: string, key: string): void {
    const exact = this.#exactLeft > 0;
    if (exact) this.#exactLeft--;
    this.#count(type, key, exact ? 1 : TURNS_PER_SAMPLE);
    this.#untilSample = this.#exactLeft > 0 ? 1 : this.#distance();
  }

  #count(type: string, key: string, turns: number): void {
    const address = `${type}/${key}`;
    const known = this.#counts.get(address);
    if (known !== undefined) {
      known.turns += turns;
      return;
    }
    if (this.#counts.size >= COUNTED_MAX) this.#forgetSeldom();
    this.#counts.set(address, { type, key, turns });
  }

  #forgetSeldom(): void {
    const kept = this.#byTurns().slice(0, COUNTED_KEPT);
    this.#counts.clear();
    for (const each of kept) this.#counts.set(`${each.type}/${each.key}`, each);
  }

  #byTurns(): { readonly type: string; readonly key: string; turns: number }[] {
    return [...this.#counts.values()].sort((a, b) => b.turns - a.turns);
  }

  /** 1 … 127, 64 on average; of its own, since chance that the program sees must not depend on who looks. */
  #distance(): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return 1 + ((this.#random >>> 16) % (2 * TURNS_PER_SAMPLE - 1));
  }
}
