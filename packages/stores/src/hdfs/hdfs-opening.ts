import { StoreError } from '../errors.ts';
import { ReadOnlyStore } from '../read-only-store.ts';
import type { Store } from '../store.ts';
import { uniqueName } from '../unique-name.ts';
import { CallLimit } from './call-limit.adapter.ts';
import { resolveHost } from './data-node.adapter.ts';
import { processEnvironment } from './environment.adapter.ts';
import { HdfsClient } from './hdfs-client.ts';
import { HdfsCredentials } from './hdfs-credentials.adapter.ts';
import { HdfsError } from './hdfs-errors.ts';
import { CALL_MS, STALL_MS } from './hdfs-limits.ts';
import { parseHdfsLocation } from './hdfs-location.ts';
import { HdfsStore } from './hdfs-store.ts';
import { NameNode } from './name-node.adapter.ts';
import { NameNodes } from './name-nodes.ts';
import type { HdfsOptions } from './open-hdfs-store.ts';
import { TempFiles } from './temp-files.ts';
import { TrafficCounter } from './traffic-counter.ts';
import { loadWebHdfs } from './load-webhdfs.ts';

export async function openHdfs(location: string, options: HdfsOptions): Promise<Store> {
  const { store, client, temps, root } = await connect(location, options);
  const limit = CallLimit.of(options, CALL_MS);
  try {
    // The folders on the way to the store belong to others too; HDFS would give all of them the rights of the last.
    const parent = root.slice(0, root.lastIndexOf('/'));
    if (parent !== '') await client.makeFolder(parent, limit, 'shared');
    await client.makeFolder(temps.folder, limit);
    await probe(client, temps, store.url, limit);
    await temps.sweep(limit);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  } finally {
    limit.end();
  }
}

export async function openHdfsForReading(location: string, options: HdfsOptions): Promise<Store> {
  const { store, client, root } = await connect(location, options);
  const limit = CallLimit.of(options, CALL_MS);
  try {
    const status = await client.status(root, limit);
    if (status === undefined)
      throw new StoreError(
        'absent',
        'STORE_NOT_FOUND',
        `There is no store at ${store.url}, and looking makes none. Give the folder that was given to --store when the job ran.`,
      );
    if (status.kind !== 'folder')
      throw new StoreError(
        'fatal',
        'STORE_NOT_A_FOLDER',
        `${store.url} is a file, not a folder. Give the store's folder.`,
      );
    return new ReadOnlyStore(store);
  } catch (error) {
    await store.close();
    throw error;
  } finally {
    limit.end();
  }
}

async function connect(location: string, options: HdfsOptions) {
  const environment = options.environment ?? processEnvironment();
  const parsed = parseHdfsLocation(location, environment);
  const { url, root, nameNodes, dataHosts } = parsed;
  const credentials = HdfsCredentials.from(parsed, environment);
  const webhdfs = await loadWebHdfs(url);
  const traffic = new TrafficCounter();
  const client = new HdfsClient({
    nameNodes: new NameNodes(
      nameNodes.map((address) => new NameNode(webhdfs, address)),
      credentials,
      traffic,
    ),
    credentials,
    rules: { nameNodes, dataHosts, mapDataNode: options.mapDataNode, resolveHost },
    traffic,
    stallMs: options.stallMs ?? STALL_MS,
  });
  const temps = new TempFiles(client, root, uniqueName);
  return { store: new HdfsStore({ url, root, client, temps, traffic }), client, temps, root };
}

/** Sees that a taken name is refused: a server that leaves `renameoptions` out would move one folder into the other. */
async function probe(client: HdfsClient, temps: TempFiles, url: string, limit: CallLimit): Promise<void> {
  const first = temps.newPath();
  const second = temps.newPath();
  try {
    await client.makeFolder(first, limit);
    await client.makeFolder(second, limit);
    const renaming = await client.rename(first, second, 'NONE', limit);
    if (renaming !== 'done' && 'refusal' in renaming) {
      if (renaming.refusal.exception === 'FileAlreadyExistsException') return;
      throw renaming.refusal;
    }
    if (renaming !== 'done' && !isNoWebHdfs(renaming.doubt)) throw renaming.doubt;
    throw new StoreError(
      'fatal',
      'STORE_UNSAFE',
      `${url} does not refuse a name that is taken, so two owners could both win. Use WebHDFS of a name node, directly or behind ` +
        'Knox; HttpFS cannot do it.',
    );
  } finally {
    temps.discard(first);
    temps.discard(second);
  }
}

function isNoWebHdfs({ code }: HdfsError): boolean {
  return code === 'STORE_BAD_ANSWER';
}
