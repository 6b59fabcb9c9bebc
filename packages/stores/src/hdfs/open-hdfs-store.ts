import type { Store } from '../store.ts';
import type { MapDataNode } from './data-node-guard.ts';
import type { Environment } from './hdfs-location.ts';

export interface HdfsOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for opening. 30 000 by default. */
  readonly deadlineMs?: number;
  /** Milliseconds in which at least one byte of a body must move. 30 000 by default. */
  readonly stallMs?: number;
  /** Where a data node is reached, when that is not where the name node says: behind a proxy, a tunnel, a container's port. */
  readonly mapDataNode?: MapDataNode;
  /** Instead of the process's own environment variables. */
  readonly environment?: Environment;
}

/**
 * Opens the store in a folder of an HDFS: `hdfs://HOST[:PORT]/FOLDER`, `webhdfs://HOST:PORT,HOST:PORT/FOLDER` (all name nodes of one
 * cluster), or `swebhdfs://…` for TLS. The port is WebHDFS's: 9870 when none is given, 9871 with TLS. The folder is made when it is not
 * there, and files that dead writers left in its `tmp/` more than an hour ago are removed. `docs/stores.md` has all parameters.
 *
 * Needs the package `webhdfs` 1.2.0.
 *
 * @throws `StoreError`: `STORE_BAD_URL`, `STORE_INSECURE`, `STORE_NOT_INSTALLED`, `STORE_UNSAFE` (the server is not one that can keep the
 * contract, such as HttpFS), `STORE_CREDENTIALS`, `STORE_DENIED`, `STORE_UNREACHABLE`, `STORE_TIMEOUT`, `STORE_BAD_ANSWER`.
 *
 * @example
 * const store = await openHdfsStore('webhdfs://nn1.example.org:9870,nn2.example.org:9870/apps/checkpoints?user=etl');
 * await store.putIfAbsent('orders/log/00000000000000000007', record);
 */
export async function openHdfsStore(location: string, options: HdfsOptions = {}): Promise<Store> {
  // Loaded here: a system whose checkpoints are in a folder starts without it.
  const { openHdfs } = await import('./hdfs-opening.ts');
  return openHdfs(location, options);
}

/**
 * Opens the store to look at it: nothing is made, tried or cleaned up. Every call that would change something rejects with
 * `STORE_READ_ONLY`.
 *
 * @throws `STORE_NOT_FOUND` when there is no such folder, `STORE_NOT_A_FOLDER`, and as `openHdfsStore`.
 *
 * @example
 * const store = await openHdfsStoreForReading('hdfs://nn1.example.org/apps/checkpoints');
 * const names = await store.list('orders/log/');
 */
export async function openHdfsStoreForReading(location: string, options: HdfsOptions = {}): Promise<Store> {
  const { openHdfsForReading } = await import('./hdfs-opening.ts');
  return openHdfsForReading(location, options);
}
