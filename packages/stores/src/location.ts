import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StoreError } from './errors.ts';
import { isNameSegment } from './names.ts';

/** Where a store is, as the text that a user wrote means it. */
export type Location =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'memory'; readonly name: string }
  | { readonly kind: 'hdfs'; readonly location: string };

/** Two characters at least, so that `C:\data` is a path. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;
const HDFS = new Set(['hdfs', 'webhdfs', 'swebhdfs']);
const COMING = new Set(['s3']);

/** Reads a location. Throws `STORE_BAD_URL` or `STORE_NOT_INSTALLED`; no text of it ever shows a secret. */
export function parseLocation(location: string): Location {
  const [, scheme, rest] = SCHEME.exec(location) ?? [];
  if (scheme === undefined || rest === undefined) return folder(location, location);
  const kind = scheme.toLowerCase();
  if (kind === 'file') return folder(location, fileUrlPath(location, rest));
  if (kind === 'memory') return memory(location, rest);
  if (HDFS.has(kind)) return { kind: 'hdfs', location };
  if (COMING.has(kind)) throw notInstalled(location, kind);
  throw badUrl(location, `"${kind}:" is no kind of store.`);
}

/** The location without anything that could be a user, a password, a token or a signature. */
export function withoutSecrets(location: string): string {
  const [, scheme, rest] = SCHEME.exec(location) ?? [];
  if (scheme === undefined || rest === undefined) return location;
  // An unescaped password may hold any character, so everything up to the last @ goes.
  const shown = rest.replace(/^(\/*).*@/s, '$1***@').replace(/[?#].*$/s, '?***');
  return `${scheme}:${shown}`;
}

function folder(location: string, path: string): Location {
  if (path.trim() === '') throw badUrl(location, 'It is empty.');
  if (path.includes('\0')) throw badUrl(location, 'A path holds no NUL character.');
  return { kind: 'folder', path: resolve(path) };
}

/** `file:data` and `file:./data` mean `/data` to the URL standard, which nobody means: refused. */
function fileUrlPath(location: string, rest: string): string {
  if (!rest.startsWith('/'))
    throw badUrl(location, 'A file: URL needs an absolute path; write a relative one without "file:".');
  if (/[?#]/.test(rest))
    throw badUrl(location, 'A file: URL has no query or fragment here; write ? and # as %3F and %23.');
  try {
    return fileURLToPath(location);
  } catch {
    throw badUrl(location, 'A file: URL names no other machine and holds no escaped slash.');
  }
}

function memory(location: string, name: string): Location {
  if (!isNameSegment(name)) throw badUrl(location, 'After "memory:" comes a name of letters, digits, ".", "_" or "-".');
  return { kind: 'memory', name };
}

function notInstalled(location: string, kind: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_NOT_INSTALLED',
    `${withoutSecrets(location)} cannot be opened: ${kind}:// comes with its store package, which this version does not have yet. ` +
      'Use a folder, for example ./checkpoints.',
  );
}

function badUrl(location: string, why: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_BAD_URL',
    `"${withoutSecrets(location)}" is no location of a store. ${why} Expected a folder (./checkpoints, file:///var/checkpoints) or ` +
      'memory:NAME; a folder with ":" in its name is written with "./" before it.',
  );
}
