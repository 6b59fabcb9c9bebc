import { allowNetworkFolder, openFolderStore, openStore } from '@tidemark/stores';
import { openFolderStoreOn, parseLocation } from '@tidemark/stores/internal';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { networkKindOf } from '../src/network-kind.ts';
import { partsOn } from './disk-parts.ts';
import { realFolders } from './real-folder.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const newFolder = realFolders();

describe('a folder on a network file system', () => {
  test('is refused before anything but the folder is made, and says how to take it all the same', async () => {
    const disk = new SimulatedDisk();
    disk.network = 'NFS';
    await expect(openFolderStoreOn('/data', partsOn(disk))).rejects.toMatchObject({
      kind: 'fatal',
      code: 'STORE_UNSAFE',
      message: expect.stringMatching(
        /^\/data is on a network file system \(NFS\).*--allow-nfs.*file:\/\/\/data\?allow-nfs=true/,
      ),
    });
    expect(await disk.readFolder('/data')).toEqual([]);
  });

  test('is taken when it is allowed', async () => {
    const disk = new SimulatedDisk();
    disk.network = 'SMB';
    const store = await openFolderStoreOn('/data', partsOn(disk), { allowNetwork: true });
    expect(await store.list('')).toEqual([]);
  });
});

test('the location says that it is allowed, for folders only', () => {
  const path = join(process.cwd(), 'a b?c');
  const allowed = allowNetworkFolder('./a b?c');
  expect(parseLocation(allowed)).toEqual({ kind: 'folder', path, allowNetwork: true });
  expect(allowNetworkFolder(allowed)).toBe(allowed);
  expect(allowNetworkFolder('memory:x')).toBe('memory:x');
});

test.each([
  [0x6969, 'NFS'],
  [0xff534d42, 'SMB'],
  [0xff534d42 | 0, 'SMB'],
  [0x65735546, 'FUSE'],
  [0xef53, null],
  [0x01021994, null],
  [0x794c7630, null],
])('%i is %s', (type, kind) => {
  expect(networkKindOf(type)).toBe(kind);
});

test('the disk of this test is a local one, or is refused', async () => {
  const folder = newFolder();
  const opening = openFolderStore(folder).then(
    (store) => store.url,
    (error: { code: string }) => error.code,
  );
  expect(await opening).not.toBe('STORE_IO');
  await (await openStore(allowNetworkFolder(folder))).put('a', new Uint8Array([1]));
});
