import { dirname, join } from 'node:path';
import { StoreError } from './errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';
import { errnoOf, fsError, quietly, told } from './fs-errors.ts';

/**
 * The folders inside one root: makes them, makes their names durable, and remembers both, so that a put into a known folder
 * costs nothing here.
 *
 * It owns what is known of folders. It does not own files, and it never makes the root: a root that vanished while in use
 * must be an error, not a new empty store.
 *
 * Invariants:
 * - D1 `ensure` resolves only after each folder on the way is named on the disk by an fsync of its parent.
 * - D2 An fsync that failed is never asked again: the kernel may have dropped the change and would say yes. The folder is
 *   *broken* for the life of this object: nothing is written to it or read from it (Rebello et al., USENIX ATC 2020).
 */
export class SyncedFolders {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  /** One entry a folder: resolved when it is known, rejected never (failures are taken out). */
  readonly #known = new Map<string, Promise<void>>();
  readonly #broken = new Map<string, StoreError>();

  constructor(fileSystem: FileSystem, root: string) {
    this.#fileSystem = fileSystem;
    this.#root = root;
  }

  /** Makes a folder, given relative to the root, with all its parents. Calls at the same time share the work. */
  async ensure(folder: string): Promise<void> {
    this.refuseBroken(folder);
    if (folder === '.') return;
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const making = this.#make(folder);
    this.#known.set(folder, making);
    try {
      await making;
    } catch (error) {
      if (this.#known.get(folder) === making) this.#known.delete(folder);
      throw error;
    }
  }

  /** Opens a folder to sync it later. Done before a file is published, so that afterwards nothing but the fsync can fail. */
  open(folder: string): Promise<OpenFile> {
    const path = join(this.#root, folder);
    return told('open the folder', path, this.#fileSystem.open(path));
  }

  /** Makes the names in an opened folder durable (D2). */
  async sync(folder: string, opened: OpenFile): Promise<void> {
    try {
      await opened.sync();
    } catch (cause) {
      const path = join(this.#root, folder);
      this.#broken.set(folder, brokenFolder(path, cause));
      throw fsError('fsync the folder', path, cause);
    }
  }

  /** Throws when an fsync of the folder failed earlier. */
  refuseBroken(folder: string): void {
    const error = this.#broken.get(folder);
    if (error !== undefined) throw error;
  }

  /** Forgets which folders are there: asked when one of them turned out to be gone. */
  forget(): void {
    this.#known.clear();
  }

  async #make(folder: string): Promise<void> {
    const parent = dirname(folder);
    await this.ensure(parent);
    const path = join(this.#root, folder);
    const opened = await this.open(parent);
    try {
      await this.#fileSystem.makeFolder(path).catch((cause) => {
        if (errnoOf(cause) !== 'EEXIST') throw fsError('make the folder', path, cause);
      });
      // Also when it was there: whoever made it may not have come to its own fsync yet.
      await this.sync(parent, opened);
    } finally {
      await quietly(opened.close());
    }
  }
}

function brokenFolder(path: string, cause: unknown): StoreError {
  const { code } = fsError('fsync', path, cause);
  return new StoreError(
    'fatal',
    code,
    `An fsync of the folder ${path} failed earlier (${errnoOf(cause) ?? String(cause)}), so nobody can say which of its newest ` +
      'objects would survive a power cut. This store does not write to it or read from it again. Look for disk errors in the ' +
      'system log, then restart.',
    { cause },
  );
}
