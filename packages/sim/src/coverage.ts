import { type FaultKind, ON_READS, PROCESS_FAULTS, STORE_FAULTS } from './faults.ts';
import type { Program } from './programs/program.ts';
import { isSeldom } from './seldom.ts';

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
  'batch called',
  'batch stored',
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
  'put batch',
  'put boundary',
  'replace owner',
  'get record',
  'get part',
  'get batch',
  'get boundary',
  'get owner',
  'list log',
  'list gc',
  'list part',
  'delete record',
  'delete part',
  'delete boundary',
] as const;

/** Steps that only programs with an output have. */
const OF_JOBS: ReadonlySet<string> = new Set(['batch called', 'batch stored', 'put batch', 'get batch']);

/** A fault at a step. */
export interface Pair {
  readonly kind: FaultKind;
  readonly at: string;
}

/** An orderly stop is asked of a system that runs; a worker is there from the beginning on. */
function canMeet(kind: FaultKind, step: ProcessStep): boolean {
  return (
    kind !== 'stop' ||
    !['begins', 'reads log', 'term called', 'term stored', 'loads', 'stops', 'rolls back'].includes(step)
  );
}

/** A read has no effect that could be in doubt, and only a listing can be torn. */
function canBefall(kind: FaultKind, step: string): boolean {
  if (kind === 'torn') return step.startsWith('list');
  return ON_READS.has(kind) || !/^(?:get|list)/.test(step);
}

/** All that can be. */
export const PAIRS: readonly Pair[] = [
  ...PROCESS_FAULTS.flatMap((kind) =>
    PROCESS_STEPS.filter((step) => canMeet(kind, step)).map((at): Pair => ({ kind, at })),
  ),
  ...STORE_FAULTS.flatMap((kind) =>
    STORE_STEPS.filter((step) => canBefall(kind, step)).map((at): Pair => ({ kind, at })),
  ),
];

export function pairName({ kind, at }: Pair): string {
  return `${kind} × ${at}`;
}

/** Pairs that a program can come to; those that a seed meets seldom, even when it aims at them, several times. */
export function pairsOf(program: Program['kind']): readonly Pair[] {
  return PAIRS.flatMap((pair) => {
    if (OF_JOBS.has(pair.at) && program !== 'job') return [];
    return new Array<Pair>(weightOf(pair)).fill(pair);
  });
}

/** By how often a seed that aims at it comes to it. */
function weightOf({ kind, at }: Pair): number {
  // Only one program in four is a job.
  if (OF_JOBS.has(at)) return at === 'get batch' ? 100 : 20;
  if (at === 'rolls back') return 10;
  const often = /delete boundary|list part|get boundary/.test(at) ? 8 : isSeldom(at) ? 6 : 2;
  // An outage stops all progress for a while.
  return kind === 'outage' ? often * 2 : often;
}

/** Counts, over all seeds, how often each fault met each step of the protocol. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  count(kind: FaultKind, at: string): void {
    this.happened(pairName({ kind, at }));
  }

  /** Something that should happen now and then has happened: an end of a process, a failed attempt. */
  happened(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  get pairs(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}

/** What a call is for, by the name that it is about. */
export function storeStep(call: string, name: string, isTerm: boolean): string {
  const verb = call === 'putIfAbsent' ? 'put' : call;
  return `${verb} ${subjectOf(verb, name, isTerm)}`;
}

function subjectOf(verb: string, name: string, isTerm: boolean): string {
  if (name.endsWith('.ndjson')) return 'batch';
  if (name.endsWith('owner.json')) return 'owner';
  if (name.includes('/gc/')) return verb === 'list' ? 'gc' : 'boundary';
  if (name.includes('/part/')) return 'part';
  if (verb === 'list') return 'log';
  return isTerm ? 'term' : 'record';
}
