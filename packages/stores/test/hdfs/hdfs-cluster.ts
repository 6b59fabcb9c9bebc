import { type HdfsOptions, openHdfsStore, type Store } from '@tidemark/stores';
import { afterAll, beforeAll } from 'vitest';
import { type Service, startService } from '../support/services.ts';

/** A real HDFS of a test file's own. */
export class Cluster {
  readonly #service: Service;
  readonly #opened: Store[] = [];
  /** Addresses of the name nodes, as `host:port`. */
  readonly nameNodes: readonly string[];
  #folders = 0;

  constructor(service: Service) {
    this.#service = service;
    this.nameNodes = (service.env['HDFS_NAMENODES'] ?? '').split(',').map((url) => new URL(url).host);
  }

  /** A folder that nobody used before, on all name nodes or on the given ones. */
  freshLocation(nameNodes: readonly string[] = this.nameNodes): string {
    return `webhdfs://${nameNodes.join(',')}/tests/${process.pid}/${++this.#folders}?user=hdfs`;
  }

  /** Closed after the tests of the file. */
  async open(location = this.freshLocation(), options?: HdfsOptions): Promise<Store> {
    const store = await openHdfsStore(location, options);
    this.#opened.push(store);
    return store;
  }

  /** Where the cluster keeps its logs and process ids. */
  get folder(): string {
    return this.#service.folder;
  }

  /** Another command of the script, such as `kill-namenode`. */
  async command(name: string, ...rest: readonly string[]): Promise<void> {
    await this.#service.command(name, ...rest);
  }

  /** One request to a name node as the superuser, past the store. */
  async ask(method: string, path: string, query: string): Promise<unknown> {
    const answer = await fetch(`http://${this.nameNodes[0]}/webhdfs/v1${path}?user.name=hdfs&${query}`, { method });
    const text = await answer.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#opened.map((store) => store.close()));
    await this.#service.stop();
  }
}

/** Starts a cluster before the tests of the file and stops it after them. */
export function cluster(...args: readonly string[]): () => Cluster {
  let started: Cluster | undefined;
  beforeAll(async () => {
    started = new Cluster(await startService('hdfs', ...args));
  });
  afterAll(() => started?.stop());
  return () => {
    if (started === undefined) throw new Error('the cluster is started before the tests');
    return started;
  };
}

/** The folder that a location names, as a path in HDFS. */
export function rootOf(location: string): string {
  return new URL(location.replace(/^\w+:\/\/[^/]*/, 'http://x')).pathname;
}
