import { Chance } from '@tidemark/actors/testing/internal';
import { isSeldom } from './seldom.ts';
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

/** Stored bytes that go wrong in their place; only in a mode of its own. */
export type Damage = 'bit-flip' | 'truncation';

export const DAMAGES: readonly Damage[] = ['bit-flip', 'truncation'];

/** What may be done to a process and its surroundings from outside. */
export type OutsideFault = ProcessFault | Damage;

export type FaultKind = OutsideFault | Exclude<StoreFault, 'none'>;

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
  /** A fault and a step of the protocol that this seed brings together as often as it can. */
  readonly aim: { readonly kind: FaultKind; readonly at: string } | null;
}

/** Mutating calls and reads can fail in different ways. */
export const ON_READS: ReadonlySet<FaultKind> = new Set<FaultKind>(['refused', 'slow', 'fatal']);

/** Seldom, because it ends the process that meets it. */
const FATAL_SHARE = 0.3;

/** Share of the opportunities that an aiming seed takes, and how many of them: then it lets the program go on. */
const AIM_RATE = 0.4;
const AIM_RATE_SELDOM = 0.8;
const AIM_MAX = 12;

/** Steps that come seldom are met more often. */
const SELDOM: ReadonlyMap<string, number> = new Map([
  ['begins', 6],
  ['reads log', 3],
  ['term called', 6],
  ['term stored', 6],
  ['loads', 4],
  ['stops', 12],
  ['put term', 4],
  ['put batch', 2],
  ['get part', 4],
  ['get boundary', 6],
]);
const RATE_MAX = 0.4;

/** A fault that happens now: exactly at this step if the seed aims at it, else at some point soon. */
export interface Strike {
  readonly kind: OutsideFault;
  readonly index: number;
  readonly when: 'now' | 'soon';
}

interface Draw {
  readonly index: number;
  readonly aimed: boolean;
  readonly which: number;
  readonly third: number;
}

/**
 * Decides which faults happen. Draws from a stream of its own, the same number of times for each opportunity, so that a
 * fault that is left out changes no other decision.
 */
export class Faults {
  readonly swarm: Swarm;
  readonly fired: Fired[] = [];
  readonly #chance: Chance;
  readonly #only: ReadonlySet<number> | null;
  readonly #outside: readonly OutsideFault[];
  #next = 0;
  #aimed = 0;
  #over = false;

  /** @param only indexes of the faults that may happen; null for all */
  constructor(chance: Chance, swarm: Swarm, only: ReadonlySet<number> | null) {
    this.#chance = chance;
    this.swarm = swarm;
    this.#only = only;
    this.#outside = [...PROCESS_FAULTS, ...DAMAGES].filter((kind) => swarm.kinds.has(kind));
  }

  /** No fault any more. */
  end(): void {
    this.#over = true;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Asked whenever a process enters a step of the protocol. */
  process(at: string): Strike | null {
    const { aim, processRate } = this.swarm;
    const aims = aim !== null && aim.at === at && isOutside(aim.kind);
    const draw = this.#draw(processRate, at, aims);
    if (draw === null) return null;
    const kind = draw.aimed
      ? (aim!.kind as OutsideFault)
      : this.#outside[Math.floor(draw.which * this.#outside.length)];
    if (kind === undefined) return null;
    this.fired.push({ index: draw.index, kind, at });
    return { kind, index: draw.index, when: draw.aimed ? 'now' : 'soon' };
  }

  /** Asked for each call to the store. */
  store(call: StoreCall, at: string): StoreFault {
    const { aim, storeRate, kinds } = this.swarm;
    const aims = aim !== null && aim.at === at && !isOutside(aim.kind);
    const draw = this.#draw(storeRate, at, aims);
    if (draw === null) return 'none';
    const isRead = call === 'get' || call === 'list';
    const can = STORE_FAULTS.filter(
      (each) => kinds.has(each) && (each === 'torn' ? call === 'list' : !isRead || ON_READS.has(each)),
    );
    const kind = draw.aimed ? (aim!.kind as StoreFault) : can[Math.floor(draw.which * can.length)];
    if (kind === undefined || kind === 'none') return 'none';
    if (kind === 'fatal' && !draw.aimed && draw.third > FATAL_SHARE) return 'none';
    this.fired.push({ index: draw.index, kind, at });
    return kind;
  }

  #draw(often: number, at: string, aims: boolean): Draw | null {
    if (this.#over) return null;
    const rate = often === 0 ? 0 : Math.min(RATE_MAX, often * (SELDOM.get(at) ?? 1));
    const index = this.#next++;
    const fraction = this.#chance.fraction();
    const which = this.#chance.fraction();
    const third = this.#chance.fraction();
    const aimed = aims && this.#aimed < AIM_MAX && third < (isSeldom(at) ? AIM_RATE_SELDOM : AIM_RATE);
    if (aimed) this.#aimed++;
    if (!aimed && fraction >= rate) return null;
    return this.#only?.has(index) === false ? null : { index, aimed, which, third };
  }
}

export function isDamage(kind: FaultKind): kind is Damage {
  return (DAMAGES as readonly FaultKind[]).includes(kind);
}

function isOutside(kind: FaultKind): kind is OutsideFault {
  return !(STORE_FAULTS as readonly FaultKind[]).includes(kind);
}
