import type { UnitData } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { Choice } from './choose.ts';
import type { EngineEvent, EngineOptions, Prepared } from './engine-options.ts';
import type { Environment } from './environment.ts';
import { parseKeep } from './keep.ts';
import type { PlanRow } from './mapping/map-checkpoint.ts';
import { NO_MAPPING } from './mapping/program.ts';
import type { OwnerSeen } from './owner.ts';
import { type Patience, patiently } from './patience.ts';
import { isTrivial } from './reading/plan.ts';
import { planText } from './reading/plan-text.ts';
import { distributeMapped, type Load, type Loads, type Placement } from './recovery.ts';
import { takeOver, type TakenOver } from './take-over.ts';

/** All that a start needs after it has taken over: worked out before, so that it may still refuse. */
interface Ready {
  readonly data: unknown;
  readonly loads: Loads;
}

export type Own = TakenOver<Ready>;

/** What a start needs of the system that it is to become. */
export interface StartingHooks {
  /** Ends every wait with its reason. */
  readonly ended: AbortSignal;
  readonly observe: (event: EngineEvent) => void;
  /** Throws when the system was ended meanwhile. */
  readonly assertGoing: () => void;
  /** The job seems to have another owner by now. */
  readonly superseded: () => void;
}

/**
 * Becomes the owner of the job, with what each thread gets. Everything that may refuse comes before the term record.
 *
 * @returns null when there is nothing to run: the job has ended with the chosen checkpoint
 */
export function own(
  store: Store,
  options: EngineOptions,
  environment: Environment,
  hooks: StartingHooks,
): Promise<Own | null> {
  const { job, fresh, from, acceptDuplicates, command, extension, keep, ifRunning = 'fail' } = options;
  const { ended, observe, assertGoing, superseded } = hooks;
  const patient = patience(environment, hooks);
  const waiting = ({ host, pid, since, term }: OwnerSeen): void => observe({ kind: 'waiting', host, pid, since, term });
  const plans = new Plans(observe);
  const prepare = async ({ checkpoint }: Choice): Promise<Ready | null> => {
    const prepared: Prepared = (await extension?.prepare(checkpoint?.record ?? null)) ?? NOTHING_ADDED;
    assertGoing();
    if (prepared.kind === 'finished') return null;
    const { loads, rows } = mappedLoads(options, checkpoint, prepared.units, null);
    if (checkpoint !== null) plans.tell(checkpoint.record.position, rows);
    return { data: prepared.data, loads };
  };
  const place = { store, job, environment, ifRunning, waiting, ended };
  const choosing = { fresh, from, acceptDuplicates, command, warn: patient.warn, keep: parseKeep(keep) };
  return patiently(() => takeOver<Ready>(place, choosing, prepare, superseded), patient);
}

/** A start may look at the same thing several times, and says once what it found. */
export function patience({ clock }: Environment, { ended, observe }: StartingHooks): Patience {
  const told = new Set<string>();
  return {
    clock,
    ended,
    warn: (code, message) => {
      if (!told.has(message)) observe({ kind: 'warning', code, message });
      told.add(message);
    },
  };
}

/**
 * What each thread gets: of the checkpoint, or of a beginning. Refuses state that nobody claims.
 *
 * @param term whose asks are still open; none when not given
 */
export function loadsOf(
  options: EngineOptions,
  checkpoint: Choice['checkpoint'],
  firstUnits: readonly UnitData[],
  term: number | null = null,
): Loads {
  return mappedLoads(options, checkpoint, firstUnits, term).loads;
}

function mappedLoads(
  { workers, extension, mapping = NO_MAPPING }: EngineOptions,
  checkpoint: Choice['checkpoint'],
  firstUnits: readonly UnitData[],
  term: number | null,
): { readonly loads: Loads; readonly rows: readonly PlanRow[] } {
  const placement = extension?.placement ?? NO_TASKS;
  if (checkpoint !== null) {
    return distributeMapped(checkpoint.record, checkpoint.parts, workers, placement, mapping, term);
  }
  const loads = Array.from({ length: workers + 1 }, (): Load => ({ files: [], units: [], frames: [] }));
  for (const unit of firstUnits) loads[placement.placeUnit(unit, workers)].units.push(unit);
  return { loads, rows: [] };
}

/** Tells what a start changes in a checkpoint, once, and only when there is something. */
class Plans {
  readonly #observe: (event: EngineEvent) => void;
  #told = 0;

  constructor(observe: (event: EngineEvent) => void) {
    this.#observe = observe;
  }

  tell(position: number, all: readonly PlanRow[]): void {
    const rows = all.filter((row) => !isTrivial(row));
    if (rows.length > 0 && position !== this.#told) {
      this.#observe({ kind: 'plan', position, rows, message: planText(position, rows) });
    }
    this.#told = position;
  }
}

const NOTHING_ADDED: Prepared = { kind: 'run', data: null, units: [] };

const NO_TASKS: Placement = {
  knows: () => false,
  placeUnit: () => 0,
  splitBatch: () => new Map(),
};
