import { absent, checkRange, nameTaken, refuseAborted } from '../answers.ts';
import { StoreError } from '../errors.ts';
import { checkName, checkPrefix } from '../names.ts';
import type { CallOptions, GetOptions, ListOptions, Store, StoreTraffic } from '../store.ts';
import { CallLimit } from './call-limit.adapter.ts';
import { Commit } from './commit.ts';
import type { HdfsClient, Overwriting } from './hdfs-client.ts';
import { badAnswer, HdfsError } from './hdfs-errors.ts';
import { CALL_MS, OBJECT_BYTES_MAX } from './hdfs-limits.ts';
import { listObjects } from './hdfs-listing.ts';
import type { TempFiles } from './temp-files.ts';
import type { TrafficCounter } from './traffic-counter.ts';

export interface HdfsStoreParts {
  readonly url: string;
  /** Folder of the store in HDFS. */
  readonly root: string;
  readonly client: HdfsClient;
  readonly temps: TempFiles;
  readonly traffic: TrafficCounter;
}

/**
 * A store in a folder of an HDFS, over WebHDFS. Objects are files of the same relative path.
 *
 * It owns which folders it made, and how long a call may take; the order of the calls that publish an object is `Commit`'s, the
 * protocol is `HdfsClient`'s. It holds no lock and no lease between calls, so any number of processes may use one folder.
 *
 * Invariants (S1 to S5 are those of `Store`):
 * - S1 Bytes are written only under `tmp/`, which is never listed; a name is given by one RENAME, to a file that is closed and has the
 *   length that was sent. Nothing is ever appended.
 * - S2 A data node syncs each block to its disk before it answers (SYNC_BLOCK), and a name node its journal before it answers a RENAME.
 * - S3 RENAME without overwriting is decided by the one active name node; `Commit` says how a lost answer is settled.
 * - S4 A name node lists what it renamed. (One that was cut off and does not know yet that it is active no more may list less.)
 * - S5 Only `FileNotFoundException` is "absent", and only for a folder it is an empty listing.
 */
export class HdfsStore implements Store {
  readonly url: string;
  readonly supports = { durable: true, sharedPutIfAbsent: true } as const;
  readonly #root: string;
  readonly #client: HdfsClient;
  readonly #temps: TempFiles;
  readonly #traffic: TrafficCounter;
  readonly #commit: Commit;
  /** Paths of folders that are there, as far as we know. */
  readonly #folders = new Set<string>();

  constructor(parts: HdfsStoreParts) {
    this.url = parts.url;
    this.#root = parts.root;
    this.#client = parts.client;
    this.#temps = parts.temps;
    this.#traffic = parts.traffic;
    this.#commit = new Commit(parts.client, parts.temps);
  }

  async put(name: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: CallOptions = {}): Promise<void> {
    if ((await this.#publish(name, body, 'NONE', options)) === 'taken') throw nameTaken(name, this.url);
  }

  async putIfAbsent(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<'stored' | 'taken'> {
    return this.#publish(name, bytes, 'NONE', options);
  }

  async replace(name: string, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#publish(name, bytes, 'OVERWRITE', options);
  }

  async get(name: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length, bytesMax = OBJECT_BYTES_MAX } = options;
    checkRange(offset, length);
    const path = this.#admit(name, options);
    return this.#limited(options, undefined, async (limit) => {
      try {
        return await this.#read(name, path, { offset, length, bytesMax }, limit);
      } catch (error) {
        if (error instanceof HdfsError && error.exception === 'FileNotFoundException') throw absent(name, this.url);
        // HDFS has an error for a range behind the end, where a store gives no bytes; a folder is none of our objects.
        if (!(error instanceof HdfsError) || error.exception !== 'IOException') throw error;
        const status = await this.#client.status(path, limit);
        if (status?.kind === 'file' && offset >= status.length) return new Uint8Array(0);
        throw error;
      }
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    checkPrefix(prefix);
    refuseAborted(options.signal, prefix);
    const { after = '' } = options;
    const names = await this.#limited(options, CALL_MS, (limit) =>
      listObjects(this.#client, this.#root, { prefix, after }, limit),
    );
    // Names are ASCII, so the order of code units is the order of bytes.
    return names.sort();
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    const path = this.#admit(name, options);
    await this.#limited(options, CALL_MS, async (limit) => {
      try {
        await this.#client.delete(path, limit, 'repeat');
        this.#folders.delete(path);
      } catch (error) {
        // A folder is no object, so there is nothing to remove.
        if (!(error instanceof HdfsError) || error.exception !== 'PathIsNotEmptyDirectoryException') throw error;
      }
    });
  }

  async storedAt(name: string, options: CallOptions = {}): Promise<number> {
    const path = this.#admit(name, options);
    const status = await this.#limited(options, CALL_MS, (limit) => this.#client.status(path, limit));
    if (status?.kind !== 'file') throw absent(name, this.url);
    if (Number.isNaN(status.modifiedMs)) throw badAnswer(`look at ${path}`, this.url, 'it tells no modificationTime');
    return status.modifiedMs;
  }

  /** Requests by WebHDFS's names of operations; what a data node was asked for counts under the same name. */
  traffic(): StoreTraffic {
    return this.#traffic.sum;
  }

  async close(): Promise<void> {
    await this.#temps.settled();
    this.#client.close();
  }

  #admit(name: string, options: CallOptions): string {
    checkName(name);
    refuseAborted(options.signal, name);
    return `${this.#root}/${name}`;
  }

  async #publish(
    name: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    overwriting: Overwriting,
    options: CallOptions,
  ): Promise<'stored' | 'taken'> {
    const path = this.#admit(name, options);
    const folder = path.slice(0, path.lastIndexOf('/'));
    // A body has no time of its own: it may take as long as its bytes move.
    return this.#limited(options, undefined, async (limit) => {
      await this.#ensureFolder(folder, limit);
      return this.#commit.publish(path, body, overwriting, limit, async (own) => {
        this.#folders.delete(folder);
        await this.#ensureFolder(folder, own);
      });
    });
  }

  async #ensureFolder(path: string, limit: CallLimit): Promise<void> {
    if (this.#folders.has(path)) return;
    await this.#client.makeFolder(path, limit);
    this.#folders.add(path);
  }

  async #read(
    name: string,
    path: string,
    range: { readonly offset: number; readonly length: number | undefined; readonly bytesMax: number },
    limit: CallLimit,
  ): Promise<Uint8Array> {
    if (range.length !== 0)
      return this.#client.open(path, range, limit, (bytes) => tooLarge(name, this.url, bytes, range.bytesMax));
    // WebHDFS takes no length of 0.
    const status = await this.#client.status(path, limit);
    if (status?.kind !== 'file') throw absent(name, this.url);
    return new Uint8Array(0);
  }

  /** Gives the call its time. Whatever it did when that was over, the error says whether the caller or the clock ended it. */
  async #limited<T>(
    options: CallOptions,
    ownDeadlineMs: number | undefined,
    act: (limit: CallLimit) => Promise<T>,
  ): Promise<T> {
    const limit = CallLimit.of(options, ownDeadlineMs);
    try {
      return await act(limit);
    } catch (error) {
      // A rename whose outcome is open stays open; before it nothing was done.
      const isTimeout = error instanceof StoreError && error.code === 'STORE_TIMEOUT';
      if (isTimeout && limit.ending !== undefined) limit.refuseEnded('finish the call', this.url);
      throw error;
    } finally {
      limit.end();
    }
  }
}

function tooLarge(name: string, url: string, bytes: number, bytesMax: number): StoreError {
  return new StoreError(
    'corrupt',
    'STORE_TOO_LARGE',
    `${name} in ${url} has at least ${bytes} bytes, and at most ${bytesMax} may come. Look who else writes there.`,
  );
}
