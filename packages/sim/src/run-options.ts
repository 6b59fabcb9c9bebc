import type { Config, Mode } from './config.ts';
import type { Coverage } from './coverage.ts';
import type { Fired } from './faults.ts';
import type { Planted } from './planted.ts';
import type { Program } from './programs/program.ts';

export interface RunOptions {
  readonly program: Program;
  readonly seed: number;
  readonly mode: Mode;
  /** Steps with faults. */
  readonly steps?: number;
  /** Indexes of the faults that may happen; all when not given. */
  readonly only?: ReadonlySet<number> | null;
  readonly print?: ((line: string) => void) | null;
  readonly planted?: Planted;
  /** Changes what was drawn for the seed. */
  readonly tune?: (config: Config) => Config;
}

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly hash: string;
  readonly steps: number;
  readonly virtualMs: number;
  readonly checkpoints: number;
  readonly released: number;
  readonly restores: number;
  readonly processes: number;
  readonly fired: readonly Fired[];
  readonly coverage: Coverage;
}

/** How long something may take: both must be over. */
export interface Bound {
  readonly ms: number;
  readonly steps: number;
}
