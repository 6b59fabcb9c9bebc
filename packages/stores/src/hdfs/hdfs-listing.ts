import { StoreError } from '../errors.ts';
import { isNameSegment, TEMP_FOLDER } from '../names.ts';
import type { CallLimit } from './call-limit.adapter.ts';
import type { FileStatus, HdfsClient } from './hdfs-client.ts';

/**
 * All names under `root` that start with `prefix` and come after `after`, in no order.
 *
 * Folders are read page by page. Only the name node's own "there is no such path" is an empty folder; an answer that is not whole,
 * or does not go forward, rejects (S5). What can be no object's name (`_SUCCESS`, `.hidden`) is skipped.
 */
export async function listObjects(
  client: HdfsClient,
  root: string,
  { prefix, after }: { readonly prefix: string; readonly after: string },
  limit: CallLimit,
): Promise<string[]> {
  const names: string[] = [];
  const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = `${root}/${folder}`.replace(/\/$/, '');
    for await (const entry of entriesOf(client, path, startIn(folder, after), limit)) {
      const name = folder + entry.name;
      if (!name.startsWith(prefix) || !isNameSegment(entry.name) || name === TEMP_FOLDER) continue;
      if (entry.kind === 'folder' && !isAllBefore(`${name}/`, after)) folders.push(`${name}/`);
      if (entry.kind === 'file' && name > after) names.push(name);
    }
  }
  return names;
}

async function* entriesOf(
  client: HdfsClient,
  path: string,
  start: string,
  limit: CallLimit,
): AsyncGenerator<FileStatus> {
  for (let last = start; ; ) {
    const page = await client.listPage(path, last, limit);
    if (page === undefined) return;
    yield* page.entries;
    if (page.isLast) return;
    const next = page.entries.at(-1)?.name ?? '';
    if (Buffer.compare(Buffer.from(next), Buffer.from(last)) <= 0) throw endless(path);
    last = next;
  }
}

/** Whether every name in the folder comes before `after`. */
function isAllBefore(folder: string, after: string): boolean {
  return folder < after && !after.startsWith(folder);
}

/**
 * The entry behind which a listing of `folder` may begin. A folder `a` holds names that come after `a-b`, as "-" and "." come before
 * "/": then the folder is read from its beginning.
 */
function startIn(folder: string, after: string): string {
  if (!after.startsWith(folder)) return '';
  const [segment = '', ...deeper] = after.slice(folder.length).split('/');
  return deeper.length > 0 || /[-.]/.test(segment) ? '' : segment;
}

function endless(path: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_BAD_ANSWER',
    `Could not list ${path}: the server gives the same page again and again. See that the location names a name node of Hadoop 3.`,
  );
}
