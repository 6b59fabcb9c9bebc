import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Chance } from '@tidemark/actors/testing/internal';
import { afterwards } from './afterwards.ts';
import { delay, LedgerProcess } from './child.ts';
import { Disk, reasonNotToMount } from './disk.ts';
import { SEED, shareOf, skipFor, TIMEOUT_MS, whole } from './share.ts';
import { type Injection, reasonNotToTrace, Tracer } from './tracer.ts';

const IMAGES = 200;
const APART_MS_MAX = 60;
/** Without fsync all that is not minutes old is lost: a few images show it. */
const IMAGES_OF_LIAR = 3;

/** The disk of a process that takes checkpoints as fast as it can loses its power. */
export function powerCuts(): void {
  describe('a disk that loses its power at any moment', () => {
    it('holds every checkpoint that was acknowledged before, and a whole log', {
      timeout: TIMEOUT_MS,
    }, async (context) => {
      skipFor(context, reasonNotToMount());
      const images = shareOf(IMAGES);
      const positions = await cuts(images, null);
      const behind = positions.filter(({ from, acked }) => from > acked).length;
      console.log(
        `power cut: ${images} images${whole ? '' : ` of ${IMAGES}, seed ${SEED}`}, all acknowledged checkpoints there up to ${positions.at(-1)?.from}; ` +
          `${behind} images held a newer one whose acknowledgement was still on its way`,
      );
      expect(positions).toHaveLength(images);
      expect(positions.at(-1)?.acked).toBeGreaterThan(images);
    });

    it('is told from one without fsync, which loses them', { timeout: TIMEOUT_MS }, async (context) => {
      skipFor(context, reasonNotToMount() ?? reasonNotToTrace());
      const lying = { call: 'fsync', nth: '1+', what: 'retval=0' } as const;
      await expect(cuts(IMAGES_OF_LIAR, lying)).rejects.toThrow(/acknowledged|findings/);
    });
  });
}

/** Cuts the power so often, at moments that the seed chooses, and starts again from each copy. */
async function cuts(
  images: number,
  lie: Injection | null,
): Promise<{ readonly from: number; readonly acked: number }[]> {
  const disk = new Disk();
  const child = new LedgerProcess({ store: join(disk.folder, 'store') });
  const chance = new Chance(SEED);
  const found: { from: number; acked: number }[] = [];
  try {
    await child.hearSurely('ready');
    if (lie !== null) await Tracer.attach(child.pool, '/dev/null', lie);
    child.say('loop');
    await child.hearSurely('acked');
    for (let image = 0; image < images; image++) {
      await delay(chance.below(APART_MS_MAX));
      const acked = await disk.cut(() => child.acks.at(-1) ?? null);
      // The cores are for the start now.
      child.stopForNow();
      const { from } = await disk.afterCut(async (folder) => {
        const store = join(folder, 'store');
        // Its owner is still alive here, as it would not be on a machine that had lost its power.
        rmSync(join(store, 'main/owner.json'), { force: true });
        return afterwards(store, acked);
      });
      found.push({ from: from ?? 0, acked: acked?.position ?? 0 });
      child.goOn();
    }
    expect(child.ended).toBeNull();
    return found;
  } finally {
    child.goOn();
    await child.kill();
    await disk.release();
  }
}
