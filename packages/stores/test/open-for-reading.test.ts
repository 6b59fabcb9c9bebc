import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, openStoreForReading, type StoreError } from '@tidemark/stores';
import { expect, test } from 'vitest';
import { bytesOf } from './disk-parts.ts';
import { realFolders } from './real-folder.ts';

const newFolder = realFolders();

const refusal = (opening: Promise<unknown>): Promise<StoreError> =>
  opening.then(
    () => Promise.reject(new Error('it was accepted')),
    (error: StoreError) => error,
  );

test('a folder that is not there is told, and not made', async () => {
  const folder = join(newFolder(), 'a', 'b');
  const error = await refusal(openStoreForReading(folder));
  expect(error).toMatchObject({ kind: 'absent', code: 'STORE_NOT_FOUND' });
  expect(error.message).toContain(folder);
  expect(existsSync(join(folder, '..'))).toBe(false);
});

test('a name in memory that nobody has opened is told; one that somebody has is the same store', async () => {
  expect(await refusal(openStoreForReading('memory:nobody'))).toMatchObject({ code: 'STORE_NOT_FOUND' });
  const store = await openStore('memory:somebody');
  await store.put('x', bytesOf('1'));
  expect(await (await openStoreForReading('memory:somebody')).list('')).toEqual(['x']);
});

test('a file is no store', async () => {
  const file = join(newFolder(), 'file');
  writeFileSync(file, '');
  expect(await refusal(openStoreForReading(file))).toMatchObject({ code: 'STORE_NOT_A_FOLDER' });
});

test('looking changes nothing: no temp folder, no probe, also where nobody may write', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'job'));
  writeFileSync(join(folder, 'job', 'object'), 'bytes');
  chmodSync(folder, 0o500);
  const store = await openStoreForReading(folder);
  expect(await store.list('')).toEqual(['job/object']);
  expect(Buffer.from(await store.get('job/object')).toString()).toBe('bytes');
  expect(Buffer.from(await store.get('job/object', { offset: 1, length: 2 })).toString()).toBe('yt');
  await store.close();
  chmodSync(folder, 0o700);
  expect(readdirSync(folder)).toEqual(['job']);
});

test('every call that would write is refused', async () => {
  const folder = newFolder();
  await (await openStore(folder)).put('x', bytesOf('1'));
  const store = await openStoreForReading(folder);
  const calls = [
    store.put('y', bytesOf('2')),
    store.putIfAbsent('y', bytesOf('2')),
    store.replace('x', bytesOf('2')),
    store.delete('x'),
  ];
  for (const call of calls) expect(await refusal(call)).toMatchObject({ kind: 'denied', code: 'STORE_READ_ONLY' });
  expect(await store.list('')).toEqual(['x']);
  expect(await store.get('x')).toEqual(bytesOf('1'));
});
