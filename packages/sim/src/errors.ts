import type { RunResult } from './run-options.ts';

export type SimulationErrorCode = 'SIMULATION_FAILED' | 'SIMULATION_NOT_REPEATABLE' | 'SIMULATION_OPTIONS';

/** What `simulate` throws. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  readonly code: SimulationErrorCode;
  /** The seed that failed; null when no seed is at fault. */
  readonly seed: number | null;
  /** Numbers of the faults that it needs to fail: with `seed`, what `simulate` takes to run it again. */
  readonly only: readonly number[];

  constructor(code: SimulationErrorCode, message: string, failing: Pick<RunResult, 'seed' | 'fired'> | null = null) {
    super(message);
    this.code = code;
    this.seed = failing?.seed ?? null;
    this.only = failing?.fired.map(({ index }) => index) ?? [];
  }
}
