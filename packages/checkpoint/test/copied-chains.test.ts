import { readCheckpoint, verifyLog } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { expect, test, vi } from 'vitest';
import { Shelf } from './fixtures/shelf.mjs';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();

test('a part that is a chain of files is copied with all of them, and each file once', async () => {
  const [store, copies] = [await systems.folder(), await systems.folder()];
  const asked = [{ location: copies, schedule: '20ms', keep: 2 }];
  const shelves = [new URL('./fixtures/shelf.mjs', import.meta.url)];
  const system = await systems.start({ actors: shelves, store, copies: asked });
  const shelf = system.ref(Shelf, 'a');
  await system.ask(shelf).fill(4_000);
  const counts: number[] = [];
  system.on('copied', ({ files }) => void counts.push(files));
  for (let i = 0; i < 6; i++) {
    await system.ask(shelf).put(`row-${i}`, 'other');
    const next = new Promise((resolve) => void system.on('copied', resolve));
    await system.checkpoint();
    await next;
  }
  await system.stop();
  const reading = await openStoreForReading(copies);
  expect((await verifyLog(reading, 'main', null)).findings).toEqual([]);
  const { record } = await readCheckpoint(reading, { job: 'main', position: null });
  expect(Math.max(...record.parts.map(({ files }) => files.length))).toBeGreaterThan(1);
  // The full file came once; what was changed since is all that the later copies needed.
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts.slice(1).every((files) => files <= 1)).toBe(true);
  await reading.close();
  const position = record.position;
  const again = await systems.start({ actors: shelves, store: copies, from: position, acceptDuplicates: true });
  expect(await again.ask(again.ref(Shelf, 'a')).sum()).toEqual({ rows: 4_000, other: 6 });
});
