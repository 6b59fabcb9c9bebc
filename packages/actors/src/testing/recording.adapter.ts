import { AsyncLocalStorage } from 'node:async_hooks';
import type { SeenTurn } from './guarded-turn.ts';

/** Who records the turns of the test kits that are made inside of a scenario, whatever else runs meanwhile. */
const recorders = new AsyncLocalStorage<(turn: SeenTurn) => void>();

export function recordingInto<T>(record: (turn: SeenTurn) => void, scenario: () => T): T {
  return recorders.run(record, scenario);
}

export function recorderNow(): ((turn: SeenTurn) => void) | null {
  return recorders.getStore() ?? null;
}
