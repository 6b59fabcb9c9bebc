import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StoreError } from './errors.ts';
import { processEnvironment } from './hdfs/environment.adapter.ts';
import { HDFS_SCHEMES, parseHdfsLocation } from './hdfs/hdfs-location.ts';
import { isNameSegment } from './names.ts';
import { parseS3Location } from './s3/s3-location.ts';
import { withoutSecrets } from './without-secrets.ts';

/** Where a store is, as the text that a user wrote means it. */
export type Location =
  | { readonly kind: 'folder'; readonly path: string; readonly allowNetwork: boolean }
  | { readonly kind: 'memory'; readonly name: string }
  | { readonly kind: 'hdfs'; readonly location: string }
  | { readonly kind: 's3'; readonly location: string };

/** Two characters at least, so that `C:\data` is a path. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;

/** Reads a location. Throws `STORE_BAD_URL` or `STORE_INSECURE`; no text of it ever shows a secret. */
export function parseLocation(location: string): Location {
  const [, scheme, rest] = SCHEME.exec(location) ?? [];
  if (scheme === undefined || rest === undefined) return folder(location, location);
  const kind = scheme.toLowerCase();
  if (kind === 'file') return fileUrl(location, rest);
  if (kind === 'memory') return memory(location, rest);
  if (kind === 's3') return { kind, location: parseS3Location(location).location };
  if (HDFS_SCHEMES.has(kind)) return hdfs(location);
  throw badUrl(location, `"${kind}:" is no kind of store.`);
}

function folder(location: string, path: string): Location & { readonly kind: 'folder' } {
  if (path.trim() === '') throw badUrl(location, 'It is empty.');
  if (path.includes('\0')) throw badUrl(location, 'A path holds no NUL character.');
  return { kind: 'folder', path: resolve(path), allowNetwork: false };
}

/** The same folder, also where it is on a network file system; other locations stay as they are. */
export function allowNetworkFolder(location: string): string {
  const parsed = parseLocation(location);
  return parsed.kind === 'folder' ? `${pathToFileURL(parsed.path).href}${ALLOW_NETWORK}` : location;
}

/** The one parameter that a folder has. */
const ALLOW_NETWORK = '?allow-nfs=true';

function fileUrl(location: string, rest: string): Location {
  if (!rest.endsWith(ALLOW_NETWORK)) return folder(location, fileUrlPath(location, rest));
  const plain = location.slice(0, -ALLOW_NETWORK.length);
  return { ...folder(location, fileUrlPath(plain, rest.slice(0, -ALLOW_NETWORK.length))), allowNetwork: true };
}

/** `file:data` and `file:./data` mean `/data` to the URL standard, which nobody means: refused. */
function fileUrlPath(location: string, rest: string): string {
  if (!rest.startsWith('/'))
    throw badUrl(location, 'A file: URL needs an absolute path; write a relative one without "file:".');
  if (/[?#]/.test(rest))
    throw badUrl(
      location,
      'A file: URL has no query or fragment here but ?allow-nfs=true; write ? and # in a name as %3F and %23.',
    );
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

/** Looked at here, so that a mistake is told before anything is begun; the thread that opens the store reads it for itself. */
function hdfs(location: string): Location {
  parseHdfsLocation(location, processEnvironment());
  return { kind: 'hdfs', location };
}

function badUrl(location: string, why: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_BAD_URL',
    `"${withoutSecrets(location)}" is no location of a store. ${why} Expected a folder (./checkpoints, file:///var/checkpoints), ` +
      'hdfs://HOST/FOLDER, s3://BUCKET/PREFIX or memory:NAME; a folder with ":" in its name is written with "./" before it.',
  );
}
