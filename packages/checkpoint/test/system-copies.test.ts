import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { boundaryPositions, readCheckpoint, verifyLog } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { expect, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();
const KEYS = ['a', 'b', 'c', 'd'];

/** Resolves at the next copy that is told. */
function nextCopy(system: Awaited<ReturnType<Systems['start']>>): Promise<{ position: number; location: string }> {
  return new Promise((resolve) => {
    const off = system.on('copied', (copied) => {
      off();
      resolve(copied);
    });
  });
}

test.each([
  ['in worker threads', false],
  ['inline', true],
])('a system %s is copied while it runs, and goes on from the copy where the original is gone', async (_, inline) => {
  const [store, copies] = [await systems.folder(), await systems.folder()];
  const asked = [{ location: copies, schedule: '50ms', keep: 2 }];
  const system = await systems.start({ store, inline, copies: asked, keep: 2 });
  let copied = { position: 0, location: '' };
  for (let round = 1; round <= 6; round++) {
    for (const key of KEYS) expect(await system.ask(system.ref(Echo, key)).word('again')).toBe(round);
    const next = nextCopy(system);
    const { position } = await system.checkpoint();
    copied = await next;
    expect(copied.position).toBe(position);
  }
  const reading = await openStoreForReading(copies);
  // A copy is told when it is there; what is older is removed after that, and a stop would give that up.
  await vi.waitFor(async () => expect(await boundaryPositions(reading, 'main')).toEqual([copied.position]));
  await system.stop();
  expect(systems.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
  await rm(store, { recursive: true });

  expect((await verifyLog(reading, 'main', null)).findings).toEqual([]);
  expect((await readdir(join(copies, 'main/log'))).length).toBe(2);
  const { record } = await readCheckpoint(reading, { job: 'main', position: null });
  expect(record.position).toBe(copied.position);
  await reading.close();

  await expect(systems.start({ store: copies, inline })).rejects.toMatchObject({
    code: 'DUPLICATES_NOT_ACCEPTED',
    message: expect.stringContaining(`from: ${copied.position}, acceptDuplicates: true`) as string,
  });
  const again = await systems.start({
    store: copies,
    inline,
    workers: 3,
    from: copied.position,
    acceptDuplicates: true,
  });
  for (const key of KEYS) expect(await again.ask(again.ref(Echo, key)).word('again')).toBe(7);
  await again.stop();
  // From here on it is a store as any other.
  const last = await systems.start({ store: copies, inline });
  for (const key of KEYS) expect(await last.ask(last.ref(Echo, key)).word('again')).toBe(8);
});

test('copies that fail are told, and neither the system nor its checkpoints mind', async () => {
  const store = await systems.folder();
  const copies = [{ location: join(store, 'main/log/00000000000000000001'), schedule: '20ms' }];
  const system = await systems.start({ store, copies });
  const warned = new Promise<{ code: string; message: string }>((resolve) => void system.on('warning', resolve));
  await system.checkpoint();
  expect(await warned).toMatchObject({
    code: 'COPY_FAILED',
    message: expect.stringContaining('none was copied since this start') as string,
  });
  expect(await system.checkpoint()).toMatchObject({ position: 3 });
  await system.stop();
});

test('copies that are wrong are refused before the store is made', async () => {
  const folder = await systems.folder();
  const store = join(folder, 'store');
  for (const [copies, code] of [
    [[{ location: store, schedule: '1m' }], 'COPIES_INVALID'],
    [[{ location: join(folder, 'copies'), schedule: 'often' }], 'SCHEDULE_INVALID'],
    [[{ location: 's3://bucket/x?what=1', schedule: '1m' }], 'STORE_BAD_URL'],
  ] as const) {
    await expect(systems.start({ store, copies })).rejects.toMatchObject({ code });
  }
  await expect(systems.start({ copies: [{ location: store, schedule: '1m' }] })).rejects.toMatchObject({
    code: 'COPIES_INVALID',
  });
  expect(await readdir(folder)).toEqual([]);
});
