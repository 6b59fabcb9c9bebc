import { parseLocation } from './location.ts';
import { MemoryStore } from './memory-store.ts';
import { openFolderStore } from './open-folder-store.ts';
import type { Store } from './store.ts';

/** Stores in memory by name: every opener of a name in this thread gets the same one, also after it was closed. */
const memoryStores = new Map<string, MemoryStore>();

/**
 * Opens the store at a location: a folder (`./checkpoints`, relative to the current folder, or `file:///var/checkpoints`) or
 * `memory:NAME`. A folder is made when it is not there.
 *
 * @throws `StoreError`: `STORE_BAD_URL`, `STORE_NOT_INSTALLED` (HDFS and S3), and for a folder those of `openFolderStore`.
 *
 * @example
 * const store = await openStore('./checkpoints');
 * const names = await store.list('orders/log/');
 */
export async function openStore(location: string): Promise<Store> {
  const parsed = parseLocation(location);
  return parsed.kind === 'folder' ? openFolderStore(parsed.path) : openMemoryStore(parsed.name);
}

function openMemoryStore(name: string): Store {
  const store = memoryStores.get(name) ?? new MemoryStore(name);
  memoryStores.set(name, store);
  return store;
}
