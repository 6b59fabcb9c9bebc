import type { Store } from '@tidemark/stores';
import { withoutSecrets } from '@tidemark/stores/internal';
import { Alarm } from './alarm.ts';
import type { CopiesPlace, CopyPlan } from './copies.ts';
import { CopyStore } from './copy-store.ts';
import { CheckpointError, toError } from './errors.ts';
import { readSource } from './copy-source.ts';
import { COPY_END_MS, COPY_TOLD_MS } from './limits.ts';

/** A checkpoint that is in the other store now. */
export interface Copied {
  readonly location: string;
  readonly cut: number;
  readonly position: number;
  /** From the begin of this copy to its end. */
  readonly durationMs: number;
  /** From the checkpoint to the end of its copy. */
  readonly lagMs: number;
  /** Files that were not there yet. */
  readonly files: number;
  /** Of these and of the record. */
  readonly bytes: number;
}

export type CopyEvent =
  | ({ readonly kind: 'copied' } & Copied)
  | { readonly kind: 'warning'; readonly code: string; readonly message: string };

/**
 * Copies the newest checkpoint into one other store, at the instants of its own timetable; one at a time, and none
 * twice. Never fails and never blocks the system: what goes wrong is a warning, and the next instant tries again.
 *
 * - C40 A copy is whole: its record comes after all files that it names, each with the sha256 that the record says.
 * - C41 A copied log is a log: a copier puts at the position after the last one, as an owner does (C11). What it leaves out
 *   is a gap record, which says what the next position is. So of a copier and a start from the copy one loses, at once.
 * - C42 What a copy is made of is kept in its own store until the copy is done.
 */
export class Copier {
  readonly #plan: CopyPlan;
  readonly #place: CopiesPlace;
  readonly #alarm: Alarm;
  readonly #abort = new AbortController();
  #target: CopyStore | null = null;
  #store: Store | null = null;
  #newest: number | null;
  #copied: { readonly position: number; readonly createdAtMs: number } | null = null;
  #copying: Promise<void> | null = null;
  /** Monotonic, of the last warning since the last copy. */
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(plan: CopyPlan, place: CopiesPlace, newest: number | null) {
    this.#plan = plan;
    this.#place = place;
    this.#newest = newest;
    this.#alarm = new Alarm(plan.timetable, place.environment.clock, () => this.#ring());
  }

  start(): void {
    this.#alarm.start();
  }

  published(position: number): void {
    this.#newest = position;
  }

  async end(): Promise<void> {
    this.#alarm.stop();
    this.#abort.abort(new CheckpointError('SYSTEM_FAILED', 'the system has ended'));
    let cancel: () => void = () => undefined;
    const longEnough = new Promise<void>(
      (resolve) => (cancel = this.#place.environment.clock.after(COPY_END_MS, resolve)),
    );
    await Promise.race([this.#copying, longEnough]);
    cancel();
    await this.#store?.close();
  }

  #ring(): void {
    const position = this.#newest;
    if (this.#copying !== null || position === null || position === this.#copied?.position) return;
    // It stays as it is until the copy is done, however many newer ones come (C42).
    const letGo = this.#place.retention.hold(position);
    this.#copying = this.#copy(position)
      .catch((error: unknown) => this.#failed(position, error))
      .finally(() => {
        letGo();
        this.#copying = null;
      });
  }

  async #copy(position: number): Promise<void> {
    const { store, job, environment, observe } = this.#place;
    const { clock } = environment;
    const beganAt = clock.monotonic();
    const source = await readSource(store, job, position);
    const target = await this.#open();
    const put = await target.take(source);
    const { cut, createdAt } = source.record;
    const createdAtMs = Date.parse(createdAt);
    this.#copied = { position, createdAtMs };
    if (put !== null) {
      this.#toldAt = Number.NEGATIVE_INFINITY;
      const durationMs = Math.round(clock.monotonic() - beganAt);
      const lagMs = Math.max(0, clock.now() - createdAtMs);
      observe({ kind: 'copied', location: target.url, cut, position, durationMs, lagMs, ...put });
    }
    try {
      await target.removeOld(this.#plan.keep);
    } catch (error) {
      // The copy is there: that old ones stay a while longer is a matter of its own.
      this.#tell(`old copies in ${target.url} were not removed this time: ${toError(error).message}`);
    }
  }

  /** A store that could not be opened is opened at the next instant. */
  async #open(): Promise<CopyStore> {
    const { store, job, environment } = this.#place;
    const { randomId: newId, clock, openStore } = environment;
    const { signal } = this.#abort;
    this.#store ??= await openStore(this.#plan.location);
    if (signal.aborted) await this.#store.close();
    signal.throwIfAborted();
    return (this.#target ??= new CopyStore({ store: this.#store, job, of: store.url, newId, clock, signal }));
  }

  #failed(position: number, error: unknown): void {
    const why = toError(error).message;
    if (error instanceof CheckpointError && error.code === 'COPY_TAKEN_OVER') {
      this.#alarm.stop();
      this.#warn('COPY_TAKEN_OVER', why);
      return;
    }
    const location = withoutSecrets(this.#plan.location);
    this.#tell(`checkpoint ${position} was not copied to ${location}; ${this.#newestText()}: ${why}`);
  }

  #newestText(): string {
    if (this.#copied === null) return 'none was copied since this start';
    const { position, createdAtMs } = this.#copied;
    const ageMs = this.#place.environment.clock.now() - createdAtMs;
    return `the newest copy is of checkpoint ${position}, ${Math.round(ageMs / 1000)} s old`;
  }

  /** Not at each instant: what goes on failing would drown all else. */
  #tell(message: string): void {
    const now = this.#place.environment.clock.monotonic();
    if (now < this.#toldAt + COPY_TOLD_MS) return;
    this.#toldAt = now;
    this.#warn('COPY_FAILED', message);
  }

  #warn(code: string, message: string): void {
    if (!this.#abort.signal.aborted) this.#place.observe({ kind: 'warning', code, message });
  }
}
