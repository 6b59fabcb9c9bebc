import { type FaultKind, PROCESS_FAULTS, STORE_FAULTS } from './faults.ts';

/** Where a process is in the protocol: what it did last that others could see. */
export const PROCESS_STEPS = [
  'begins',
  'reads log',
  'term called',
  'term stored',
  'loads',
  'runs',
  'cuts',
  'part called',
  'part stored',
  'record called',
  'record stored',
  'looks for owner',
  'boundary called',
  'boundary stored',
  'collects',
  'stops',
  'rolls back',
] as const;

export type ProcessStep = (typeof PROCESS_STEPS)[number];

/** What a call to the store is for. */
export const STORE_STEPS = [
  'put term',
  'put record',
  'put part',
  'put boundary',
  'replace owner',
  'get record',
  'get part',
  'get boundary',
  'get owner',
  'list log',
  'list gc',
  'list part',
  'delete record',
  'delete part',
  'delete boundary',
] as const;

const READ_FAULTS: ReadonlySet<string> = new Set(['refused', 'slow', 'fatal']);

/** A read has no effect that could be in doubt, and only a listing can be torn. */
function canBefall(kind: FaultKind, step: string): boolean {
  if (kind === 'torn') return step.startsWith('list');
  return READ_FAULTS.has(kind) || !/^(?:get|list)/.test(step);
}

/** Counts, over all seeds, how often each fault met each step of the protocol. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  count(kind: FaultKind, at: string): void {
    this.#add(`${kind} × ${at}`);
  }

  /** Something that should happen now and then has happened: an end of a process, a failed attempt. */
  happened(what: string): void {
    this.#add(what);
  }

  #add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  get pairs(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Pairs that can be. */
  static get possible(): readonly string[] {
    return ALL_PAIRS;
  }
}

const ALL_PAIRS: readonly string[] = [
  ...PROCESS_FAULTS.flatMap((kind) =>
    PROCESS_STEPS.filter((step) => canMeet(kind, step)).map((step) => `${kind} × ${step}`),
  ),
  ...STORE_FAULTS.flatMap((kind) =>
    STORE_STEPS.filter((step) => canBefall(kind, step)).map((step) => `${kind} × ${step}`),
  ),
];

/** An orderly stop is asked of a system that runs; a worker is there from the beginning on. */
function canMeet(kind: FaultKind, step: ProcessStep): boolean {
  return (
    kind !== 'stop' ||
    !['begins', 'reads log', 'term called', 'term stored', 'loads', 'stops', 'rolls back'].includes(step)
  );
}

/** What a call is for, by the name that it is about. */
export function storeStep(call: string, name: string, isTerm: boolean): string {
  const verb = call === 'putIfAbsent' ? 'put' : call;
  const what = name.endsWith('owner.json')
    ? 'owner'
    : name.includes('/gc/')
      ? verb === 'list'
        ? 'gc'
        : 'boundary'
      : name.includes('/part/')
        ? 'part'
        : verb === 'list'
          ? 'log'
          : isTerm
            ? 'term'
            : 'record';
  return `${verb} ${what}`;
}
