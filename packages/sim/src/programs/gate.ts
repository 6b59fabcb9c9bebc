import type { PartContent } from '@tidemark/checkpoint/internal';
import { messagesTo, unitsOf } from './contents.ts';

/** State of an actor through which everything from the host comes in. */
export interface GateState {
  /** Newest term that has sent ticks. */
  term: number;
  /** Ticks that have come, by the term that sent them. */
  ticks: Record<string, number>;
  /** Ticks of all terms. */
  all: number;
  /** So large, in some runs, that a part becomes a file. */
  bulk: string;
  /** Rollbacks of the newest term that had been when its newest tick was told. */
  told: number;
}

/**
 * Rollbacks of each term so far. No part of a state, on purpose: a rollback does not put it back, so that a gate can tell
 * ticks that were undone from ticks that were lost.
 */
const rollbacksOf = new Map<number, number>();

export function noteRollback(term: number): void {
  rollbacksOf.set(term, (rollbacksOf.get(term) ?? 0) + 1);
}

/** A new world begins. */
export function forgetRollbacks(): void {
  rollbacksOf.clear();
}

const BULK_CHARS = 70_000;

export function newGate(): GateState {
  return { term: 0, ticks: {}, all: 0, bulk: '', told: 0 };
}

/** What the host numbers: a tick of a term, told after so many rollbacks. */
export interface Tick {
  readonly term: number;
  readonly n: number;
  readonly told: number;
}

/**
 * A tick comes in: the next of its term, and none of an older one. Anything else was lost, doubled or overtaken. Only where
 * the process has gone back since the one before it was told may some be left out: they were undone. None comes twice.
 */
export function passGate(state: GateState, { term, n, told }: Tick, bulk: boolean): void {
  const expected = state.ticks[term] ?? 0;
  const before = term === state.term ? state.told : 0;
  const undone = n > expected && (rollbacksOf.get(term) ?? 0) > before;
  if (term < state.term || told < before || (n !== expected && !undone)) {
    throw new Error(`tick ${n} of term ${term} came after ${expected} ticks of it, in term ${state.term}`);
  }
  state.term = term;
  state.told = told;
  state.ticks[term] = n + 1;
  state.all++;
  if (bulk && state.bulk === '') state.bulk = 'b'.repeat(BULK_CHARS);
}

/** Ticks that have passed; those on their way must be the next ones, in order. */
export function checkGate(parts: readonly PartContent[], type: string): number {
  const { all } = gateOf(parts, type);
  ticksIn(parts, type);
  return all;
}

/** Ticks in the cut by term, passed or on their way. */
export function ticksIn(parts: readonly PartContent[], type: string): ReadonlyMap<number, number> {
  const gate = gateOf(parts, type);
  for (const { args } of messagesTo(parts, type, 'tick')) {
    const [term, n, told] = args as [number, number, number];
    passGate(gate, { term, n, told }, false);
  }
  return new Map(Object.entries(gate.ticks).map(([term, ticks]) => [Number(term), ticks]));
}

function gateOf(parts: readonly PartContent[], type: string): GateState {
  const [unit] = unitsOf(parts, type);
  return unit === undefined ? newGate() : structuredClone(unit.value as GateState);
}
