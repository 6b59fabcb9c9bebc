import type { Clock } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { checkLabel } from './label.ts';
import { WISH_LOOK_MS } from './limits.ts';
import type { Pin } from './pin.ts';
import { pinCheckpoint } from './pinning.ts';
import { listWishes, pinOfWish, type Wish, wishName } from './wish.ts';

export interface SavepointsOptions {
  readonly store: Store;
  readonly job: string;
  readonly clock: Clock;
  /** Takes a checkpoint of everything up to now. */
  readonly checkpoint: () => Promise<{ readonly cut: number; readonly position: number }>;
  readonly warn: (code: string, message: string) => void;
}

export interface Savepoint {
  readonly cut: number;
  readonly position: number;
  readonly label: string;
}

/**
 * The owner's side of savepoints: takes a checkpoint and pins it, when the program asks, and when a wish lies in the store.
 *
 * A wish is fulfilled by whoever owns the job next, and removed only then; the pin names it, so that a crash in between does
 * not make a second one.
 */
export class Savepoints {
  readonly #options: SavepointsOptions;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: SavepointsOptions) {
    this.#options = options;
  }

  /**
   * @param label null for `savepoint-<position>`
   * @throws CheckpointError `LABEL_INVALID`, `PIN_TAKEN`; why the checkpoint was not taken
   */
  take(label: string | null): Promise<Savepoint> {
    return this.#take(label, null);
  }

  /** Looks for wishes from now on. */
  start(): void {
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #take(wanted: string | null, wish: string | null): Promise<Savepoint> {
    const { store, job, clock, checkpoint } = this.#options;
    // Before a checkpoint is taken for nothing.
    if (wanted !== null) checkLabel(wanted);
    const { cut, position } = await checkpoint();
    const label = wanted ?? `savepoint-${position}`;
    const place = { store, job, now: () => clock.now() };
    const pin: Pin = await pinCheckpoint(place, position, { label, wish, verify: 'published-now' });
    return { cut, position, label: pin.label ?? label };
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(WISH_LOOK_MS, () => void this.#look().finally(() => this.#lookLater()));
  }

  /** What fails is tried again: the wish is still there. */
  async #look(): Promise<void> {
    const { store, job } = this.#options;
    const wishes = await listWishes(store, job).catch((): readonly Wish[] => []);
    for (const wish of wishes) {
      if (this.#stopped) return;
      try {
        await this.#fulfil(wish);
      } catch (error) {
        if (this.#stopped) return;
        const why = error instanceof Error ? error.message : String(error);
        this.#options.warn('SAVEPOINT_UNANSWERED', `a savepoint that was wished for was not taken this time: ${why}`);
      }
    }
  }

  async #fulfil({ id, label }: Wish): Promise<void> {
    const { store, job } = this.#options;
    try {
      if ((await pinOfWish(store, job, id)) === null) await this.#take(label, id);
    } catch (error) {
      // Whoever wished sees it gone without a pin.
      if (!isRefusal(error)) throw error;
    }
    await store.delete(wishName(job, id));
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof CheckpointError && (error.code === 'LABEL_INVALID' || error.code === 'PIN_TAKEN');
}
