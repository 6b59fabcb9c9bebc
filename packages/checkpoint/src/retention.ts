import type { Clock } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import { boundaryName, boundaryPositions } from './boundary.ts';
import { CheckpointError } from './errors.ts';
import { type KeepOptions, type KeepPolicy, parseKeep } from './keep.ts';
import type { Log } from './log.ts';
import { assertNoLaterTerm, type Base, baseOf, carryOut, planPass } from './pass.ts';
import { listMarks } from './pin.ts';

export interface RetentionOptions {
  readonly store: Store;
  readonly job: string;
  readonly log: Log;
  /** Checkpoints kept at least; a number is that of the newest. */
  readonly keep: number | KeepOptions;
  /** Says when a pass was. */
  readonly clock: Clock;
  /** Records put between two passes: a pass lists what lies there. */
  readonly recordsPerPass: number;
  readonly warn: (code: string, message: string) => void;
}

/**
 * Removes checkpoints that no restore needs any more, and the parts that only they name.
 *
 * - C19 A boundary is put before anything below it is removed, and the highest one is never removed: an owner that was
 *   asleep finds it after its next put, before it releases anything, and knows that it is fenced, even where the name
 *   that it should have lost was removed meanwhile.
 * - C20 Nothing at or above the boundary is removed; it is a checkpoint of this owner's own line.
 * - C21 A pass may end anywhere: the next one does the rest. It never fails the job.
 *
 * What a pass does, and C30–C33 with it, stands in `pass.ts`.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #policy: KeepPolicy;
  /** What the highest boundary says. */
  #base: Base;
  /** Of all boundaries that this owner may have put, or that were there before. */
  #highestOwn: number;
  /** Records since the last pass, by whomever they were put: a process may never live for a whole interval. */
  #records: number;
  #passing: Promise<void> | null = null;
  /** Positions of checkpoints that somebody reads. */
  readonly #held: number[] = [];

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#policy = parseKeep(options.keep);
    this.#base = baseOf(options.log);
    this.#highestOwn = options.log.boundary?.position ?? 0;
    this.#records = options.log.last - options.log.first;
  }

  /**
   * After a put at `position`, before anything is released (C19).
   *
   * @throws CheckpointError `FENCED`
   */
  async assertOwner(position: number): Promise<void> {
    const { store, job } = this.#options;
    const highest = (await boundaryPositions(store, job)).at(-1) ?? 0;
    if (highest <= position) return;
    throw new CheckpointError(
      'FENCED',
      `${boundaryName(job, highest)} was put by a later owner while this process slept: it owns the job no longer and stops`,
    );
  }

  /** Keeps a checkpoint, and all that are newer, until the returned function is called. */
  hold(position: number): () => void {
    this.#held.push(position);
    return () => void this.#held.splice(this.#held.indexOf(position), 1);
  }

  /** A checkpoint was published: now and then, a pass begins. */
  published(): void {
    this.#records++;
    const { recordsPerPass } = this.#options;
    if (this.#records < recordsPerPass || this.#policy.last === null || this.#passing !== null) return;
    this.#records = 0;
    this.#passing = this.#passWarning().finally(() => (this.#passing = null));
  }

  /** Resolves when no pass is under way. */
  async idle(): Promise<void> {
    await this.#passing;
  }

  /** A pass that fails is told, and another comes. */
  async #passWarning(): Promise<void> {
    try {
      await this.#pass();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.warn('RETENTION_FAILED', `old checkpoints were not removed this time, or not all of them: ${why}`);
    }
  }

  async #pass(): Promise<void> {
    const { store, job, log, clock } = this.#options;
    const last = log.last;
    const newest = await log.read(last);
    if (!newest.ok) throw newest.error;
    const marks = await listMarks(store, job);
    await assertNoLaterTerm(this.#options, last, newest.record.term);
    const place = { ...this.#options, held: this.#held };
    const plan = await planPass(place, this.#policy, marks, this.#base);
    if (plan === null) return;
    const own = this.#highestOwn;
    this.#highestOwn = Math.max(own, plan.boundary.position);
    const now = new Date(clock.now()).toISOString();
    await carryOut(this.#options, plan, this.#policy, own, now);
    this.#base = { first: plan.boundary.position, kept: plan.kept };
  }
}
