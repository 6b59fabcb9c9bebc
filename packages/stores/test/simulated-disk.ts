import { posix } from 'node:path';
import type { EntryKind, FileFacts, FileSystem, FolderEntry, OpenFile } from '@tidemark/stores/internal';

/**
 * A POSIX file system in memory that remembers what is *volatile* (seen by everybody) and what is *durable* (survives a power
 * cut): the bytes of a file are durable after its fsync, the names in a folder after the folder's fsync. Nothing else is.
 */
export class SimulatedDisk implements FileSystem {
  readonly #root: FolderNode;
  /** The clock of the disk, moved by tests. */
  nowMs = 0;

  constructor(root: FolderNode = newFolder()) {
    this.#root = root;
  }

  async create(path: string): Promise<OpenFile> {
    const { folder, name } = this.#place(path);
    if (folder.entries.has(name)) throw errno('EEXIST', path);
    const file: FileNode = {
      kind: 'file',
      bytes: new Uint8Array(0),
      durable: new Uint8Array(0),
      links: 1,
      modifiedMs: this.nowMs,
    };
    folder.entries.set(name, file);
    return this.#handle(file, path);
  }

  async open(path: string): Promise<OpenFile> {
    return this.#handle(this.#find(path), path);
  }

  async makeFolder(path: string): Promise<void> {
    if (path === '/') throw errno('EEXIST', path);
    const { folder, name } = this.#place(path);
    if (folder.entries.has(name)) throw errno('EEXIST', path);
    folder.entries.set(name, newFolder());
  }

  async readFolder(path: string): Promise<readonly FolderEntry[]> {
    const node = this.#find(path);
    if (node.kind === 'file') throw errno('ENOTDIR', path);
    return [...node.entries].map(([name, { kind }]) => ({ name, kind })).toReversed();
  }

  async stat(path: string): Promise<FileFacts> {
    return factsOf(this.#find(path));
  }

  async link(from: string, to: string): Promise<void> {
    const node = this.#find(from);
    const { folder, name } = this.#place(to);
    if (folder.entries.has(name)) throw errno('EEXIST', to);
    if (node.kind === 'folder') throw errno('EPERM', from);
    folder.entries.set(name, node);
    node.links++;
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#find(from);
    const target = this.#place(to);
    const old = target.folder.entries.get(target.name);
    if (old?.kind === 'folder') throw errno('EISDIR', to);
    if (old !== undefined) old.links--;
    target.folder.entries.set(target.name, node);
    const source = this.#place(from);
    source.folder.entries.delete(source.name);
  }

  /** The kind of network that it is behind. */
  network: string | null = null;

  async networkKind(): Promise<string | null> {
    return this.network;
  }

  async unlink(path: string): Promise<void> {
    const { folder, name } = this.#place(path);
    const node = folder.entries.get(name);
    if (node === undefined) throw errno('ENOENT', path);
    if (node.kind === 'folder') throw errno('EISDIR', path);
    node.links--;
    folder.entries.delete(name);
  }

  /**
   * The disk after a power cut. `survives` decides for each change that was not synced whether it reached the disk all the
   * same; bytes that were not synced are then torn off in the middle.
   */
  afterPowerCut(survives: () => boolean): SimulatedDisk {
    const copies = new Map<DiskNode, DiskNode>();
    return new SimulatedDisk(cutFolder(this.#root, survives, copies));
  }

  #handle(node: DiskNode, path: string): OpenFile {
    return {
      write: async (bytes, offset) => {
        if (node.kind === 'folder') throw errno('EISDIR', path);
        // Takes at most 7 bytes at a time, as a system may.
        const taken = bytes.subarray(offset, offset + 7);
        node.bytes = Uint8Array.from([...node.bytes, ...taken]);
        node.modifiedMs = this.nowMs;
        return taken.length;
      },
      read: async (into, offset, position) => {
        if (node.kind === 'folder') throw errno('EISDIR', path);
        const given = node.bytes.subarray(position, position + Math.min(into.length - offset, 5));
        into.set(given, offset);
        return given.length;
      },
      sync: async () => {
        if (node.kind === 'file') node.durable = node.bytes;
        else node.durable = new Map(node.entries);
      },
      stat: async () => factsOf(node),
      close: async () => undefined,
    };
  }

  #find(path: string): DiskNode {
    let node: DiskNode = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node.kind === 'file') throw errno('ENOTDIR', path);
      const next: DiskNode | undefined = node.entries.get(name);
      if (next === undefined) throw errno('ENOENT', path);
      node = next;
    }
    return node;
  }

  #place(path: string): { readonly folder: FolderNode; readonly name: string } {
    const folder = this.#find(posix.dirname(path));
    if (folder.kind === 'file') throw errno('ENOTDIR', path);
    return { folder, name: posix.basename(path) };
  }
}

interface FileNode {
  readonly kind: 'file';
  bytes: Uint8Array;
  durable: Uint8Array;
  links: number;
  modifiedMs: number;
}

interface FolderNode {
  readonly kind: 'folder';
  readonly entries: Map<string, DiskNode>;
  durable: ReadonlyMap<string, DiskNode>;
}

type DiskNode = FileNode | FolderNode;

/** An error as Node makes it for a failed system call. */
export function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code });
}

function newFolder(): FolderNode {
  return { kind: 'folder', entries: new Map(), durable: new Map() };
}

function factsOf(node: DiskNode): FileFacts {
  const kind: EntryKind = node.kind;
  if (node.kind === 'folder') return { kind, sizeBytes: 4096, linkCount: 2, modifiedMs: 0 };
  return { kind, sizeBytes: node.bytes.length, linkCount: node.links, modifiedMs: node.modifiedMs };
}

function cutFolder(folder: FolderNode, survives: () => boolean, copies: Map<DiskNode, DiskNode>): FolderNode {
  const entries = new Map<string, DiskNode>();
  for (const name of new Set([...folder.entries.keys(), ...folder.durable.keys()])) {
    const isSynced = folder.entries.get(name) === folder.durable.get(name);
    const node = isSynced || !survives() ? folder.durable.get(name) : folder.entries.get(name);
    if (node === undefined) continue;
    const copy =
      copies.get(node) ?? (node.kind === 'folder' ? cutFolder(node, survives, copies) : cutFile(node, survives));
    copies.set(node, copy);
    entries.set(name, copy);
  }
  return { kind: 'folder', entries, durable: new Map(entries) };
}

function cutFile(file: FileNode, survives: () => boolean): FileNode {
  const torn = file.bytes.subarray(0, Math.ceil(file.bytes.length / 2));
  const bytes = file.bytes === file.durable || !survives() ? file.durable : torn;
  return { kind: 'file', bytes, durable: bytes, links: 1, modifiedMs: file.modifiedMs };
}
