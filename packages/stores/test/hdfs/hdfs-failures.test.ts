import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openHdfsStore, openHdfsStoreForReading, type Store, StoreError } from '@tidemark/stores';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../disk-parts.ts';
import { whyNot } from '../support/services.ts';
import { bodyOf, piecesOf } from '../fixtures/checked-body.mjs';
import { cluster, rootOf } from './hdfs-cluster.ts';

const PUT = fileURLToPath(new URL('../fixtures/hdfs-put.mjs', import.meta.url));
const RACERS = 30;
const WRITERS = 6;

const reason = await whyNot('hdfs');
if (reason !== null) console.log(`SKIP hdfs: ${reason}`);

describe.skipIf(reason !== null)('a store on a real HDFS with two data nodes', () => {
  const running = cluster('--datanodes', '2');

  test(`of ${RACERS} racers through stores of their own exactly one wins, and its bytes are there`, async () => {
    const location = running().freshLocation();
    const stores = await Promise.all(Array.from({ length: RACERS }, () => running().open(location)));
    const answers = await Promise.all(
      stores.map((store, racer) => store.putIfAbsent('log/1', bodyOf(`racer ${racer}`))),
    );
    expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(RACERS - 1);
    const winner = bodyOf(`racer ${answers.indexOf('stored')}`);
    expect(winner.equals((await stores[0]?.get('log/1')) ?? new Uint8Array())).toBe(true);
    await Promise.all(stores.map((store) => store.close()));
    expect(await temps(location), 'no loser leaves a temp file').toEqual([]);
  });

  test('of a writer that is killed in the middle of a body nothing is ever seen', async () => {
    const location = running().freshLocation();
    const store = await running().open(location);
    const sizes = Array.from({ length: WRITERS }, (_, writer) => writer * 1_000_000);
    await Promise.all(
      sizes.map(async (size, writer) => {
        const child = spawn(process.execPath, [PUT, location, `cut/${writer}`, String(size)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        await once(child.stdout, 'data');
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
    // A data node closes the file of a lost connection: the torn ones are there, as temp files.
    await expect.poll(async () => (await temps(location)).length).toBe(WRITERS);
    expect(await store.list('')).toEqual([]);
    expect(await store.putIfAbsent('cut/0', bytesOf('whole'))).toBe('stored');
    expect(await store.list('')).toEqual(['cut/0']);
  });

  test('the paths of a store may hold any character that HDFS takes', async () => {
    const root = `/tests/${process.pid}/a b%+?#;=&'\\é/日本/🙂`;
    const encoded = root.split('/').map(encodeURIComponent).join('/');
    const location = `webhdfs://${running().nameNodes[0]}${encoded}?user=hdfs`;
    const store = await running().open(location);
    await store.put('x/y', bytesOf('odd'));
    expect(Buffer.from(await store.get('x/y')).toString()).toBe('odd');
    expect(await store.list('')).toEqual(['x/y']);
    const found = await running().ask('GET', `${encoded}/x`, 'op=LISTSTATUS');
    expect(JSON.stringify(found)).toContain('"pathSuffix":"y"');
  });

  test('1,200 names in one folder come page by page, whole and in order', async () => {
    const location = running().freshLocation();
    const root = rootOf(location);
    const names = Array.from({ length: 1_200 }, (_, index) => String(index).padStart(20, '0'));
    // Folders are listed like files and are made faster: each holds one object's name that a page must not lose.
    for (let start = 0; start < names.length; start += 100)
      await Promise.all(
        names.slice(start, start + 100).map((name) => running().ask('PUT', `${root}/many/${name}`, 'op=MKDIRS')),
      );
    const store = await running().open(location);
    await store.put(`many/${names[0]}/first`, bytesOf('x'));
    await store.put(`many/${names[1_199]}/last`, bytesOf('x'));
    expect(await store.list('many/')).toEqual([`many/${names[0]}/first`, `many/${names[1_199]}/last`]);
    expect(await store.list('many/', { after: `many/${names[600]}` })).toEqual([`many/${names[1_199]}/last`]);
  });

  test('a user without rights is denied, and nothing is called absent or empty', async () => {
    const location = running().freshLocation();
    const store = await running().open(location);
    await store.put('x/y', bytesOf('x'));
    const stranger = location.replace('user=hdfs', 'user=stranger');
    const denied = { code: 'STORE_DENIED', kind: 'denied' };
    await expect(openHdfsStore(stranger)).rejects.toMatchObject(denied);
    const reader = await openHdfsStoreForReading(stranger);
    await expect(reader.list('')).rejects.toMatchObject(denied);
    await expect(reader.get('x/y')).rejects.toMatchObject(denied);
    await expect(reader.get('x/none')).rejects.toMatchObject(denied);
    await reader.close();
  });

  test('a folder in the place of an object is told apart from an object', async () => {
    const store = await running().open();
    await store.put('folder/object', bytesOf('x'));
    await expect(store.putIfAbsent('folder', bytesOf('x'))).rejects.toMatchObject({
      code: 'STORE_BAD_NAME',
      kind: 'fatal',
    });
    await expect(store.put('folder/object/below', bytesOf('x'))).rejects.toMatchObject({ code: 'STORE_NOT_A_FOLDER' });
  });

  test("a folder that somebody removed under a store's hands is made again", async () => {
    const location = running().freshLocation();
    const store = await running().open(location);
    await store.put('x/1', bytesOf('x'));
    await running().ask('DELETE', `${rootOf(location)}/x`, 'op=DELETE&recursive=true');
    expect(await store.putIfAbsent('x/2', bytesOf('x'))).toBe('stored');
    await running().ask('DELETE', rootOf(location), 'op=DELETE&recursive=true');
    expect(await store.putIfAbsent('x/3', bytesOf('x'))).toBe('stored');
    expect(await store.list('')).toEqual(['x/3']);
  });

  test('a quota that is full is told as such', async () => {
    const location = running().freshLocation();
    const store = await running().open(location);
    await store.put('x/1', bytesOf('x'));
    await running().command('admin', 'dfsadmin', '-setSpaceQuota', '1', rootOf(location));
    await expect(store.put('x/2', bytesOf('more'))).rejects.toMatchObject({ code: 'STORE_FULL', kind: 'retry' });
    await running().command('admin', 'dfsadmin', '-clrSpaceQuota', rootOf(location));
    await running().command('admin', 'dfsadmin', '-setQuota', '5', rootOf(location));
    await expect(store.put('a/b/c', bytesOf('more'))).rejects.toMatchObject({ code: 'STORE_FULL', kind: 'retry' });
    expect(await store.list('')).toEqual(['x/1']);
  });

  test('safe mode is passing: reads go on, writes say "retry" and work again afterwards', async () => {
    const store = await running().open();
    await store.put('x/1', bytesOf('x'));
    await running().command('admin', 'dfsadmin', '-safemode', 'enter');
    try {
      await expect(store.put('x/2', bytesOf('x'), { deadlineMs: 3_000 })).rejects.toMatchObject({
        kind: 'retry',
        code: 'STORE_UNREACHABLE',
      });
      await expect(store.delete('x/1')).rejects.toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
      expect(await store.list('')).toEqual(['x/1']);
      expect(Buffer.from(await store.get('x/1')).toString()).toBe('x');
    } finally {
      await running().command('admin', 'dfsadmin', '-safemode', 'leave');
    }
    await store.put('x/2', bytesOf('x'));
  });

  test('a data node that dies: objects are read and written at the other one, and a stream that it took is told as failed', async () => {
    const store = await running().open();
    const names = Array.from({ length: 8 }, (_, index) => `before/${index}`);
    await Promise.all(names.map((name) => store.put(name, bodyOf(name))));
    await running().command('kill-datanode', '1');
    try {
      for (const name of names) expect(bodyOf(name).equals(await store.get(name)), name).toBe(true);
      const later = Array.from({ length: 8 }, (_, index) => `after/${index}`);
      for (const name of later) await store.put(name, bodyOf(name));
      await store.put('after/streamed', piecesOf('after/streamed'));
      for (const name of later) expect(bodyOf(name).equals(await store.get(name)), name).toBe(true);
    } finally {
      await running().command('start-datanode', '1');
      await running().command('wait');
    }
  });

  test('a data node that dies in the middle of a stream: nothing is published, and other calls go on', async () => {
    const ports: number[] = [];
    const noted = (_host: string, port: number) => void ports.push(port);
    const store = await running().open(undefined, { mapDataNode: noted });
    async function* body() {
      yield new Uint8Array(1_000_000);
      await running().command('kill-datanode', String(dataNodeAt(ports.at(-1) ?? 0)));
      for (let more = 0; more < 50; more++) yield new Uint8Array(1_000_000);
    }
    try {
      await expect(store.put('dies/1', body())).rejects.toMatchObject({ kind: 'retry' });
      await store.put('dies/2', bodyOf('dies/2'));
      expect(await store.list('')).toEqual(['dies/2']);
    } finally {
      await running().command('start-datanode', String(dataNodeAt(ports[0] ?? 0)));
      await running().command('wait');
    }
  });

  test('a name node that is killed and started again: all that was acknowledged is there, and every call ends rightly', async () => {
    const location = running().freshLocation();
    const store = await running().open(location);
    const life = { isOver: false };
    const writers = Array.from({ length: 8 }, (_, writer) => putLoop(store, writer, life));
    await expect
      .poll(
        () =>
          store.list('').then(
            ({ length }) => length,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBeGreaterThan(40);
    await running().command('kill-namenode');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await running().command('start-namenode');
    await running().command('wait');
    const listedAtOnce = await store.list('');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    life.isOver = true;
    const done = await Promise.all(writers);
    const acked = done.flatMap(({ stored }) => stored);
    const listed = await store.list('');
    expect(acked.filter((name) => !listed.includes(name))).toEqual([]);
    expect(listedAtOnce.length).toBeGreaterThan(40);
    // Not acknowledged and there is allowed; torn is not.
    for (const name of listed) expect(bodyOf(name).equals(await store.get(name)), `${name} is whole`).toBe(true);
    const errors = done.flatMap((each) => each.errors);
    expect(errors.length, 'the kill was noticed').toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toBeInstanceOf(StoreError);
      expect(['retry', 'lost'], (error as StoreError).message).toContain((error as StoreError).kind);
    }
  });

  /** The script gives a data node three ports, behind the six of name nodes and journal. */
  function dataNodeAt(port: number): number {
    const first = Number(new URL(`http://${running().nameNodes[0]}`).port) + 6;
    return (port - first) / 3 + 1;
  }

  async function temps(location: string): Promise<readonly string[]> {
    const found = (await running().ask('GET', `${rootOf(location)}/tmp`, 'op=LISTSTATUS')) as {
      readonly FileStatuses: { readonly FileStatus: readonly { readonly pathSuffix: string }[] };
    };
    return found.FileStatuses.FileStatus.map(({ pathSuffix }) => pathSuffix);
  }
});

/** Puts objects of new names until it is over. A name whose put failed is not used again. */
async function putLoop(store: Store, writer: number, life: { readonly isOver: boolean }) {
  const stored: string[] = [];
  const errors: unknown[] = [];
  for (let index = 0; !life.isOver; index++) {
    const name = `writer-${writer}/${String(index).padStart(6, '0')}`;
    try {
      await store.putIfAbsent(name, bodyOf(name), { deadlineMs: 5_000 });
      stored.push(name);
    } catch (error) {
      errors.push(error);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return { stored, errors };
}
