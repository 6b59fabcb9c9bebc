import { pairName, PAIRS } from './coverage.ts';
import type { RunResult } from './run-options.ts';

/** What many seeds have shown together; plain data, so that it may come from another process. */
export interface Totals {
  seeds: number;
  steps: number;
  checkpoints: number;
  restores: number;
  faults: number;
  readonly pairs: Record<string, number>;
  /** Trace of the last seed. */
  lastHash: string;
}

export function noTotals(): Totals {
  return { seeds: 0, steps: 0, checkpoints: 0, restores: 0, faults: 0, pairs: {}, lastHash: '' };
}

export function addResult(totals: Totals, result: RunResult): void {
  totals.seeds++;
  totals.steps += result.steps;
  totals.checkpoints += result.checkpoints;
  totals.restores += result.restores;
  totals.faults += result.fired.length;
  addPairs(totals, Object.fromEntries(result.coverage.pairs));
}

export function addTotals(totals: Totals, more: Totals): void {
  totals.seeds += more.seeds;
  totals.steps += more.steps;
  totals.checkpoints += more.checkpoints;
  totals.restores += more.restores;
  totals.faults += more.faults;
  addPairs(totals, more.pairs);
}

function addPairs(totals: Totals, pairs: Readonly<Record<string, number>>): void {
  for (const [pair, count] of Object.entries(pairs)) totals.pairs[pair] = (totals.pairs[pair] ?? 0) + count;
}

/** Pairs of fault and step that can be and were never seen. */
export function neverHit(totals: Totals): readonly string[] {
  return PAIRS.map(pairName).filter((pair) => totals.pairs[pair] === undefined);
}
