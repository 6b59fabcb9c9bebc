import { STALE_TEMP_FILES_MAX, STALE_TEMP_MS } from '../limits.ts';
import { TEMP_FOLDER } from '../names.ts';
import { TEMP_FILE_ENDING } from '../temp-file.ts';
import { CallLimit } from './call-limit.adapter.ts';
import type { HdfsClient } from './hdfs-client.ts';
import { CLEAN_UP_MS } from './hdfs-limits.ts';

/** Deletions at once while sweeping. */
const AT_ONCE = 8;

/** The unfinished files of a store: their names, and their end. Nothing in here is ever listed. */
export class TempFiles {
  readonly folder: string;
  readonly #client: HdfsClient;
  readonly #uniqueName: () => string;
  readonly #discarding = new Set<Promise<void>>();

  constructor(client: HdfsClient, root: string, uniqueName: () => string) {
    this.folder = `${root}/${TEMP_FOLDER}`;
    this.#client = client;
    this.#uniqueName = uniqueName;
  }

  newPath(): string {
    return `${this.folder}/${this.#uniqueName()}${TEMP_FILE_ENDING}`;
  }

  /**
   * Removes a temp file behind the call that made it. Not waited for, and not repeated: what stays is swept by a later opening.
   */
  discard(path: string): void {
    const limit = new CallLimit(undefined, CLEAN_UP_MS);
    const discarding = this.#client
      .delete(path, limit, 'repeat')
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        limit.end();
        this.#discarding.delete(discarding);
      });
    this.#discarding.add(discarding);
  }

  /** Waits for what is being removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#discarding);
  }

  /**
   * Removes files that dead writers left: an hour old by the name node's clock. A file that is open has the time of its beginning, so
   * one whose body takes longer than that to send is lost, and its put fails. Best effort, and bounded.
   */
  async sweep(limit: CallLimit): Promise<void> {
    try {
      const page = await this.#client.listPage(this.folder, '', limit);
      const nowMs = page?.dateMs;
      if (page === undefined || nowMs === undefined) return;
      const stale = page.entries
        .filter(({ name, modifiedMs }) => name.endsWith(TEMP_FILE_ENDING) && nowMs - modifiedMs > STALE_TEMP_MS)
        .slice(0, STALE_TEMP_FILES_MAX);
      for (let start = 0; start < stale.length; start += AT_ONCE) {
        const some = stale.slice(start, start + AT_ONCE);
        await Promise.all(some.map(({ name }) => this.#client.delete(`${this.folder}/${name}`, limit, 'repeat')));
      }
    } catch {
      // What cannot be removed now is of no consequence, and is tried again by the next opening.
    }
  }
}
