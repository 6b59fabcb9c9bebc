/** An open file; Node's `FileHandle` is one. */
export interface OpenFile {
  read(bytes: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly size: number }>;
  close(): Promise<void>;
}

/** How files and folders are looked at: those of this machine, or a simulator's. Fails with errors as Node's, with `code`. */
export interface FileAccess {
  open(path: string): Promise<OpenFile>;
  stat(path: string): Promise<{ isFile(): boolean; isDirectory(): boolean }>;
  /** Names in a folder, in any order. */
  names(folder: string): Promise<readonly string[]>;
  exists(path: string): boolean;
}
