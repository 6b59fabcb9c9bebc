import { Disk, type StoreHost, SimStore, World } from '@tidemark/sim/internal';
import type { Store } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, expect, test } from 'vitest';

const WATCHER = { stored: () => undefined, deleted: () => undefined, lost: () => undefined };

const HOST: StoreHost = {
  name: 'test',
  running: true,
  alive: true,
  lies: {},
  fault: () => 'none',
  saw: () => undefined,
};

/** A store in a world of its own. */
function worldOf(seed: number): { readonly world: World; readonly disk: Disk; readonly store: Store } {
  const world = new World({ seed, lookMs: 1, print: null });
  const disk = new Disk(world, WATCHER);
  return {
    world,
    disk,
    store: new SimStore(world, disk, HOST, world.lane('effects', null), world.lane('answers', HOST)),
  };
}

/** Lets the world go on until the promise is settled. */
async function during<T>(world: World, work: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => void (over = true);
  work.then(end, end);
  while (!over && (await world.step()));
  return work;
}

describe('the simulated store keeps the contract', () => {
  let open: World | null = null;
  const rules = storeConformance(async () => {
    const { world, store } = worldOf(7);
    open = world;
    // Calls that a rule makes must not wait for the rule.
    return store;
  });
  test.each(rules)('$name', async ({ run }) => {
    const work = run();
    let over = false;
    const end = (): void => void (over = true);
    work.then(end, end);
    while (!over) {
      await open?.step();
      await Promise.resolve();
    }
    await work;
  });
});

describe('a power cut', () => {
  test('leaves what was answered for, and may take what was not', async () => {
    let taken = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { world, disk, store } = worldOf(seed);
      await during(world, store.putIfAbsent('job/log/1', bytes(1)));
      void store.putIfAbsent('job/log/2', bytes(2));
      while (!disk.has('job/log/2')) await world.step();
      disk.cut();
      expect(disk.has('job/log/1')).toBe(true);
      if (!disk.has('job/log/2')) taken++;
    }
    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(35);
  });

  test('ends what was under way', async () => {
    const { world, disk, store } = worldOf(3);
    void store.putIfAbsent('job/log/1', bytes(1));
    disk.cut();
    while (await world.step());
    expect(disk.has('job/log/1')).toBe(false);
  });
});

function bytes(n: number): Uint8Array {
  return new Uint8Array([n]);
}
