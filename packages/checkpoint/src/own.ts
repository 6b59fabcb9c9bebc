import type { UnitData } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { Choice } from './choose.ts';
import type { EngineOptions, Prepared } from './engine-options.ts';
import type { Environment } from './environment.ts';
import { parseKeep } from './keep.ts';
import { distribute, type Load, type Loads, type Placement } from './recovery.ts';
import { takeOver, type TakenOver } from './take-over.ts';

/** All that a start needs after it has taken over: worked out before, so that it may still refuse. */
interface Ready {
  readonly data: unknown;
  readonly loads: Loads;
}

export type Own = TakenOver<Ready>;

/**
 * Becomes the owner of the job, with what each thread gets. Everything that may refuse comes before the term record.
 *
 * @returns null when there is nothing to run: the job has ended with the chosen checkpoint
 */
export function own(
  store: Store,
  options: EngineOptions,
  environment: Environment,
  tell: { readonly warn: (code: string, message: string) => void; readonly assertGoing: () => void },
): Promise<Own | null> {
  const { job, fresh, from, acceptDuplicates, command, extension, keep } = options;
  return takeOver<Ready>(
    { store, job, environment },
    { fresh, from, acceptDuplicates, command, warn: tell.warn, keep: parseKeep(keep) },
    async ({ checkpoint }) => {
      const prepared: Prepared = (await extension?.prepare(checkpoint?.record ?? null)) ?? NOTHING_ADDED;
      tell.assertGoing();
      if (prepared.kind === 'finished') return null;
      return { data: prepared.data, loads: loadsOf(options, checkpoint, prepared.units) };
    },
  );
}

/**
 * What each thread gets: of the checkpoint, or of a beginning. Refuses state that nobody claims.
 *
 * @param term whose asks are still open; none when not given
 */
export function loadsOf(
  { workers, extension }: EngineOptions,
  checkpoint: Choice['checkpoint'],
  firstUnits: readonly UnitData[],
  term: number | null = null,
): Loads {
  const placement = extension?.placement ?? NO_TASKS;
  if (checkpoint !== null) return distribute(checkpoint.record, checkpoint.parts, workers, placement, term);
  const loads = Array.from({ length: workers + 1 }, (): Load => ({ files: [], units: [], frames: [] }));
  for (const unit of firstUnits) loads[placement.placeUnit(unit, workers)].units.push(unit);
  return loads;
}

const NOTHING_ADDED: Prepared = { kind: 'run', data: null, units: [] };

const NO_TASKS: Placement = {
  knows: () => false,
  placeUnit: () => 0,
  splitBatch: () => new Map(),
};
