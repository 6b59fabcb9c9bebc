import {
  choose,
  listMarks,
  Log,
  nodeEnvironment,
  parseKeep,
  pinCheckpoint,
  Retention,
  takeOver,
  type TakenOver,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner } from './support/chain-owner.ts';
import { chosen, JOB } from './support/job-log.ts';
import { PacedStore } from './support/paced-store.ts';

const OPTIONS = { keep: 2, recordsPerPass: Number.POSITIVE_INFINITY, fullEvery: 1 };

let store: MemoryStore;
let clock: ManualClock;
let warnings: string[];

beforeEach(() => {
  store = new MemoryStore('going-back');
  clock = new ManualClock();
  warnings = [];
});

/** A start that takes the job over, and then dies. */
async function start(from: number | null = null, over: Store = store): Promise<TakenOver<true> | null> {
  const environment = { ...nodeEnvironment, clock };
  const place = { store: over, job: JOB, environment, ifRunning: 'take-over' as const };
  const warn = (code: string, message: string): void => void warnings.push(`${code}: ${message}`);
  const command = (position: number): string => `--from ${position}`;
  const options = { fresh: false, from, acceptDuplicates: true, command, warn, keep: parseKeep(2) };
  return takeOver(place, options, async () => true as const);
}

async function pinned(): Promise<readonly number[]> {
  return [...(await listMarks(store, JOB)).pinned];
}

describe('a start that goes back (C34)', () => {
  it('pins what it goes back to, and says so once', async () => {
    const owner = await ChainOwner.start(store, clock, OPTIONS);
    const [, back] = await owner.checkpoints(4);
    expect((await start(back))?.choice.checkpoint?.record.position).toBe(back);
    expect(await pinned()).toEqual([back]);
    expect(warnings).toEqual([
      `WENT_BACK: checkpoint ${back} is pinned, because this start goes back to it: it stays until 'tidemark unpin ${back}'`,
    ]);
    // The log leads there still, as nobody has published anything since.
    expect((await start())?.choice.checkpoint?.record.position).toBe(back);
    expect(warnings).toHaveLength(1);
  });

  it('pins nothing where it goes on from the newest', async () => {
    const owner = await ChainOwner.start(store, clock, OPTIONS);
    const last = (await owner.checkpoints(4)).at(-1);
    expect((await start())?.choice.checkpoint?.record.position).toBe(last);
    expect((await start(last))?.choice.checkpoint?.record.position).toBe(last);
    expect(await pinned()).toEqual([]);
  });

  it('leaves a pin that is there as it is', async () => {
    const owner = await ChainOwner.start(store, clock, OPTIONS);
    const [, back] = await owner.checkpoints(4);
    await pinCheckpoint({ store, job: JOB, now: () => clock.now() }, back, {
      label: 'mine',
      wish: null,
      verify: 'whole',
    });
    expect((await start(back))?.choice.checkpoint?.record.position).toBe(back);
    expect(warnings).toEqual([]);
  });

  it('and dies before its first checkpoint leaves a log that leads there, whenever the pass of a sleeper goes on', async () => {
    const owner = await ChainOwner.start(store, clock, OPTIONS);
    const [, back] = await owner.checkpoints(6);
    const objects = await Promise.all(
      (await store.list('')).map(async (name) => [name, await store.get(name)] as const),
    );
    let slept = 0;
    for (let stopAt = 0; ; stopAt++) {
      for (const name of await store.list('')) await store.delete(name);
      for (const [name, bytes] of objects) await store.put(name, bytes);
      let calls = 0;
      let refusal: unknown = null;
      const slow = new PacedStore(store, async () => {
        if (calls++ !== stopAt) return;
        slept++;
        await start(back).catch((error: unknown) => (refusal = error));
      });
      const log = await Log.open(store, JOB, clock);
      const told: string[] = [];
      const retention = new Retention({
        store: slow,
        job: JOB,
        log,
        keep: 2,
        clock,
        recordsPerPass: 1,
        warn: (code) => void told.push(code),
      });
      retention.published();
      await retention.idle();
      if (calls <= stopAt) break;
      // Whoever was refused has put no term record: the newest checkpoint is what the next start goes on from.
      const { checkpoint } = await chosen(store);
      const expected = refusal === null ? back : owner.positions.at(-1);
      expect(checkpoint?.record.position, `the sleeper slept at call ${stopAt}`).toBe(expected);
      expect((await verifyLog(store, JOB, null)).findings, `the sleeper slept at call ${stopAt}`).toEqual([]);
      const again = { fresh: false, from: null, acceptDuplicates: false, command: String, warn: () => undefined };
      await choose(await Log.open(store, JOB, clock), store, JOB, again);
    }
    expect(slept).toBeGreaterThan(12);
  });
});
