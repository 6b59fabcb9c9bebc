import { resolve } from 'node:path';
import { systemClock } from './clock.adapter.ts';
import { StoreError } from './errors.ts';
import type { FileFacts } from './file-system.ts';
import { FolderStore } from './folder-store.ts';
import { errnoOf, fsError } from './fs-errors.ts';
import { openHdfsStore } from './hdfs/open-hdfs-store.ts';
import { parseLocation } from './location.ts';
import { MemoryStore } from './memory-store.ts';
import { nodeFileSystem } from './node-file-system.adapter.ts';
import { openFolderStore } from './open-folder-store.ts';
import { Repeater } from './repeater.ts';
import { RetryingStore } from './retrying-store.ts';
import { openS3Store } from './s3/open-s3-store.ts';
import type { Store } from './store.ts';
import { TimedStore } from './timed-store.ts';
import { uniqueName } from './unique-name.ts';

/** Stores in memory by name: every opener of a name in this thread gets the same one, also after it was closed. */
const memoryStores = new Map<string, MemoryStore>();

/**
 * Opens the store at a location in this thread, whatever its kind.
 *
 * @throws as `openStore`
 */
export async function openStoreHere(location: string): Promise<Store> {
  const parsed = parseLocation(location);
  if (parsed.kind === 's3') return openS3Store(parsed.location);
  if (parsed.kind === 'hdfs') return repeating(await openHdfsStore(parsed.location));
  if (parsed.kind === 'memory') return openMemoryStore(parsed.name);
  const { path, allowNetwork } = parsed;
  return new TimedStore(await openFolderStore(path, { allowNetwork }), systemClock);
}

/** With calls that are made again when nothing was done: the stores in HDFS repeat only what their protocol asks for. */
export function repeating(store: Store): Store {
  return new RetryingStore(store, new Repeater(systemClock));
}

function openMemoryStore(name: string): Store {
  const store = memoryStores.get(name) ?? new MemoryStore(name);
  memoryStores.set(name, store);
  return store;
}

export async function knownFolder(path: string): Promise<Store> {
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

export function knownMemory(name: string): Store {
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
