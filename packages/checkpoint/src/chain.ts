import type { UnitList } from '@tidemark/actors/internal/worker';
import { CHAIN_FILES_PERIOD } from './limits.ts';

/** One file of the chain that a thread's newest published checkpoint is read from. */
interface ChainFile {
  readonly cut: number;
  /** Published checkpoints of this thread since its last full file, this one included: 0 for the full file. */
  readonly number: number;
  readonly bytes: number;
  readonly unitCount: number;
  /** What it holds: changed between the file below it and its own cut. Of a full file nobody asks. */
  readonly units: UnitList;
}

/** What the next part of a thread holds. */
export interface NextFile {
  /** It holds what was changed after this cut; 0 for everything. */
  readonly base: number;
  readonly number: number;
  /** Where what was changed is found; each unit may be there more than once. */
  readonly changed: readonly UnitList[];
  /** No later file builds on it, so that it may lie in the record itself. */
  readonly leaf: boolean;
}

/**
 * The files of one thread: which one its next part builds on (the lowbit rule), and what must be in it.
 *
 * - C22 A file holds everything, or every unit that was changed after the cut of an earlier file of the same thread that a
 *   published record names, a tombstone for each that is gone, and all motion.
 * - C23 With k published checkpoints since the last full file, the next file builds on the one lowbit(k + 1) back. So at most
 *   log₂ of the period, and two, are read; what an odd one holds no later one builds on.
 *
 * It is a full file when nothing was published, when there is not much, when the period is over, or when what a reader would read of the
 * others comes to more than the full file.
 */
export class Chain {
  #files: readonly ChainFile[] = [];
  /** Units changed since the newest file's cut, by interval: those of attempts that came to nothing are still to be written. */
  #recent: UnitList[] = [];
  /** Some interval's units are not known: only a full file has them all. */
  #lost = true;
  #pending: ChainFile | null = null;
  /** Where this thread's first period ends: so not all threads write full files at the same time. */
  #period: number;
  readonly #inlineBytesMax: number;

  constructor(thread: number, threads: number, inlineBytesMax: number) {
    this.#inlineBytesMax = inlineBytesMax;
    this.#period = CHAIN_FILES_PERIOD - Math.floor((thread * CHAIN_FILES_PERIOD) / (2 * threads));
  }

  /**
   * A cut begins. `published` is the newest cut that was published: a part that this thread has done for it counts from
   * now on. `changed` are the units changed since the last flip; null when they are not known.
   */
  next(published: number, changed: UnitList | null): NextFile {
    this.#settle(published);
    if (changed === null) this.#lost = true;
    else if (!this.#lost) this.#recent.push(changed);
    const number = (this.#files.at(-1)?.number ?? -1) + 1;
    const kept = this.#files.filter((file) => file.number <= number - lowbit(number));
    const base = kept.at(-1);
    if (base === undefined || this.#lost || this.#isFullBetter(kept, number)) return FULL;
    const changedSince = this.#files.slice(kept.length).map((file) => file.units);
    return { base: base.cut, number, changed: [...changedSince, ...this.#recent], leaf: number % 2 === 1 };
  }

  /** The part of a cut is done, and has these units. */
  done(cut: number, file: NextFile, counts: { readonly bytes: number; readonly units: number }, units: UnitList): void {
    this.#pending = { cut, number: file.number, bytes: counts.bytes, unitCount: counts.units, units };
  }

  #settle(published: number): void {
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null || pending.cut !== published) return;
    if (pending.number === 0) {
      if (this.#files.length > 0) this.#period = CHAIN_FILES_PERIOD;
      this.#files = [pending];
    } else {
      const below = pending.number - lowbit(pending.number);
      this.#files = [...this.#files.filter((file) => file.number <= below), pending];
    }
    this.#recent = [];
    this.#lost = false;
  }

  #isFullBetter(kept: readonly ChainFile[], number: number): boolean {
    const [full, ...deltas] = kept;
    if (number >= this.#period || full.bytes <= this.#inlineBytesMax) return true;
    const perUnit = full.bytes / Math.max(1, full.unitCount);
    const above = this.#files.slice(kept.length).reduce((units, file) => units + file.unitCount, 0);
    const next = this.#recent.reduce((units, list) => units + list.length, above) * perUnit;
    return deltas.reduce((bytes, file) => bytes + file.bytes, next) > full.bytes;
  }
}

const FULL: NextFile = { base: 0, number: 0, changed: [], leaf: true };

function lowbit(n: number): number {
  return n & -n;
}
