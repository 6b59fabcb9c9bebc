import { StoreError, type StoreErrorCode, type StoreErrorKind } from './errors.ts';

/** What an errno means to a store, and what a person should do. */
interface Meaning {
  readonly kind: StoreErrorKind;
  readonly code: StoreErrorCode;
  readonly says: string;
  readonly advice: string;
}

const FULL: Meaning = {
  kind: 'retry',
  code: 'STORE_FULL',
  says: 'the disk or the quota is full',
  advice: 'Free space, keep fewer checkpoints or use a folder on another disk.',
};
const DENIED: Meaning = {
  kind: 'denied',
  code: 'STORE_DENIED',
  says: 'this user may not do that here',
  advice:
    'Give this user the right to read and write the folder, or use another folder (hard links must be allowed in it).',
};
const BUSY: Meaning = {
  kind: 'retry',
  code: 'STORE_BUSY',
  says: 'the system has no file handle or other resource left',
  advice: 'Repeat later; if it stays so, raise `ulimit -n`.',
};
const INPUT_OUTPUT: Meaning = {
  kind: 'retry',
  code: 'STORE_IO',
  says: 'the file system failed',
  advice: 'Look for disk errors in the system log; if it stays so, use a folder on another disk.',
};
const NO_HARD_LINKS: Meaning = {
  kind: 'fatal',
  code: 'STORE_IO',
  says: 'this file system cannot do that',
  advice: 'A store needs hard links and fsync: use a folder on a local file system such as ext4, XFS, Btrfs or APFS.',
};

const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EACCES', DENIED],
  ['EPERM', DENIED],
  ['EMFILE', BUSY],
  ['ENFILE', BUSY],
  ['ENOMEM', BUSY],
  ['EAGAIN', BUSY],
  ['EBUSY', BUSY],
  ['ENOSYS', NO_HARD_LINKS],
  ['ENOTSUP', NO_HARD_LINKS],
  ['EOPNOTSUPP', NO_HARD_LINKS],
  [
    'EROFS',
    {
      kind: 'denied',
      code: 'STORE_READ_ONLY',
      says: 'the file system is read-only',
      advice: 'Mount it for writing or use another folder; a disk with errors is often made read-only by the system.',
    },
  ],
  [
    'ENOTDIR',
    {
      kind: 'fatal',
      code: 'STORE_NOT_A_FOLDER',
      says: 'a part of this path is a file, not a folder',
      advice: 'Move that file away or use another folder.',
    },
  ],
  [
    'ENOENT',
    {
      kind: 'retry',
      code: 'STORE_IO',
      says: 'a folder or temp file on this path is gone',
      advice: 'Let nobody else clean up inside the folder while it is in use; see that its disk is still mounted.',
    },
  ],
  [
    'EXDEV',
    {
      kind: 'fatal',
      code: 'STORE_IO',
      says: 'the folder and its tmp/ lie on different disks',
      advice: 'Keep the whole folder on one file system: link or mount the folder itself, not one inside it.',
    },
  ],
  [
    'EISDIR',
    {
      kind: 'fatal',
      code: 'STORE_BAD_NAME',
      says: 'a folder has this name',
      advice: 'Use a name that is not the beginning of others.',
    },
  ],
  [
    'ENAMETOOLONG',
    {
      kind: 'fatal',
      code: 'STORE_BAD_NAME',
      says: 'the path is too long',
      advice: 'Use a folder with a shorter path.',
    },
  ],
]);

/** The errno name of an error that Node made for a system call, such as `ENOSPC`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error to give a caller when `doing` something to `path` failed with `cause`; nothing was published. */
export function fsError(doing: string, path: string, cause: unknown): StoreError {
  const errno = errnoOf(cause);
  const { kind, code, says, advice } = MEANINGS.get(errno ?? '') ?? INPUT_OUTPUT;
  return new StoreError(kind, code, `Could not ${doing} ${path}: ${says} (${errno ?? String(cause)}). ${advice}`, {
    cause,
  });
}

/** Awaits a system call and gives its failure as a `StoreError`. */
export async function told<T>(doing: string, path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw fsError(doing, path, cause);
  }
}

/** Awaits a call whose failure changes nothing for anybody: closing after the last use, removing a temp file. */
export async function quietly(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch {
    // A temp file that stays is removed by a later opening; a handle that cannot be closed cannot be helped.
  }
}
