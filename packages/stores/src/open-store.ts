import { resolve } from 'node:path';
import { StoreError } from './errors.ts';
import type { FileFacts } from './file-system.ts';
import { FolderStore } from './folder-store.ts';
import { errnoOf, fsError } from './fs-errors.ts';
import { openHdfsStore, openHdfsStoreForReading } from './hdfs/open-hdfs-store.ts';
import { parseLocation } from './location.ts';
import { MemoryStore } from './memory-store.ts';
import { nodeFileSystem } from './node-file-system.adapter.ts';
import { openFolderStore } from './open-folder-store.ts';
import { ReadOnlyStore } from './read-only-store.ts';
import type { Store } from './store.ts';
import { uniqueName } from './unique-name.ts';

/** Stores in memory by name: every opener of a name in this thread gets the same one, also after it was closed. */
const memoryStores = new Map<string, MemoryStore>();

/**
 * Opens the store at a location: a folder (`./checkpoints`, relative to the current folder, or `file:///var/checkpoints`),
 * `memory:NAME` or a folder of an HDFS (`hdfs://HOST/FOLDER`, see `openHdfsStore`). A folder is made when it is not there.
 *
 * @throws `StoreError`: `STORE_BAD_URL`, `STORE_NOT_INSTALLED`, and those of `openFolderStore` and `openHdfsStore`.
 *
 * @example
 * const store = await openStore('./checkpoints');
 * const names = await store.list('orders/log/');
 */
export async function openStore(location: string): Promise<Store> {
  const parsed = parseLocation(location);
  if (parsed.kind === 'hdfs') return openHdfsStore(parsed.location);
  return parsed.kind === 'folder' ? openFolderStore(parsed.path) : openMemoryStore(parsed.name);
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
  if (parsed.kind === 'hdfs') return openHdfsStoreForReading(parsed.location);
  return new ReadOnlyStore(parsed.kind === 'folder' ? await knownFolder(parsed.path) : knownMemory(parsed.name));
}

function openMemoryStore(name: string): Store {
  const store = memoryStores.get(name) ?? new MemoryStore(name);
  memoryStores.set(name, store);
  return store;
}

async function knownFolder(path: string): Promise<Store> {
  const root = resolve(path);
  let facts: FileFacts;
  try {
    facts = await nodeFileSystem.stat(root);
  } catch (cause) {
    throw errnoOf(cause) === 'ENOENT' ? notFound(root) : fsError('look at', root, cause);
  }
  if (facts.kind === 'folder') return new FolderStore(root, { fileSystem: nodeFileSystem, uniqueName });
  throw new StoreError(
    'fatal',
    'STORE_NOT_A_FOLDER',
    `${root} is a file, not a folder. Give the folder that was given to --store when the job ran.`,
  );
}

function knownMemory(name: string): Store {
  const store = memoryStores.get(name);
  if (store === undefined) throw notFound(`memory:${name}`);
  return store;
}

function notFound(place: string): StoreError {
  return new StoreError(
    'absent',
    'STORE_NOT_FOUND',
    `There is no store at ${place}, and looking makes none. Give the folder that was given to --store when the job ran.`,
  );
}
