import { Chance as SpreadChance } from '@tidemark/actors/testing/internal';

/** Undoes the spreading of seeds: what these tests find with a seed, they go on finding. */
const UNSPREAD = 0xe8b2f51;

/** Chance whose state begins at the seed itself. */
export class Chance extends SpreadChance {
  constructor(seed: number) {
    super(Math.imul(seed, UNSPREAD) ^ 0x5bd1e995);
  }
}
