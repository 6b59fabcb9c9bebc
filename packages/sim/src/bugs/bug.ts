import type { Config, Mode } from '../config.ts';
import type { Planted } from '../planted.ts';

/** A mistake in the protocol that somebody could make. The simulator must find each of them. */
export interface Bug {
  readonly name: string;
  readonly what: string;
  /** Program that shows it best. */
  readonly program: 'bank' | 'counters' | 'letters' | 'errands' | 'job';
  readonly mode: Mode;
  /** Makes what the bug needs more frequent. */
  readonly tune?: (config: Config) => Config;
  /** A seed that is known to catch it. */
  readonly seed: number;
  /** Plants it; `undo` takes it out again. */
  readonly plant: () => { readonly planted?: Planted; readonly undo?: () => void };
}
