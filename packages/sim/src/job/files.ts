import type { FileAccess, OpenFile } from '@tidemark/jobs/internal';
import type { Disk } from '../disk.ts';
import type { Lane } from '../lane.ts';
import type { SimThread } from '../thread.ts';

/** How a seed reads. */
export interface Reads {
  /** Largest virtual milliseconds that a read takes. */
  readonly msMax: number;
  /** Bytes that a read brings at most: rows come in pieces, and splits in several turns. */
  readonly bytesMax: number;
}

/** The files as one thread sees them: the job's input, which never changes, and the folders of its output. */
export class SimFiles implements FileAccess {
  readonly #thread: SimThread;
  readonly #lane: Lane;
  readonly #input: ReadonlyMap<string, Buffer>;
  readonly #folders: ReadonlyMap<string, Disk>;
  readonly #reads: Reads;

  constructor(thread: SimThread, input: ReadonlyMap<string, Buffer>, folders: ReadonlyMap<string, Disk>, reads: Reads) {
    this.#thread = thread;
    this.#lane = thread.lane('files');
    this.#input = input;
    this.#folders = folders;
    this.#reads = reads;
  }

  async open(path: string): Promise<OpenFile> {
    const bytes = this.#bytesOf(path);
    await this.#wait();
    return {
      read: async (into, offset, length, position) => {
        await this.#wait();
        const upTo = position + Math.min(length, this.#reads.bytesMax);
        return { bytesRead: bytes.copy(into, offset, position, upTo) };
      },
      stat: async () => ({ size: bytes.length }),
      close: async () => undefined,
    };
  }

  async stat(path: string): Promise<{ isFile(): boolean; isDirectory(): boolean }> {
    this.#bytesOf(path);
    await this.#wait();
    return { isFile: () => true, isDirectory: () => false };
  }

  async names(folder: string): Promise<readonly string[]> {
    await this.#wait();
    const disk = this.#folders.get(folder);
    if (disk === undefined) throw absent(folder);
    return disk.names('');
  }

  /** The folder of the checkpoints was made by somebody before. */
  exists(): boolean {
    return true;
  }

  #bytesOf(path: string): Buffer {
    const bytes = this.#input.get(path);
    if (bytes === undefined) throw absent(path);
    return bytes;
  }

  #wait(): Promise<void> {
    const { world } = this.#thread;
    return new Promise((resolve) => void world.after(this.#lane, world.chance.skewed(this.#reads.msMax), resolve));
  }
}

function absent(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file or directory, ${path}`), { code: 'ENOENT' });
}
