import { MemoryStore, openFolderStore, openStore, type Store, StoreError } from '@tidemark/stores';
import { type ConformanceOptions, storeConformance } from '@tidemark/stores/conformance';
import { openFolderStoreOn } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';
import { BROKEN_LOSSY_STORES, BROKEN_STORES, lossy } from './broken-stores.ts';
import { partsOn } from './disk-parts.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { realFolders } from './real-folder.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const newFolder = realFolders();
let opened = 0;

const STORES = {
  'a memory store': async () => new MemoryStore(),
  'memory:NAME': () => openStore(`memory:conformance-${++opened}`),
  'a folder store': () => openFolderStore(newFolder()),
  'a folder store that makes its folder': () => openStore(`${newFolder()}/made/on/the/way`),
};

for (const [kind, makeStore] of Object.entries(STORES)) {
  describe(`${kind} keeps the contract`, () => {
    for (const { name, run } of storeConformance(makeStore)) test(name, run);
  });
}

describe('a folder store on a simulated disk keeps the contract and leaves no handle open', () => {
  const disks: FaultyFileSystem[] = [];
  const makeStore = () => {
    const disk = new FaultyFileSystem(new SimulatedDisk());
    disks.push(disk);
    return openFolderStoreOn('/data', partsOn(disk));
  };
  // Large objects in the simulation's steps of 7 bytes would show nothing new.
  const large = ['8 MB', 'replace: of many', 'a Buffer is as good'];
  const rules = storeConformance(makeStore).filter(({ name }) => !large.some((part) => name.includes(part)));
  for (const { name, run } of rules) {
    test(name, async () => {
      await run();
      expect(disks.map((disk) => disk.handlesOpen)).toEqual(disks.map(() => 0));
    });
  }
});

describe('a memory store whose replies are lost keeps the contract when it says that it does not know', () => {
  const makeLossyStore = async () =>
    lossy(async () => {
      throw new StoreError('lost', 'STORE_OUTCOME_UNKNOWN', 'no reply');
    });
  const rules = storeConformance(async () => new MemoryStore(), { makeLossyStore });
  for (const { name, run } of rules.filter((rule) => rule.name.startsWith('lost reply'))) test(name, run);
});

describe('the suite notices', () => {
  const noticed = new Set<string>();
  test.each(BROKEN_STORES)('a store that $fault', async ({ noticedBy, make }) => {
    const failed = await failedRules(async () => make());
    for (const name of failed) noticed.add(name);
    expect(failed.find((name) => name.startsWith(noticedBy)) ?? failed).toMatch(noticedBy);
  });

  test.each(BROKEN_LOSSY_STORES)('a store that $fault, when a reply is lost', async ({ noticedBy, make }) => {
    const failed = await failedRules(async () => new MemoryStore(), { makeLossyStore: async () => make() });
    for (const name of failed) noticed.add(name);
    expect(failed.find((name) => name.startsWith(noticedBy)) ?? failed).toMatch(noticedBy);
  });

  test('something with each of its rules', () => {
    const makeLossyStore = async () => lossy(async () => 'stored');
    const rules = storeConformance(async () => new MemoryStore(), { makeLossyStore }).map(({ name }) => name);
    expect(rules.filter((name) => !noticed.has(name))).toEqual([]);
  });
});

async function failedRules(makeStore: () => Promise<Store>, options?: ConformanceOptions): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of storeConformance(makeStore, options)) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}
