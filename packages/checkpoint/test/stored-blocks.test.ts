import { BlockPool, limits, verifyLog } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { expect, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { rollbacksOf } from './support/rollbacks.ts';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();
const { rolledBack } = rollbacksOf(systems);
const KEYS = ['a', 'b', 'c', 'd'];
const WORDS = Array.from({ length: 100 }, (_, n) => `${n} `.padEnd(3_000, 'word '));

test.each([
  ['worker threads', false],
  ['inline workers', true],
])('%s write parts into the memory of those that are stored: each checkpoint stays what it was', async (_, inline) => {
  const given = vi.spyOn(BlockPool.prototype, 'add');
  const store = await systems.folder();
  const system = await systems.start({ store, inline });
  const wordsOf = async (of: typeof system): Promise<unknown> =>
    Promise.all(KEYS.map((key) => Promise.all(WORDS.map((word) => of.ask(of.ref(Echo, key)).word(word)))));
  const all = (count: number): unknown => KEYS.map(() => WORDS.map(() => count));
  for (let round = 1; round <= 6; round++) {
    expect(await wordsOf(system)).toEqual(all(round));
    await system.checkpoint();
  }
  // From memory: what is kept of the parts is not what their threads have written over.
  await wordsOf(system);
  const back = rolledBack();
  await system.tell(system.ref(Echo, 'e')).fail('on purpose');
  await back;
  expect(await wordsOf(system)).toEqual(all(7));
  await system.checkpoint();
  await system.stop();
  if (inline) {
    // Of this thread and of the workers: memory of several blocks came back at once.
    const blocks = given.mock.calls.map(([buffers]) =>
      buffers.filter((one) => one.byteLength === limits.BLOCK_CAPACITY),
    );
    expect(Math.max(...blocks.map(({ length }) => length))).toBeGreaterThan(1);
  }
  given.mockRestore();

  const reading = await openStoreForReading(store);
  expect((await verifyLog(reading, 'main', null)).findings).toEqual([]);
  await reading.close();
  const again = await systems.start({ store, inline, workers: 3 });
  expect(await wordsOf(again)).toEqual(all(8));
});
