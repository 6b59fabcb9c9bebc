import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Whether this module is what Node was started with; a link to it counts. */
export function isProgram(meta: ImportMeta): boolean {
  const started = process.argv[1];
  return started !== undefined && withoutExtension(fileURLToPath(meta.url)) === withoutExtension(realPath(started));
}

function withoutExtension(path: string): string {
  return path.replace(/\.[cm]?[jt]s$/, '');
}

/** Node names a module by its real path, and the program as it was typed. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
