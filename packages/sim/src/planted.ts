import type { EngineEvent } from '@tidemark/checkpoint/internal';
import type { StoreLies } from './store.ts';
import type { Wires } from './threads.ts';

/** What a planted bug does wrongly outside of production code. */
export interface Planted {
  readonly wires?: Partial<Wires>;
  readonly lies?: StoreLies;
  /** What nobody hears of. */
  readonly mute?: (event: EngineEvent) => boolean;
}
