import type { FileSystem, OpenFile } from '@tidemark/stores/internal';
import { errno } from './simulated-disk.ts';

export interface Fault {
  /** Number of the call that fails, from 1. */
  readonly at: number;
  readonly errno: string;
  /** `reply-lost`: the system did it and reports a failure all the same. `dead`: this and every later call fails. */
  readonly how: 'not-done' | 'reply-lost' | 'dead';
}

/** A file system that writes down each call and fails the ones it is told to. */
export class FaultyFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #fault: Fault | undefined;
  /** Each call with the last parts of its path, such as `link log/1`. */
  readonly calls: string[] = [];
  /** Calls that were told to fail. */
  readonly failed: string[] = [];
  handlesOpen = 0;

  constructor(inner: FileSystem, fault?: Fault) {
    this.#inner = inner;
    this.#fault = fault;
  }

  create = async (path: string): Promise<OpenFile> =>
    this.#opened(path, await this.#call('create', path, () => this.#inner.create(path)));
  open = async (path: string): Promise<OpenFile> =>
    this.#opened(path, await this.#call('open', path, () => this.#inner.open(path)));
  makeFolder = (path: string) => this.#call('makeFolder', path, () => this.#inner.makeFolder(path));
  readFolder = (path: string) => this.#call('readFolder', path, () => this.#inner.readFolder(path));
  stat = (path: string) => this.#call('stat', path, () => this.#inner.stat(path));
  link = (from: string, to: string) => this.#call('link', to, () => this.#inner.link(from, to));
  rename = (from: string, to: string) => this.#call('rename', to, () => this.#inner.rename(from, to));
  networkKind = (path: string) => this.#inner.networkKind(path);
  unlink = (path: string) => this.#call('unlink', path, () => this.#inner.unlink(path));

  #opened(path: string, file: OpenFile): OpenFile {
    this.handlesOpen++;
    return {
      write: (bytes, offset) => this.#call('write', path, () => file.write(bytes, offset)),
      read: (into, offset, position) => this.#call('read', path, () => file.read(into, offset, position)),
      sync: () => this.#call('sync', path, () => file.sync()),
      stat: () => this.#call('fstat', path, () => file.stat()),
      close: () => {
        this.handlesOpen--;
        return this.#call('close', path, () => file.close());
      },
    };
  }

  async #call<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
    const call = `${operation} ${path}`;
    this.calls.push(call);
    const fault = this.#fault;
    const isHit =
      fault !== undefined && (fault.how === 'dead' ? this.calls.length >= fault.at : this.calls.length === fault.at);
    if (!isHit) return work();
    this.failed.push(call);
    // A handle is given back even when closing it fails.
    if (fault.how === 'reply-lost' || operation === 'close') await work();
    throw errno(fault.errno, path);
  }
}
