import { dirname, join, resolve } from 'node:path';
import { StoreError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { type FolderParts, FolderStore } from './folder-store.ts';
import { errnoOf, fsError, quietly, told } from './fs-errors.ts';
import { STALE_TEMP_FILES_MAX, STALE_TEMP_MS } from './limits.ts';
import { allowNetworkFolder } from './location.ts';
import { TEMP_FOLDER } from './names.ts';
import { nodeFileSystem } from './node-file-system.adapter.ts';
import type { Store } from './store.ts';
import { TEMP_FILE_ENDING } from './temp-file.ts';
import { uniqueName } from './unique-name.ts';

export interface FolderOpenOptions {
  /**
   * Take a network file system (NFS, SMB, FUSE and their like) all the same. It keeps checkpoints as well as its server and its
   * mount options do: nobody can see from here whether an fsync reaches a disk, or whether two clients may link one name.
   */
  readonly allowNetwork?: boolean;
}

/**
 * Opens a folder as a store: makes it with its parents when it is not there, and proves that it can be written to, before
 * anything of value is.
 *
 * @throws `StoreError`: `STORE_NOT_A_FOLDER`, `STORE_DENIED`, `STORE_READ_ONLY`, `STORE_FULL`, `STORE_IO` (also for a file
 * system without hard links or without fsync of folders), `STORE_BUSY`, `STORE_UNSAFE` on a network file system.
 *
 * @example
 * const store = await openFolderStore('./checkpoints');
 * await store.putIfAbsent('orders/log/00000000000000000001', bytes); // 'stored'
 */
export function openFolderStore(path: string, options: FolderOpenOptions = {}): Promise<Store> {
  return openFolderStoreOn(path, { fileSystem: nodeFileSystem, uniqueName }, options);
}

/** `openFolderStore` on another file system: for tests and simulations. */
export async function openFolderStoreOn(
  path: string,
  parts: FolderParts,
  { allowNetwork = false }: FolderOpenOptions = {},
): Promise<FolderStore> {
  const root = resolve(path);
  const tempFolder = join(root, TEMP_FOLDER);
  await makeRoot(parts.fileSystem, root);
  if (!allowNetwork) await refuseNetwork(parts.fileSystem, root);
  await parts.fileSystem.makeFolder(tempFolder).catch((cause) => {
    if (errnoOf(cause) !== 'EEXIST') throw fsError('make a folder in', root, cause);
  });
  const nowMs = await probe(parts, tempFolder);
  await removeStale(parts.fileSystem, tempFolder, nowMs);
  return new FolderStore(root, parts);
}

async function refuseNetwork(fileSystem: FileSystem, root: string): Promise<void> {
  const kind = await told('look at', root, fileSystem.networkKind(root));
  if (kind === null) return;
  throw new StoreError(
    'fatal',
    'STORE_UNSAFE',
    `${root} is on a network file system (${kind}), which may lose what it says it has stored, or let two owners both win. Use a local folder, hdfs:// or s3://. To take it all the same: --allow-nfs, or ${allowNetworkFolder(root)} as the location.`,
  );
}

type Making = 'made' | 'there' | 'parent-missing';

/** Makes the root and its parents, each named on the disk before the next. */
async function makeRoot(fileSystem: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  let making = await makeFolder(fileSystem, path);
  if (making === 'parent-missing' && parent !== path) {
    await makeRoot(fileSystem, parent);
    making = await makeFolder(fileSystem, path);
  }
  if (making === 'parent-missing') throw fsError('make the folder', path, new Error('its parent is gone'));
  const synced = syncFolder(fileSystem, parent);
  // Whoever made a folder answers for its name; the parent of one that was there may not even be ours to open.
  await (making === 'there' ? quietly(synced) : synced);
}

async function makeFolder(fileSystem: FileSystem, path: string): Promise<Making> {
  try {
    await fileSystem.makeFolder(path);
    return 'made';
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return 'there';
    if (errnoOf(cause) === 'ENOENT') return 'parent-missing';
    throw fsError('make the folder', path, cause);
  }
}

async function syncFolder(fileSystem: FileSystem, path: string): Promise<void> {
  const opened = await told('open the folder', path, fileSystem.open(path));
  try {
    await told('fsync the folder', path, opened.sync());
  } finally {
    await quietly(opened.close());
  }
}

/**
 * Does in the temp folder everything that a put does, and sees that a taken name is refused.
 * Answers the time of the file system's own clock, which may differ from this machine's.
 */
async function probe(parts: FolderParts, tempFolder: string): Promise<number> {
  const { fileSystem } = parts;
  const first = join(tempFolder, parts.uniqueName() + TEMP_FILE_ENDING);
  const second = join(tempFolder, parts.uniqueName() + TEMP_FILE_ENDING);
  try {
    const nowMs = await writeProbe(fileSystem, first);
    await told('make a hard link', second, fileSystem.link(first, second));
    await refuseOverwritingLinks(fileSystem, first, second);
    await syncFolder(fileSystem, tempFolder);
    return nowMs;
  } finally {
    await quietly(fileSystem.unlink(first));
    await quietly(fileSystem.unlink(second));
  }
}

async function writeProbe(fileSystem: FileSystem, path: string): Promise<number> {
  const file = await told('create', path, fileSystem.create(path));
  try {
    await told('write', path, file.write(Uint8Array.of(1), 0));
    await told('fsync', path, file.sync());
    return (await told('look at', path, file.stat())).modifiedMs;
  } finally {
    await quietly(file.close());
  }
}

async function refuseOverwritingLinks(fileSystem: FileSystem, from: string, taken: string): Promise<void> {
  try {
    await fileSystem.link(from, taken);
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return;
    throw fsError('make a hard link', taken, cause);
  }
  throw new StoreError(
    'fatal',
    'STORE_IO',
    `The file system of ${taken} gives a taken name away again, so two owners could both win. Use a folder on a local file system.`,
  );
}

/**
 * Removes temp files that dead processes left. Safe even when one is wrong: a put whose temp file is gone cannot publish and
 * rejects. Best effort: what fails here is of no consequence and is tried again by the next opening.
 */
async function removeStale(fileSystem: FileSystem, tempFolder: string, nowMs: number): Promise<void> {
  const entries = await fileSystem.readFolder(tempFolder).catch(() => []);
  const ours = entries.filter((entry) => entry.kind === 'file' && entry.name.endsWith(TEMP_FILE_ENDING));
  for (const { name } of ours.slice(0, STALE_TEMP_FILES_MAX)) {
    const path = join(tempFolder, name);
    const modifiedMs = await fileSystem.stat(path).then(
      (facts) => facts.modifiedMs,
      () => nowMs,
    );
    if (nowMs - modifiedMs > STALE_TEMP_MS) await quietly(fileSystem.unlink(path));
  }
}
