import { existsSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import type { FileAccess } from './file-access.ts';

/** The files of this machine. */
export const nodeFiles: FileAccess = {
  open: (path) => open(path, 'r'),
  stat,
  names: (folder) => readdir(folder),
  exists: existsSync,
};
