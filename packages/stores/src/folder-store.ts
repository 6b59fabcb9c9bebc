import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { absent, checkRange, nameTaken, refuseAborted, refuseTooLarge } from './answers.ts';
import { StoreError } from './errors.ts';
import type { FileFacts, FileSystem, OpenFile } from './file-system.ts';
import { listFolder } from './folder-listing.ts';
import { errnoOf, fsError, quietly, told } from './fs-errors.ts';
import { checkName, checkPrefix, TEMP_FOLDER } from './names.ts';
import { SyncedFolders } from './synced-folders.ts';
import type { CallOptions, GetOptions, ListOptions, Store } from './store.ts';
import { TEMP_FILE_ENDING, writeTempFile } from './temp-file.ts';

/** What a folder store is given from outside. */
export interface FolderParts {
  readonly fileSystem: FileSystem;
  readonly uniqueName: () => string;
}

/** What became of an attempt to give a temp file its name; `doubt` is the error that left it open. */
type Placing = 'stored' | 'taken' | { readonly doubt: unknown };

/**
 * A store in a folder of a local file system. Objects are files of the same relative path.
 *
 * It owns the order of the calls that publish an object:
 *   open its folder · create tmp/<unique> · write · fsync · close · **link** (or rename) · unlink the temp name · fsync the folder
 * It does not own which folders are there (`SyncedFolders`) nor the calls themselves (`FileSystem`). It holds no handle
 * and no lock between calls, so any number of processes may use one folder.
 *
 * Invariants (S1 to S5 are those of `Store`):
 * - S1 Bytes are written only under the temp folder, which is never listed; a name is given by one atomic call to a file
 *   that is already whole and on the disk.
 * - S2 A put resolves only after an fsync of the file and of every folder that names it. Deleting is not synced: a
 *   deleted object may be back after a power cut, so collecting garbage must be repeatable.
 * - S3 `link` refuses a taken name inside the file system. A link that reported a failure is settled by the link count of
 *   the temp file, which no one else knows.
 * - S5 Only `ENOENT` (or a folder in the object's place) is "absent"; only a missing folder is an empty listing.
 * - D1, D2 of `SyncedFolders`. Once an object is visible only the fsync of its folder can still fail; then the call rejects
 *   with kind `lost` and reading back rejects too, so that nobody takes the visible object for a durable one.
 */
export class FolderStore implements Store {
  readonly url: string;
  readonly supports = { durable: true, sharedPutIfAbsent: true } as const;
  readonly #root: string;
  readonly #fileSystem: FileSystem;
  readonly #uniqueName: () => string;
  readonly #folders: SyncedFolders;

  /** The root must be there: `openFolderStore` makes it. */
  constructor(root: string, parts: FolderParts) {
    this.url = pathToFileURL(root).href;
    this.#root = root;
    this.#fileSystem = parts.fileSystem;
    this.#uniqueName = parts.uniqueName;
    this.#folders = new SyncedFolders(parts.fileSystem, root);
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    const outcome = await this.#publish(name, body, options, (temp, path) => this.#linkNew(temp, path));
    if (outcome === 'taken') throw nameTaken(name, this.url);
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    return this.#publish(name, bytes, options, (temp, path) => this.#linkNew(temp, path));
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#publish(name, bytes, options, (temp, path) => this.#renameOver(temp, path));
  }

  async get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length = Number.MAX_SAFE_INTEGER } = options;
    checkRange(offset, length);
    return this.#looking(name, options, async (file, path, { sizeBytes }) => {
      const start = Math.min(offset, sizeBytes);
      const size = Math.min(length, sizeBytes - start);
      refuseTooLarge(size, options.bytesMax, name, this.url);
      return readRange(file, path, start, size);
    });
  }

  storedAt(name: string, options: CallOptions = {}): Promise<number> {
    return this.#looking(name, options, async (_file, _path, { modifiedMs }) => modifiedMs);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    checkPrefix(prefix);
    refuseAborted(options.signal, prefix);
    const { after = '' } = options;
    const names = await listFolder(this.#fileSystem, this.#root, prefix);
    // Names are ASCII, so the order of code units is the order of bytes.
    return names.filter((name) => name > after).sort();
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    const path = this.#admit(name, options);
    await this.#fileSystem.unlink(path).catch((cause) => {
      if (errnoOf(cause) !== 'ENOENT' && errnoOf(cause) !== 'EISDIR') throw fsError('delete', path, cause);
    });
  }

  async close(): Promise<void> {
    // No call leaves anything open.
  }

  /** Opens an object for as long as `look` takes. */
  async #looking<T>(
    name: string,
    options: CallOptions,
    look: (file: OpenFile, path: string, facts: FileFacts) => Promise<T>,
  ): Promise<T> {
    const path = this.#admit(name, options);
    this.#folders.refuseBroken(dirname(name));
    const file = await this.#openObject(name, path);
    try {
      const facts = await told('look at', path, file.stat());
      if (facts.kind === 'folder') throw absent(name, this.url);
      return await look(file, path, facts);
    } finally {
      await quietly(file.close());
    }
  }

  #admit(name: string, options: CallOptions): string {
    checkName(name);
    refuseAborted(options.signal, name);
    return join(this.#root, name);
  }

  /** Writes a temp file and lets `place` give it its name; see the class for the order and for what may fail when. */
  async #publish(
    name: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions,
    place: (temp: string, path: string) => Promise<Placing>,
  ): Promise<'stored' | 'taken'> {
    const path = this.#admit(name, options);
    const folder = dirname(name);
    const temp = join(this.#root, TEMP_FOLDER, this.#uniqueName() + TEMP_FILE_ENDING);
    try {
      await this.#folders.ensure(TEMP_FOLDER);
      await this.#folders.ensure(folder);
      const opened = await this.#folders.open(folder);
      try {
        const placing = await this.#place(temp, body, { name, signal: options.signal }, () => place(temp, path));
        if (placing === 'taken') return 'taken';
        await this.#settle(path, placing, this.#folders.sync(folder, opened));
        return 'stored';
      } finally {
        await quietly(opened.close());
      }
    } catch (error) {
      if (error instanceof StoreError && errnoOf(error.cause) === 'ENOENT') this.#folders.forget();
      throw error;
    }
  }

  async #place(
    temp: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly name: string; readonly signal: AbortSignal | undefined },
    place: () => Promise<Placing>,
  ): Promise<Placing> {
    try {
      await writeTempFile(this.#fileSystem, temp, body, options);
      refuseAborted(options.signal, options.name);
      return await place();
    } finally {
      await quietly(this.#fileSystem.unlink(temp));
    }
  }

  /** The object may be visible: from here on every failure is `lost`. Synced also in doubt: a read back may find it there. */
  async #settle(path: string, placing: 'stored' | { readonly doubt: unknown }, synced: Promise<void>): Promise<void> {
    try {
      await synced;
    } catch (error) {
      throw outcomeUnknown(path, error);
    }
    if (placing !== 'stored') throw outcomeUnknown(path, fsError('publish', path, placing.doubt));
  }

  /** Gives the temp file a second name, unless it is taken. */
  async #linkNew(temp: string, path: string): Promise<Placing> {
    try {
      await this.#fileSystem.link(temp, path);
      return 'stored';
    } catch (cause) {
      // On a network the reply may be lost and the repeated request finds our own link: only the count tells.
      const linkCount = await this.#linkCount(temp);
      if (linkCount === undefined) return { doubt: cause };
      if (linkCount > 1) return 'stored';
      if (errnoOf(cause) !== 'EEXIST') throw fsError('publish', path, cause);
      await this.#refuseFolder(path);
      return 'taken';
    }
  }

  async #renameOver(temp: string, path: string): Promise<Placing> {
    await told('replace', path, this.#fileSystem.rename(temp, path));
    return 'stored';
  }

  async #linkCount(temp: string): Promise<number | undefined> {
    try {
      return (await this.#fileSystem.stat(temp)).linkCount;
    } catch {
      return undefined;
    }
  }

  /** A folder in the object's place must not look like a rival's object: no one could ever read that back. */
  async #refuseFolder(path: string): Promise<void> {
    const kind = await this.#fileSystem.stat(path).then(
      (facts) => facts.kind,
      () => undefined,
    );
    if (kind !== 'folder') return;
    throw new StoreError(
      'fatal',
      'STORE_BAD_NAME',
      `${path} is a folder, so no object can have this name. Use another name.`,
    );
  }

  async #openObject(name: string, path: string): Promise<OpenFile> {
    try {
      return await this.#fileSystem.open(path);
    } catch (cause) {
      throw errnoOf(cause) === 'ENOENT' ? absent(name, this.url) : fsError('open', path, cause);
    }
  }
}

/** Reads into memory of its own, never of Node's shared pool, so that a caller may transfer it to another thread. */
async function readRange(file: OpenFile, path: string, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  for (let done = 0; done < length; ) {
    const count = await told('read', path, file.read(bytes, done, start + done));
    if (count === 0) throw shortened(path, start + length, start + done);
    done += count;
  }
  return bytes;
}

function outcomeUnknown(path: string, because: unknown): StoreError {
  const { message, cause } = because instanceof Error ? because : new Error(String(because));
  return new StoreError(
    'lost',
    'STORE_OUTCOME_UNKNOWN',
    `Whether ${path} is stored for good is not known. ${message} Then read it back and compare; if that is refused too, restart.`,
    { cause },
  );
}

function shortened(path: string, expected: number, got: number): StoreError {
  return new StoreError(
    'corrupt',
    'STORE_IO',
    `${path} became shorter while it was read: expected ${expected} bytes, got ${got}. Objects never change: find out who writes there.`,
  );
}
