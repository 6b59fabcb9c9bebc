import { StoreError } from '../errors.ts';
import type { CallLimit } from './call-limit.adapter.ts';
import { DataNodeUnreachable } from './data-node.adapter.ts';
import type { FileStatus, HdfsClient, Overwriting, Renaming } from './hdfs-client.ts';
import { HdfsError } from './hdfs-errors.ts';
import { ABORTED_MS, CALL_MS, WRITES_MAX } from './hdfs-limits.ts';
import type { TempFiles } from './temp-files.ts';

/** A whole file under a name that nobody else knows. */
interface TempFile {
  readonly path: string;
  readonly fileId: number | undefined;
}

/**
 * Publishes objects: the order of calls that makes one seen whole or not at all.
 *
 *   CREATE tmp/<unique> (overwrite=false, SYNC_BLOCK) · GETFILESTATUS: is the length ours? · **RENAME** (renameoptions=NONE or OVERWRITE)
 *
 * A file under the name itself would be visible while it is written, and torn for good when its writer dies: a data node closes the
 * file of a lost connection as if it were complete. RENAME is one entry in the name node's journal, and synced before it answers.
 *
 * When the answer to RENAME is lost, or says no, what became of it is settled and never guessed:
 * - A file keeps its number (`fileId`) through a rename, and no number is given twice. If the object has the number of our temp file, it
 *   is ours. Before that counts as stored, an entry of our own in the journal is waited for, as a name node shows a rename
 *   to others before it is on the disk and writes its entries in order.
 * - Otherwise the temp file is deleted. If there was one, our rename did not happen, and cannot happen any more even if it still waits
 *   somewhere: only then is the answer "taken", or an error that says that nothing was done.
 * - If neither shows it in time, the outcome is unknown (kind `lost`).
 */
export class Commit {
  readonly #client: HdfsClient;
  readonly #temps: TempFiles;

  constructor(client: HdfsClient, temps: TempFiles) {
    this.#client = client;
    this.#temps = temps;
  }

  /** `makeFolder` makes the object's folder again when it is gone. */
  async publish(
    path: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    overwriting: Overwriting,
    limit: CallLimit,
    makeFolder: (limit: CallLimit) => Promise<void>,
  ): Promise<'stored' | 'taken'> {
    const temp = await this.#write(path, body, limit);
    // From here on the caller's signal only shortens the time: a rename that was sent must be seen through.
    const own = limit.unaborted(CALL_MS, ABORTED_MS);
    try {
      limit.refuseEnded('publish', path);
      const renaming = await this.#rename(temp, path, overwriting, own, makeFolder);
      if (renaming === 'done') return 'stored';
      return await this.#settle(temp, path, overwriting, renaming, own);
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'lost') this.#temps.discard(temp.path);
      throw error;
    } finally {
      own.end();
    }
  }

  /** Each try has a name of its own: the file of an earlier one may still be open, or come to life later. */
  async #write(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, limit: CallLimit): Promise<TempFile> {
    for (let written = 1; ; written++) {
      const temp = this.#temps.newPath();
      try {
        const length = await this.#client.create(temp, body, limit);
        const status = await this.#client.status(temp, limit);
        if (status?.length !== length) throw wrongLength(path, length, status);
        return { path: temp, fileId: status.fileId };
      } catch (error) {
        this.#temps.discard(temp);
        const isRepeatable = body instanceof Uint8Array && written < WRITES_MAX && limit.ending === undefined;
        if (!isRepeatable || !isPassing(error)) throw error;
      }
    }
  }

  async #rename(
    temp: TempFile,
    path: string,
    overwriting: Overwriting,
    limit: CallLimit,
    makeFolder: (limit: CallLimit) => Promise<void>,
  ): Promise<Renaming> {
    const renaming = await this.#client.rename(temp.path, path, overwriting, limit);
    // Either the temp file or the object's folder is gone. With the temp file still there, the folder is, and nothing was done.
    if (renaming === 'done' || !('refusal' in renaming) || renaming.refusal.exception !== 'FileNotFoundException')
      return renaming;
    if ((await this.#client.status(temp.path, limit).catch(() => undefined)) === undefined) return renaming;
    await makeFolder(limit);
    return this.#client.rename(temp.path, path, overwriting, limit);
  }

  async #settle(
    temp: TempFile,
    path: string,
    overwriting: Overwriting,
    renaming: Exclude<Renaming, 'done'>,
    limit: CallLimit,
  ): Promise<'stored' | 'taken'> {
    const reason = 'refusal' in renaming ? renaming.refusal : renaming.doubt;
    try {
      const found = await this.#client.status(path, limit, 'persist');
      if (isOurs(found, temp)) return await this.#journaled(limit);
      if (!(await this.#client.delete(temp.path, limit, 'persist'))) {
        // It was renamed in between, or an answer to deleting it was lost.
        if (isOurs(await this.#client.status(path, limit, 'persist'), temp)) return await this.#journaled(limit);
        throw outcomeUnknown(path, reason);
      }
      if (found?.kind === 'folder') throw folderInPlace(path);
      if (found !== undefined && overwriting === 'NONE') return 'taken';
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'STORE_BAD_NAME' || error.kind === 'lost')) throw error;
      throw 'refusal' in renaming && reason.kind === 'denied' ? reason : outcomeUnknown(path, error);
    }
    throw nothingDone(path, reason);
  }

  /** Waits until an entry of our own, behind that of the rename, is in the journal. */
  async #journaled(limit: CallLimit): Promise<'stored'> {
    const mark = this.#temps.newPath();
    await this.#client.makeFolder(mark, limit);
    this.#temps.discard(mark);
    return 'stored';
  }
}

function isOurs(found: FileStatus | undefined, temp: TempFile): boolean {
  return found?.kind === 'file' && found.fileId !== undefined && found.fileId === temp.fileId;
}

/** Whether a file under a new name, perhaps on another data node, may go well. Those that cannot be reached were tried already. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof HdfsError &&
    !(error instanceof DataNodeUnreachable) &&
    error.kind === 'retry' &&
    !error.isElsewhere &&
    ['STORE_UNREACHABLE', 'STORE_TIMEOUT', 'STORE_IO', 'STORE_BUSY'].includes(error.code)
  );
}

function wrongLength(path: string, expected: number, status: FileStatus | undefined): HdfsError {
  return new HdfsError(
    'retry',
    'STORE_IO',
    `Could not store ${path}: ${expected} bytes were acknowledged, and ${status?.length ?? 'none'} are there. Nothing was published. ` +
      "Repeat later; look at the data nodes' logs if it stays so.",
  );
}

function folderInPlace(path: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_BAD_NAME',
    `${path} is a folder, so no object can have this name. Use another name.`,
  );
}

/** The temp file is deleted, so the rename did not happen and never will. */
function nothingDone(path: string, reason: HdfsError): StoreError {
  const isRetry = reason.kind === 'absent' || reason.code === 'STORE_NAME_TAKEN';
  return new HdfsError(
    isRetry ? 'retry' : reason.kind,
    isRetry ? 'STORE_IO' : reason.code,
    `${path} was not stored. ${reason.message}`,
    { cause: reason },
  );
}

function outcomeUnknown(path: string, because: unknown): StoreError {
  const { message } = because instanceof Error ? because : new Error(String(because));
  return new StoreError(
    'lost',
    'STORE_OUTCOME_UNKNOWN',
    `Whether ${path} is stored is not known. ${message} Read it back and compare.`,
    { cause: because },
  );
}
