import { StoreError } from '../errors.ts';
import type { CallLimit } from './call-limit.adapter.ts';
import { DataNodeUnreachable, readBody, sendBody } from './data-node.adapter.ts';
import { checkDataNode, type DataNodeRules, type DataNodeTarget } from './data-node-guard.ts';
import type { HdfsCredentials } from './hdfs-credentials.adapter.ts';
import { badAnswer, HdfsError, isObject, parseJson } from './hdfs-errors.ts';
import { ASKS_MAX, CALL_MS, DATA_NODE_TRIES_MAX } from './hdfs-limits.ts';
import type { Answered, NameNodeCall, NameNodes } from './name-nodes.ts';
import type { TrafficCounter } from './traffic-counter.ts';

export interface HdfsClientParts {
  readonly nameNodes: NameNodes;
  readonly credentials: HdfsCredentials;
  readonly rules: DataNodeRules;
  readonly traffic: TrafficCounter;
  readonly stallMs: number;
}

/** A call that a name node answers with the address of a data node. */
type RedirectedCall = Omit<NameNodeCall, 'repeating' | 'parameters'> & {
  readonly parameters: Readonly<Record<string, string>>;
};

/** What HDFS knows of a path. */
export interface FileStatus {
  /** Name inside the listed folder; empty for the path itself. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly length: number;
  /** Number of the inode: never given twice, and it stays through a rename. Some gateways do not tell it. */
  readonly fileId: number | undefined;
  readonly modifiedMs: number;
}

export interface ListingPage {
  readonly entries: readonly FileStatus[];
  readonly isLast: boolean;
  /** The name node's clock. */
  readonly dateMs: number | undefined;
}

/** What a rename does with a destination that is there. */
export type Overwriting = 'NONE' | 'OVERWRITE';

/** `done`, or what the cluster says against it; `doubt` when it may or may not be done. */
export type Renaming = 'done' | { readonly refusal: HdfsError } | { readonly doubt: HdfsError };

/**
 * WebHDFS's operations, each as one call with one checked answer. It knows the protocol and nothing of objects: which calls make
 * up a put is `commit.ts`.
 *
 * A body goes to or comes from a data node, to which a name node sends us (`data-node-guard.ts` decides whether we go). When that data
 * node cannot be reached, another one is asked for: with `excludedatanodes` (which takes addresses), and again until the answer is one
 * that did not fail.
 */
export class HdfsClient {
  readonly #parts: HdfsClientParts;

  constructor(parts: HdfsClientParts) {
    this.#parts = parts;
  }

  /** Makes a folder and its parents, or finds it there. `own`: for this user alone; `shared`: with the cluster's usual rights. */
  async makeFolder(path: string, limit: CallLimit, rights: 'own' | 'shared' = 'own'): Promise<void> {
    const doing = `make the folder ${path}`;
    const parameters: Record<string, string> = rights === 'own' ? { permission: '700' } : {};
    const answer = await this.#ask('PUT', 'MKDIRS', path, parameters, { doing, limit }).catch((error) => {
      throw error instanceof HdfsError && error.exception === 'FileAlreadyExistsException' ? fileInPlace(path) : error;
    });
    if (booleanIn(answer, doing)) return;
    throw new HdfsError(
      'retry',
      'STORE_IO',
      `Could not ${doing} at ${answer.origin}: it answered "false". Repeat later.`,
    );
  }

  /** Undefined when nothing is there. */
  async status(
    path: string,
    limit: CallLimit,
    repeating: 'repeat' | 'persist' = 'repeat',
  ): Promise<FileStatus | undefined> {
    const doing = `look at ${path}`;
    try {
      const answer = await this.#ask('GET', 'GETFILESTATUS', path, {}, { doing, limit, repeating });
      const status = readStatus(member(jsonIn(answer, doing), 'FileStatus'));
      if (status === undefined) throw badAnswer(doing, answer.origin, 'its answer is no FileStatus');
      return status;
    } catch (error) {
      if (error instanceof HdfsError && error.exception === 'FileNotFoundException') return undefined;
      throw error;
    }
  }

  /** Up to 1,000 entries whose names come after `startAfter`, in the order of their bytes; undefined when nothing is there. */
  async listPage(path: string, startAfter: string, limit: CallLimit): Promise<ListingPage | undefined> {
    const doing = `list ${path}`;
    try {
      const answer = await this.#ask('GET', 'LISTSTATUS_BATCH', path, { startAfter }, { doing, limit });
      const page = readPage(jsonIn(answer, doing), answer.dateMs);
      if (page === undefined) throw badAnswer(doing, answer.origin, 'its answer is no DirectoryListing');
      return page;
    } catch (error) {
      if (error instanceof HdfsError && error.exception === 'FileNotFoundException') return undefined;
      throw error;
    }
  }

  /** Answers whether there was something to delete. A folder that is not empty stays (`PathIsNotEmptyDirectoryException`). */
  async delete(path: string, limit: CallLimit, repeating: 'repeat' | 'persist'): Promise<boolean> {
    const doing = `delete ${path}`;
    const answer = await this.#ask('DELETE', 'DELETE', path, { recursive: 'false' }, { doing, limit, repeating });
    return booleanIn(answer, doing);
  }

  /** Sent once: whoever is in doubt finds out what became of it, because a second one would say that the source is gone. */
  async rename(from: string, to: string, overwriting: Overwriting, limit: CallLimit): Promise<Renaming> {
    const doing = `rename ${from} to ${to}`;
    const parameters = { destination: to, renameoptions: overwriting };
    try {
      const answer = await this.#ask('PUT', 'RENAME', from, parameters, { doing, limit, repeating: 'once' });
      if (answer.status === 200 && answer.body.length === 0) return 'done';
      return {
        doubt: badAnswer(doing, answer.origin, 'it does not know renameoptions, which WebHDFS has and HttpFS has not'),
      };
    } catch (error) {
      if (!(error instanceof HdfsError) || !error.isDoneMaybe) throw error;
      return error.exception === undefined ? { doubt: error } : { refusal: error };
    }
  }

  /**
   * Writes a new file, on the disks of its data nodes when this resolves, and answers its length. On a failure the file may be there in any
   * state. A body that is a stream is begun once; only a connection that never came to be is tried elsewhere.
   */
  async create(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, limit: CallLimit): Promise<number> {
    const doing = `write ${path}`;
    const parameters = { overwrite: 'false', createflag: 'CREATE,SYNC_BLOCK', permission: '600' };
    return this.#withDataNode(
      { method: 'PUT', operation: 'CREATE', path, parameters, doing, limit },
      async (target) => {
        refuseWithoutSync(target.url, doing);
        return sendBody(this.#dataCall(target, 'CREATE', doing, limit), body);
      },
    );
  }

  /** `length` bytes from `offset`, or up to the end. Undefined when nothing is there. */
  async open(
    path: string,
    range: { readonly offset: number; readonly length: number | undefined; readonly bytesMax: number },
    limit: CallLimit,
    tooLarge: (bytes: number) => StoreError,
  ): Promise<Uint8Array> {
    const doing = `read ${path}`;
    const { offset, length, bytesMax } = range;
    const parameters = { offset: String(offset), ...(length === undefined ? {} : { length: String(length) }) };
    return this.#withDataNode({ method: 'GET', operation: 'OPEN', path, parameters, doing, limit }, async (target) => {
      const call = this.#dataCall(target, 'OPEN', doing, limit);
      const { bytes, isLengthKnown } = await readBody(call, bytesMax, tooLarge);
      if (length !== undefined && bytes.length > length)
        throw badAnswer(doing, target.url.host, `it sent ${bytes.length} bytes and was asked for ${length}`);
      if (!isLengthKnown) await this.#refuseShort(path, offset, length, bytes.length, limit);
      return bytes;
    });
  }

  close(): void {
    this.#parts.nameNodes.close();
  }

  async #ask(
    method: NameNodeCall['method'],
    operation: string,
    path: string,
    parameters: Readonly<Record<string, string>>,
    rest: Pick<NameNodeCall, 'doing' | 'limit'> & Partial<Pick<NameNodeCall, 'repeating'>>,
  ): Promise<Answered> {
    const part = rest.limit.within(CALL_MS);
    try {
      return await this.#parts.nameNodes.ask({
        method,
        operation,
        path,
        parameters,
        repeating: 'repeat',
        ...rest,
        limit: part,
      });
    } finally {
      part.end();
    }
  }

  /** Gets a data node, lets `use` speak to it, and gets another one when it cannot be reached. */
  async #withDataNode<T>(call: RedirectedCall, use: (target: DataNodeTarget) => Promise<T>): Promise<T> {
    const failed: DataNodeTarget[] = [];
    for (;;) {
      const target = await this.#findDataNode(call, failed);
      try {
        return await use(target);
      } catch (error) {
        const mayTryAnother =
          error instanceof DataNodeUnreachable || (call.operation === 'OPEN' && isBrokenConnection(error));
        if (!mayTryAnother || call.limit.ending !== undefined) throw error;
        failed.push(target);
        if (failed.length >= DATA_NODE_TRIES_MAX) throw error;
      }
    }
  }

  async #findDataNode(
    { method, operation, path, parameters, doing, limit }: RedirectedCall,
    failed: readonly DataNodeTarget[],
  ): Promise<DataNodeTarget> {
    const excluded = failed.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    const all =
      excluded.length === 0 ? parameters : { ...parameters, excludedatanodes: [...new Set(excluded)].join(',') };
    let target: DataNodeTarget | undefined;
    for (let asked = 0; asked < ASKS_MAX; asked++) {
      const answer = await this.#ask(method, operation, path, all, { doing, limit });
      const checking = checkDataNode(redirectIn(answer, doing), answer.from, this.#parts.rules);
      target = await limit.during(checking, doing, answer.origin);
      const { host } = target.url;
      if (failed.every(({ url }) => url.host !== host)) return target;
    }
    if (target === undefined) throw badAnswer(doing, 'the cluster', 'no data node was named');
    return target;
  }

  #dataCall(target: DataNodeTarget, operation: 'CREATE' | 'OPEN', doing: string, limit: CallLimit) {
    const { credentials, traffic, stallMs, rules } = this.#parts;
    traffic.request(operation);
    // A gateway (Knox) sends us to itself, and there the password belongs; a data node never gets it.
    const isGateway = rules.nameNodes.some(
      ({ isTls, host, port }) =>
        target.url.hostname === host &&
        Number(target.url.port || (isTls ? 443 : 80)) === port &&
        (target.url.protocol === 'https:') === isTls,
    );
    return {
      target,
      headers: isGateway ? credentials.headers : {},
      doing,
      limit,
      stallMs,
      redact: (text: string) => credentials.redact(text),
      onBytes: (count: number) => (operation === 'CREATE' ? traffic.sent(count) : traffic.received(count)),
    };
  }

  /** A gateway may send a body without its length: then only the file itself tells whether all of it came. */
  async #refuseShort(
    path: string,
    offset: number,
    length: number | undefined,
    got: number,
    limit: CallLimit,
  ): Promise<void> {
    const status = await this.status(path, limit);
    const there = Math.max(0, (status?.length ?? 0) - offset);
    const expected = Math.min(length ?? there, there);
    if (status !== undefined && got === expected) return;
    throw new HdfsError('retry', 'STORE_IO', `Could not read ${path}: ${got} of ${expected} bytes came. Repeat later.`);
  }
}

function fileInPlace(path: string): StoreError {
  return new StoreError(
    'fatal',
    'STORE_NOT_A_FOLDER',
    `${path} is a file, so no folder can have this name. Move that file away or use another name.`,
  );
}

/** A read changes nothing, so a connection that broke is a reason to read elsewhere. */
function isBrokenConnection(error: unknown): boolean {
  return error instanceof HdfsError && error.exception === undefined && error.kind === 'retry';
}

/**
 * Without SYNC_BLOCK a 201 means only that the bytes are in the memory of data nodes. A server that is too old leaves the flag out of where
 * it sends us; one that hides where (a gateway's encrypted query) cannot be seen through.
 */
function refuseWithoutSync({ searchParams }: URL, doing: string): void {
  if (!searchParams.has('op') || /SYNC_BLOCK/.test(searchParams.get('createflag') ?? '')) return;
  throw new StoreError(
    'fatal',
    'STORE_UNSAFE',
    `Could not ${doing}: this cluster does not know createflag=SYNC_BLOCK, so that what is stored could be lost in a power cut. ` +
      'Use Hadoop 3.0 or later.',
  );
}

function redirectIn(answer: Answered, doing: string): string {
  if (answer.status === 307 && answer.location !== undefined) return answer.location;
  const named = answer.status === 200 ? member(parseJson(answer.body.toString('utf8')), 'Location') : undefined;
  if (typeof named === 'string') return named;
  throw badAnswer(doing, answer.origin, `it answered ${answer.status} where it names a data node`);
}

function jsonIn(answer: Answered, doing: string): unknown {
  const text = answer.body.toString('utf8');
  const parsed = parseJson(text);
  if (parsed === undefined || answer.status !== 200)
    throw badAnswer(doing, answer.origin, `its answer (${answer.status}) is not the JSON of HDFS`);
  return parsed;
}

/** Only these two are answers: everything else could be anything. */
function booleanIn(answer: Answered, doing: string): boolean {
  const value = member(jsonIn(answer, doing), 'boolean');
  if (value === true || value === false) return value;
  throw badAnswer(doing, answer.origin, 'its answer is neither {"boolean":true} nor {"boolean":false}');
}

function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function readPage(value: unknown, dateMs: number | undefined): ListingPage | undefined {
  const listing = member(value, 'DirectoryListing');
  const found = member(member(member(listing, 'partialListing'), 'FileStatuses'), 'FileStatus');
  const remaining = member(listing, 'remainingEntries');
  if (!Array.isArray(found) || typeof remaining !== 'number') return undefined;
  const entries = found.map(readStatus);
  return entries.includes(undefined)
    ? undefined
    : { entries: entries.filter((entry) => entry !== undefined), isLast: remaining === 0, dateMs };
}

function readStatus(value: unknown): FileStatus | undefined {
  const name = member(value, 'pathSuffix');
  const length = member(value, 'length');
  const type = member(value, 'type');
  const fileId = member(value, 'fileId');
  const modifiedMs = member(value, 'modificationTime');
  if (typeof name !== 'string' || typeof length !== 'number' || typeof type !== 'string') return undefined;
  return {
    name,
    kind: type === 'FILE' ? 'file' : type === 'DIRECTORY' ? 'folder' : 'other',
    length,
    // Inode numbers begin at 16385; 0 is what a server says that has none.
    fileId: typeof fileId === 'number' && Number.isSafeInteger(fileId) && fileId > 0 ? fileId : undefined,
    modifiedMs: typeof modifiedMs === 'number' ? modifiedMs : Number.NaN,
  };
}
