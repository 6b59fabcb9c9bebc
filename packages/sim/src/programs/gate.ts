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
}

const BULK_CHARS = 70_000;

export function newGate(): GateState {
  return { term: 0, ticks: {}, all: 0, bulk: '' };
}

/** A tick comes in: the next of its term, and none of an older one. Anything else was lost, doubled or overtaken. */
export function passGate(state: GateState, term: number, n: number, bulk: boolean): void {
  const expected = state.ticks[term] ?? 0;
  if (term < state.term || n !== expected) {
    throw new Error(`tick ${n} of term ${term} came after ${expected} ticks of it, in term ${state.term}`);
  }
  state.term = term;
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
  for (const { args } of messagesTo(parts, type, 'tick')) passGate(gate, args[0] as number, args[1] as number, false);
  return new Map(Object.entries(gate.ticks).map(([term, ticks]) => [Number(term), ticks]));
}

function gateOf(parts: readonly PartContent[], type: string): GateState {
  const [unit] = unitsOf(parts, type);
  return unit === undefined ? newGate() : structuredClone(unit.value as GateState);
}
