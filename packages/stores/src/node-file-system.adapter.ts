import type { Dirent, Stats } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { networkKindOf } from './network-kind.ts';
import type { EntryKind, FileFacts, FileSystem, OpenFile } from './file-system.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Most bytes in one call: systems and Node stop at 2 GiB less a bit. The callers ask again for the rest. */
const CALL_BYTES_MAX = 2 ** 30;

/** The operating system's files: the one place of this package that touches `node:fs`. */
export const nodeFileSystem: FileSystem = {
  create: async (path) => openFile(await open(path, 'wx', FILE_MODE)),
  open: async (path) => openFile(await open(path, 'r')),
  makeFolder: (path) => mkdir(path, FOLDER_MODE),
  readFolder: async (path) => {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  },
  stat: async (path) => factsOf(await stat(path)),
  link,
  rename,
  unlink,
  networkKind: async (path) => (process.platform === 'linux' ? networkKindOf((await statfs(path)).type) : null),
};

function openFile(handle: FileHandle): OpenFile {
  return {
    write: async (bytes, offset) => (await handle.write(bytes, offset, callBytes(bytes, offset))).bytesWritten,
    read: async (into, offset, position) =>
      (await handle.read(into, offset, callBytes(into, offset), position)).bytesRead,
    sync: () => handle.sync(),
    stat: async () => factsOf(await handle.stat()),
    close: () => handle.close(),
  };
}

function callBytes(bytes: Uint8Array, offset: number): number {
  return Math.min(bytes.length - offset, CALL_BYTES_MAX);
}

function kindOf(entry: Dirent | Stats): EntryKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function factsOf(stats: Stats): FileFacts {
  return { kind: kindOf(stats), sizeBytes: stats.size, linkCount: stats.nlink, modifiedMs: stats.mtimeMs };
}
