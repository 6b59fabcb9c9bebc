import { Chance } from './chance.ts';
import type { StoreCall, StoreFault } from './store.ts';

/** What happens to a whole process or to one of its workers. */
export type ProcessFault =
  /** kill -9. */
  | 'crash'
  /** All processes of the machine end; what was not durable is gone. */
  | 'power-cut'
  /** SIGSTOP, and SIGCONT much later. */
  | 'pause'
  /** Somebody starts the same job a second time. */
  | 'rival'
  | 'worker-death'
  /** Monotonic time and wall clock jump. */
  | 'clock-jump'
  /** An orderly end, with a last checkpoint. */
  | 'stop'
  /** For a while the store carries out nothing of anybody, and says so or says nothing. */
  | 'outage';

export const PROCESS_FAULTS: readonly ProcessFault[] = [
  'crash',
  'power-cut',
  'pause',
  'rival',
  'worker-death',
  'clock-jump',
  'stop',
  'outage',
];

export const STORE_FAULTS: readonly Exclude<StoreFault, 'none'>[] = [
  'refused',
  'answer-lost',
  'request-lost',
  'late',
  'slow',
  'fatal',
  'torn',
];

export type FaultKind = ProcessFault | Exclude<StoreFault, 'none'>;

/** One fault that was injected: `index` names the opportunity, which a replay may leave out. */
export interface Fired {
  readonly index: number;
  readonly kind: FaultKind;
  readonly at: string;
}

/** What one seed may do, drawn once: a swarm of different mixtures finds more than one that does everything a little. */
export interface Swarm {
  readonly kinds: ReadonlySet<FaultKind>;
  readonly processRate: number;
  readonly storeRate: number;
}

/** Mutating calls and reads can fail in different ways. */
const ON_READS: ReadonlySet<FaultKind> = new Set<FaultKind>(['refused', 'slow', 'fatal']);

/** Seldom, because it ends the process that meets it. */
const FATAL_SHARE = 0.3;

/** Steps that come seldom are met more often, so that every pair of fault and step is seen. */
const SELDOM: ReadonlyMap<string, number> = new Map([
  ['begins', 6],
  ['reads log', 3],
  ['term called', 6],
  ['term stored', 6],
  ['loads', 4],
  ['part called', 4],
  ['part stored', 4],
  ['boundary called', 20],
  ['boundary stored', 20],
  ['collects', 10],
  ['stops', 12],
  ['put term', 4],
  ['put part', 2],
  ['put boundary', 12],
  ['get part', 4],
  ['get boundary', 6],
  ['list part', 40],
  ['delete part', 16],
  ['delete boundary', 40],
]);
const RATE_MAX = 0.4;

/**
 * Decides which faults happen. Draws from a stream of its own, the same number of times for each opportunity, so that a
 * fault that is left out changes no other decision.
 */
export class Faults {
  readonly swarm: Swarm;
  readonly fired: Fired[] = [];
  readonly #chance: Chance;
  readonly #only: ReadonlySet<number> | null;
  #next = 0;
  #over = false;

  /** @param only indexes of the faults that may happen; null for all */
  constructor(chance: Chance, swarm: Swarm, only: ReadonlySet<number> | null) {
    this.#chance = chance;
    this.swarm = swarm;
    this.#only = only;
  }

  /** No fault any more. */
  end(): void {
    this.#over = true;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Asked whenever a process enters a step of the protocol. */
  process(at: string): { readonly kind: ProcessFault; readonly index: number } | null {
    const draw = this.#draw(this.swarm.processRate, at);
    if (draw === null) return null;
    const kinds = PROCESS_FAULTS.filter((kind) => this.swarm.kinds.has(kind));
    if (kinds.length === 0) return null;
    const kind = kinds[Math.floor(draw.which * kinds.length)];
    this.fired.push({ index: draw.index, kind, at });
    return { kind, index: draw.index };
  }

  /** Asked for each call to the store. */
  store(call: StoreCall, at: string): StoreFault {
    const draw = this.#draw(this.swarm.storeRate, at);
    if (draw === null) return 'none';
    const isRead = call === 'get' || call === 'list';
    const kinds = STORE_FAULTS.filter(
      (kind) => this.swarm.kinds.has(kind) && (kind === 'torn' ? call === 'list' : !isRead || ON_READS.has(kind)),
    );
    if (kinds.length === 0) return 'none';
    const kind = kinds[Math.floor(draw.which * kinds.length)];
    if (kind === 'fatal' && draw.third > FATAL_SHARE) return 'none';
    this.fired.push({ index: draw.index, kind, at });
    return kind;
  }

  #draw(often: number, at: string): { readonly index: number; readonly which: number; readonly third: number } | null {
    if (this.#over) return null;
    const rate = often === 0 ? 0 : Math.min(RATE_MAX, often * (SELDOM.get(at) ?? 1));
    const index = this.#next++;
    const happens = this.#chance.fraction() < rate;
    const which = this.#chance.fraction();
    const third = this.#chance.fraction();
    return happens && this.#only?.has(index) !== false ? { index, which, third } : null;
  }
}
