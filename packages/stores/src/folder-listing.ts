import { join } from 'node:path';
import type { EntryKind, FileSystem, FolderEntry } from './file-system.ts';
import { errnoOf, fsError, told } from './fs-errors.ts';
import { isNameSegment, TEMP_FOLDER } from './names.ts';

/**
 * All names under `root` that start with `prefix`, in no order.
 *
 * A folder that is not there holds nothing; any other failure rejects (S5). Symbolic links are followed, because a folder that
 * somebody moved to another disk must not look empty; one that leads nowhere rejects. What can be no object's name
 * (`lost+found`, `.DS_Store`) is skipped.
 */
export async function listFolder(fileSystem: FileSystem, root: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = join(root, folder);
    for (const entry of await entriesOf(fileSystem, path)) {
      const name = folder + entry.name;
      if (!name.startsWith(prefix) || !isNameSegment(entry.name) || name === TEMP_FOLDER) continue;
      const kind = await kindOf(fileSystem, join(path, entry.name), entry);
      if (kind === 'folder') folders.push(`${name}/`);
      if (kind === 'file') names.push(name);
    }
  }
  return names;
}

async function entriesOf(fileSystem: FileSystem, path: string): Promise<readonly FolderEntry[]> {
  try {
    return await fileSystem.readFolder(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw fsError('list', path, cause);
  }
}

async function kindOf(fileSystem: FileSystem, path: string, entry: FolderEntry): Promise<EntryKind> {
  if (entry.kind !== 'link') return entry.kind;
  return (await told('follow the link', path, fileSystem.stat(path))).kind;
}
