import { type Examined, examineStore, MemoryStore, openFolderStore, type Store } from '@tidemark/stores';
import { describe, expect, test } from 'vitest';
import { BROKEN_STORES } from '../broken-stores.ts';
import { realFolders } from '../real-folder.ts';

const newFolder = realFolders();
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

const broken = ({ findings }: Examined): readonly string[] =>
  findings.filter(({ ok }) => ok === false).map(({ check }) => check);

/** What a memory store does not have, whatever else is right. */
const OF_MEMORY = ['what is stored outlives this process', 'writers on other machines are seen'];

describe('the examination of a place', () => {
  test('finds nothing wrong with a folder, and leaves no object there', async () => {
    const folder = newFolder();
    const examined = await examineStore(() => openFolderStore(folder), { clock });
    expect(broken(examined)).toEqual([]);
    expect(examined.findings.every(({ ok }) => ok === true)).toBe(true);
    expect(examined.latencies.map(({ call }) => call)).toEqual(['put', 'get', 'put if absent', 'list']);
    for (const { count, p50, p99 } of examined.latencies) expect([count > 1, p50 <= p99]).toEqual([true, true]);
    expect(await (await openFolderStore(folder)).list('')).toEqual([]);
  });

  test('says of a memory store that it ends with the process', async () => {
    const store = new MemoryStore('examined');
    expect(broken(await examineStore(async () => store, { clock }))).toEqual(OF_MEMORY);
  });

  const FATAL = [
    'loses the last byte of what is put',
    'stores text instead of bytes',
    'put overwrites',
    'putIfAbsent overwrites',
    'putIfAbsent looks first and writes later',
    'lists what was there one listing ago',
    'reads a range from its offset to the end',
  ];
  const fatal = BROKEN_STORES.filter(({ fault }) => FATAL.includes(fault));
  test('is shown stores that break each of these', () => expect(fatal).toHaveLength(FATAL.length));
  test.each(fatal)('notices one that $fault', async ({ make }) => {
    const store = make();
    const found = broken(await examineStore(async () => store, { clock })).filter((each) => !OF_MEMORY.includes(each));
    expect(found).not.toEqual([]);
  });

  test('ends in time where the place is slow, and says what was left out', async () => {
    let nowMs = 0;
    const slow = { now: () => nowMs, monotonic: () => nowMs };
    const store = delayed(new MemoryStore('slow'), () => void (nowMs += 400));
    const { findings } = await examineStore(async () => store, { clock: slow, withinMs: 9_000 });
    expect(nowMs).toBeLessThan(30_000);
    expect(findings.filter(({ ok }) => ok === null).map(({ seen }) => seen)).toContain('no time was left for it');
  });

  test('tells clocks that differ', async () => {
    const folder = newFolder();
    const ahead = { now: () => Date.now() - 600_000, monotonic: () => performance.now() };
    const { findings } = await examineStore(() => openFolderStore(folder), { clock: ahead });
    expect(findings.find(({ check }) => check.startsWith('the clock'))).toMatchObject({
      ok: false,
      // The put itself takes some of it.
      seen: expect.stringMatching(/^(?:59[5-9]|600) s ahead$/),
    });
  });
});

/** Each call costs time. */
function delayed(store: Store, cost: () => void): Store {
  return new Proxy(store, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      return (...args: unknown[]): unknown => {
        cost();
        return Reflect.apply(found, target, args);
      };
    },
  });
}
