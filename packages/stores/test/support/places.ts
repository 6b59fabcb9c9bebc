import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { Cluster } from '../hdfs/hdfs-cluster.ts';
import { startS3 } from '../s3/real-s3.ts';
import { type ServiceKind, startService, whyNot } from './services.ts';
import { Toxiproxy } from './toxiproxy.ts';

/** A real server, or cluster of them, of a test file's own, on which a store can be. */
export interface Place {
  /** Scheme of a location there, as `storeType` has it too. */
  readonly kind: 's3' | 'hdfs';
  /** A location that nobody used before. */
  readonly location: () => string;
  /** The same, at a port on which nobody listens. */
  readonly nowhere: () => string;
  /** Its servers, each with what stands before it when the place was asked for behind proxies. */
  readonly servers: readonly Server[];
  readonly stop: () => Promise<void>;
}

export interface Server {
  readonly name: string;
  readonly kill: () => Promise<void>;
  /** Starts it again; resolves when it can be used. */
  readonly start: () => Promise<void>;
}

/** A place whose servers are each reached through a proxy of the server's name. */
export interface ProxiedPlace extends Place {
  readonly proxies: Toxiproxy;
}

const PLACES = [
  { kind: 's3', name: 'S3', start: startS3Place, startProxied: startProxiedS3 },
  { kind: 'hdfs', name: 'HDFS', start: startHdfsPlace, startProxied: startProxiedHdfs },
] as const;

/** Describes the same once for each kind of place; its servers run from before the first test until after the last one. */
export async function describePlaces(what: string, define: (place: () => Place) => void): Promise<void> {
  for (const { kind, name, start } of PLACES) await describePlace(`${what}, in ${name}`, [kind], start, define);
}

/** All kinds of places at once, from before the first test of the file until after the last one; null where one cannot be had. */
export async function startPlaces(what: string): Promise<(() => readonly Place[]) | null> {
  const reason = await firstReason(PLACES.map(({ kind }) => kind));
  if (reason !== undefined) {
    console.log(`SKIP ${what}: ${reason}`);
    return null;
  }
  const started: Place[] = [];
  beforeAll(async () => {
    for (const { start } of PLACES) started.push(await start());
  });
  afterAll(async () => {
    for (const place of started) await place.stop();
  });
  return () => started;
}

/** The same with a proxy before each server, so that what goes through can be broken. */
export async function describeProxiedPlaces(what: string, define: (place: () => ProxiedPlace) => void): Promise<void> {
  for (const { kind, name, startProxied } of PLACES) {
    const title = `${what}, in ${name} behind a network that breaks`;
    await describePlace(title, [kind, 'toxiproxy'], startProxied, define);
  }
}

async function describePlace<P extends Place>(
  title: string,
  needs: readonly ServiceKind[],
  start: () => Promise<P>,
  define: (place: () => P) => void,
): Promise<void> {
  const reason = await firstReason(needs);
  if (reason !== undefined) console.log(`SKIP ${title}: ${reason}`);
  describe.skipIf(reason !== undefined)(title, () => {
    let started: P | undefined;
    beforeAll(async () => {
      started = await start();
    });
    afterAll(() => started?.stop());
    define(() => {
      if (started === undefined) throw new Error('the place is started before the tests');
      return started;
    });
  });
}

async function firstReason(needs: readonly ServiceKind[]): Promise<string | undefined> {
  for (const kind of needs) {
    const reason = await whyNot(kind);
    if (reason !== null) return reason;
  }
  return undefined;
}

async function startS3Place(): Promise<Place> {
  const s3 = await startS3();
  return {
    kind: 's3',
    location: () => s3.location(),
    nowhere: () => s3.location({ at: 'http://127.0.0.1:1' }),
    servers: [
      {
        name: 's3',
        kill: () => done(s3.service.command('kill')),
        start: () => done(s3.service.command('restart')),
      },
    ],
    stop: s3.stop,
  };
}

async function startProxiedS3(): Promise<ProxiedPlace> {
  const s3 = await startS3();
  const proxies = await Toxiproxy.start();
  const at = await proxies.proxy('s3', new URL(s3.endpoint).host);
  return {
    kind: 's3',
    location: () => s3.location({ at: `http://${at}` }),
    nowhere: () => s3.location({ at: 'http://127.0.0.1:1' }),
    servers: [{ name: 's3', kill: () => proxies.refuse('s3'), start: () => proxies.heal() }],
    proxies,
    stop: async () => {
      await proxies.stop();
      await s3.stop();
    },
  };
}

async function startHdfsPlace(): Promise<Place> {
  const cluster = new Cluster(await startService('hdfs'));
  return {
    kind: 'hdfs',
    location: () => cluster.freshLocation().replace('webhdfs:', 'hdfs:'),
    nowhere: () => cluster.freshLocation(['127.0.0.1:1']),
    servers: ['namenode', 'datanode'].map((name) => ({
      name,
      kill: () => cluster.command(`kill-${name}`),
      start: async () => {
        await cluster.command(`start-${name}`);
        await cluster.command('wait');
      },
    })),
    stop: () => cluster.stop(),
  };
}

/** Where the data node says that it is: another address of this machine, on which a proxy listens at its port. */
const DATA_HOST = '127.0.0.2';

/**
 * A name node answers with the address of a data node, so that a client finds the proxy before the data node only if that is the
 * address that the data node itself tells: it is started once more with another host.
 */
async function startProxiedHdfs(): Promise<ProxiedPlace> {
  const cluster = new Cluster(await startService('hdfs'));
  const proxies = await Toxiproxy.start();
  const [nameNode = ''] = cluster.nameNodes;
  const nameNodeProxy = await proxies.proxy('namenode', nameNode);
  const dataNode = await dataNodeOf(nameNode);
  await proxies.proxy('datanode', dataNode.host, `${DATA_HOST}:${dataNode.port}`);
  await cluster.command('kill-datanode');
  const site = join(cluster.folder, 'site.xml');
  const host = `<property><name>dfs.datanode.hostname</name><value>${DATA_HOST}</value></property>`;
  await writeFile(site, (await readFile(site, 'utf8')).replace('</configuration>', `${host}\n</configuration>`));
  await cluster.command('start-datanode');
  await cluster.command('wait');
  if ((await dataNodeOf(nameNode)).hostname !== DATA_HOST) throw new Error('the data node does not tell its new host');
  return {
    kind: 'hdfs',
    location: () => cluster.freshLocation([nameNodeProxy]),
    nowhere: () => cluster.freshLocation(['127.0.0.1:1']),
    servers: ['namenode', 'datanode'].map((name) => ({
      name,
      kill: () => proxies.refuse(name),
      start: () => proxies.heal(),
    })),
    proxies,
    stop: async () => {
      await proxies.stop();
      await cluster.stop();
    },
  };
}

/** Where the name node sends those who write. */
async function dataNodeOf(nameNode: string): Promise<URL> {
  const path = '/webhdfs/v1/tests-probe?op=CREATE&noredirect=true&user.name=hdfs';
  const answer = await fetch(`http://${nameNode}${path}`, { method: 'PUT' });
  const { Location } = (await answer.json()) as { readonly Location: string };
  return new URL(Location);
}

async function done(work: Promise<unknown>): Promise<void> {
  await work;
}
