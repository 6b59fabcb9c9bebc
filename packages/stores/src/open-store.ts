import { openHdfsStoreForReading } from './hdfs/open-hdfs-store.ts';
import { openStoreHere, knownFolder, knownMemory, repeating } from './open-store-here.ts';
import { parseLocation } from './location.ts';
import { ReadOnlyStore } from './read-only-store.ts';
import { openS3StoreForReading } from './s3/open-s3-store.ts';
import type { Store } from './store.ts';

/**
 * Opens the store at a location: a folder (`./checkpoints`, relative to the current folder, or `file:///var/checkpoints`),
 * `memory:NAME`, a folder of an HDFS (`hdfs://HOST/FOLDER`), or a bucket of S3 (`s3://bucket/prefix?…`). A folder is made when it
 * is not there, a bucket is not.
 *
 * @throws `StoreError`: `STORE_BAD_URL`, `STORE_NOT_INSTALLED`, and those of `openFolderStore`, `openHdfsStore` and `openS3Store`.
 *
 * @example
 * const store = await openStore('./checkpoints');
 * const names = await store.list('orders/log/');
 */
export async function openStore(location: string): Promise<Store> {
  // What is far away is waited for, signed and encrypted in a thread of its own; its client and its credentials stay there.
  const { kind } = parseLocation(location);
  if (kind !== 's3' && kind !== 'hdfs') return openStoreHere(location);
  const { RemoteStore } = await import('./io/remote-store.ts');
  const { storeThread } = await import('./io/io-thread.adapter.ts');
  return RemoteStore.open(() => storeThread(location));
}

/**
 * Opens the store at a location to look at it: nothing is made, tried or cleaned up, so that a read-only disk will do.
 * Every call that would change something rejects with `STORE_READ_ONLY`.
 *
 * @throws `StoreError`: `STORE_NOT_FOUND` when there is none, `STORE_NOT_A_FOLDER`, `STORE_DENIED`, `STORE_BAD_URL`, …
 *
 * @example
 * const store = await openStoreForReading('./checkpoints');
 * const record = await store.get('orders/log/00000000000000000007');
 */
export async function openStoreForReading(location: string): Promise<Store> {
  const parsed = parseLocation(location);
  if (parsed.kind === 's3') return openS3StoreForReading(parsed.location);
  if (parsed.kind === 'hdfs') return repeating(await openHdfsStoreForReading(parsed.location));
  return new ReadOnlyStore(parsed.kind === 'folder' ? await knownFolder(parsed.path) : knownMemory(parsed.name));
}
