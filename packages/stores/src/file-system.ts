/**
 * The few calls that a folder store makes to the operating system.
 *
 * The store owns the order of the calls; this side owns only the translation. Errors pass through as Node makes them
 * (`code` is the errno name), so that a test can inject any of them at any call.
 */
export interface FileSystem {
  /** Opens a new file for writing, mode 0600; `EEXIST` when the path is taken. */
  create(path: string): Promise<OpenFile>;
  /** Opens a file for reading, or a folder for `sync`. */
  open(path: string): Promise<OpenFile>;
  /** Makes one folder, mode 0700; its parent must be there. */
  makeFolder(path: string): Promise<void>;
  readFolder(path: string): Promise<readonly FolderEntry[]>;
  /** Facts about what the path leads to; follows symbolic links. */
  stat(path: string): Promise<FileFacts>;
  /** A second name for a file. `EEXIST` when the path is taken, decided by the file system in one step. */
  link(from: string, to: string): Promise<void>;
  /** Moves a file over whatever has the name. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** The kind of network file system that the path is on, such as `NFS`; null for a local one, and where nobody can tell. */
  networkKind(path: string): Promise<string | null>;
}

export interface OpenFile {
  /** Appends bytes from `offset` on and answers how many: the rest is the caller's to write again. */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  /** Fills `into` from `offset` on with bytes from `position` in the file on; 0 at its end. */
  read(into: Uint8Array, offset: number, position: number): Promise<number>;
  /** Resolves when all that was written is on the disk. For a folder: when its names are. */
  sync(): Promise<void>;
  stat(): Promise<FileFacts>;
  close(): Promise<void>;
}

export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface FolderEntry {
  readonly name: string;
  readonly kind: EntryKind;
}

export interface FileFacts {
  readonly kind: EntryKind;
  readonly sizeBytes: number;
  readonly linkCount: number;
  /** Time of the last write by the clock of the file system, in milliseconds. */
  readonly modifiedMs: number;
}
