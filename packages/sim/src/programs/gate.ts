import type { PartContent } from '@tidemark/checkpoint/internal';
import { messagesTo, unitsOf } from './contents.ts';

/** State of an actor through which everything from the host comes in: it lives on the host, in front of all others. */
export interface GateState {
  /** Newest term that has sent ticks, and how many of them have come. */
  term: number;
  ticks: number;
  /** Ticks of all terms. */
  all: number;
}

export function newGate(): GateState {
  return { term: 0, ticks: 0, all: 0 };
}

/** A tick comes in: the next of its term, or the first of a newer term. Anything else was lost, doubled or overtaken. */
export function passGate(state: GateState, term: number, n: number): void {
  const expected = term === state.term ? state.ticks : 0;
  if (term < state.term || n !== expected) {
    throw new Error(`tick ${n} of term ${term} came after ${state.ticks} ticks of term ${state.term}`);
  }
  state.term = term;
  state.ticks = n + 1;
  state.all++;
}

function gateOf(parts: readonly PartContent[], type: string): GateState {
  const [unit] = unitsOf(parts, type);
  return unit === undefined ? newGate() : (unit.value as GateState);
}

/** Ticks that have passed; those on their way must be the next ones, in order. */
export function checkGate(parts: readonly PartContent[], type: string): number {
  const gate = gateOf(parts, type);
  const { all } = gate;
  const rest = { ...gate };
  for (const { args } of messagesTo(parts, type, 'tick')) passGate(rest, args[0] as number, args[1] as number);
  return all;
}

export function ticksIn(parts: readonly PartContent[], type: string, term: number): number {
  const gate = gateOf(parts, type);
  const onTheWay = messagesTo(parts, type, 'tick').filter(({ args }) => args[0] === term).length;
  return (gate.term === term ? gate.ticks : 0) + onTheWay;
}
