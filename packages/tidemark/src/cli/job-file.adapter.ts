import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export type JobFile = { readonly url: URL } | { readonly error: string };

/** Finds the job's module, a path or a `file:` URL, without loading it. */
export function findJobFile(file: string): JobFile {
  const path = file.startsWith('file://') ? fileURLToPath(file) : resolve(file);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined)
    return { error: `${file}: there is no such file (looked for ${path}, in ${process.cwd()}). ${advice(file, path)}` };
  if (stats.isDirectory()) return { error: `${file}: this is a folder (${path}). Give the file that holds the job.` };
  return { url: pathToFileURL(path) };
}

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'] as const;

function advice(file: string, path: string): string {
  const stem = path.replace(/\.[mc]?[jt]s$/, '');
  const near = EXTENSIONS.find((extension) => existsSync(stem + extension));
  if (near === undefined) return 'Give the path of the file that holds the job.';
  return `Did you mean ${file.replace(/\.[mc]?[jt]s$/, '')}${near}?`;
}
