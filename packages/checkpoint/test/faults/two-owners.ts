import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stores } from './phases.ts';
import { race, type Race } from './race.ts';
import { SEED, shareOf, TIMEOUT_MS, whole } from './share.ts';

const RACES = 1_880;

/** Owners that all believe in themselves, over one folder. */
export function twoOwners(): void {
  describe('owners of one job over one folder', () => {
    let stores: Stores;
    beforeAll(() => void (stores = new Stores()));
    afterAll(() => stores.remove());

    it('race in any order of their calls: one wins, and nothing of the others counts', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const races = shareOf(RACES);
      const total: Record<keyof Race, number> = { fenced: 0, refused: 0, released: 0, deleted: 0, recreated: 0 };
      for (let n = 0; n < races; n++) {
        const seed = SEED * 1_000_000 + n;
        const folder = await stores.with(0);
        const seen = await race(seed, folder).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
        for (const key of Object.keys(total) as (keyof Race)[]) total[key] += seen[key];
        stores.remove(folder);
      }
      const { fenced, refused, released, deleted, recreated } = total;
      console.log(
        `two owners: ${races} races${whole ? '' : `, seed ${SEED}`}, one winner each; ${fenced} owners fenced, ${refused} refused, ` +
          `${released} checkpoints released, ${deleted} objects removed, ${recreated} removed names taken again by a sleeper`,
      );
      expect(fenced).toBeGreaterThan(races / 2);
      expect(deleted).toBeGreaterThan(races);
      expect(recreated, 'sleepers that took a name which had been removed').toBeGreaterThan(0);
    });

    it('are told from such as do not look whether a later one was there: their releases are found', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const found = async (): Promise<string> => {
        for (let n = 0; n < RACES; n++) {
          const folder = await stores.with(0);
          const problem = await race(SEED * 1_000_000 + n, folder, { looks: false }).then(() => null, String);
          stores.remove(folder);
          if (problem !== null) return problem;
        }
        return 'nothing';
      };
      expect(await found()).toMatch(/released|not one winner/);
    });
  });
}
