import type { Store } from '@tidemark/stores';
import { parseLocation, withoutSecrets } from '@tidemark/stores/internal';
import { Copier, type CopyEvent } from './copier.ts';
import type { Environment } from './environment.ts';
import { CheckpointError } from './errors.ts';
import { KEEP_CHECKPOINTS } from './limits.ts';
import type { Retention } from './retention.ts';
import { parseTimetable, type Timetable } from './schedule.ts';

/** Copies of the checkpoints in another store, on a schedule of their own. */
export interface CopyOptions {
  /** Folder or URL of the other store. */
  readonly location: string;
  /** An interval or a cron expression: the newest checkpoint is copied then. */
  readonly schedule: string;
  /** Of a cron expression, as `Europe/Berlin`. */
  readonly timezone?: string;
  /** Checkpoints kept there, 10 when not given; Infinity keeps all. */
  readonly keep?: number;
}

/** Options that were read and are sound. */
export interface CopyPlan {
  readonly location: string;
  readonly timetable: Timetable;
  readonly keep: number;
}

/**
 * Reads what was asked for. Nothing is touched.
 *
 * @param location of the store that is copied
 * @throws CheckpointError `COPIES_INVALID`, `SCHEDULE_INVALID`
 * @throws StoreError `STORE_BAD_URL`, `STORE_NOT_INSTALLED`
 */
export function planCopies(options: readonly CopyOptions[], location: string | null): readonly CopyPlan[] {
  if (options.length > 0 && location === null) throw invalid('there is no store whose checkpoints could be copied');
  const seen = new Set(location === null ? [] : [placeOf(location)]);
  return options.map((each) => {
    const place = placeOf(each.location);
    if (seen.has(place)) throw invalid(`${withoutSecrets(each.location)} is the store itself, or named twice`);
    seen.add(place);
    const { keep = KEEP_CHECKPOINTS } = each;
    if (!(keep >= 1) || (keep !== Number.POSITIVE_INFINITY && !Number.isSafeInteger(keep))) {
      throw invalid(`keep ${keep}: expected a whole number from 1, or Infinity`);
    }
    return { location: each.location, timetable: parseTimetable(each.schedule, each.timezone), keep };
  });
}

function placeOf(location: string): string {
  const place = parseLocation(location);
  if (place.kind === 'hdfs') return place.location.replace(/[/]*(?:\?.*)?$/s, '');
  if (place.kind === 's3') return place.location;
  return place.kind === 'folder' ? place.path : `memory:${place.name}`;
}

function invalid(why: string): CheckpointError {
  return new CheckpointError('COPIES_INVALID', `copies: ${why}`);
}

/** Where copies come from, and who hears of them. */
export interface CopiesPlace {
  readonly store: Store;
  readonly job: string;
  readonly environment: Pick<Environment, 'clock' | 'randomId' | 'openStore'>;
  readonly retention: Retention;
  readonly observe: (event: CopyEvent) => void;
}

/** All copiers of a system. */
export class Copies {
  readonly #copiers: readonly Copier[];

  /** @param newest position of the checkpoint that the system went on from; null when it began */
  constructor(plans: readonly CopyPlan[], place: CopiesPlace, newest: number | null) {
    this.#copiers = plans.map((plan) => new Copier(plan, place, newest));
  }

  start(): void {
    for (const copier of this.#copiers) copier.start();
  }

  published(position: number): void {
    for (const copier of this.#copiers) copier.published(position);
  }

  /** No more copies. What is under way is given up, and the next start does it again; resolves when nothing is. */
  async end(): Promise<void> {
    await Promise.all(this.#copiers.map((copier) => copier.end()));
  }
}
