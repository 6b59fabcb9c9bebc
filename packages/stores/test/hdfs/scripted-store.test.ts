import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openHdfsStore, openHdfsStoreForReading } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../disk-parts.ts';
import { ScriptedHdfs } from './scripted-hdfs.ts';
import { type Call, hanging, throwing, when } from './scripted-rows.ts';
import { rejection, scriptedStore } from './scripted-store.ts';

const world = scriptedStore();
const CALLS: readonly Call[] = ['put', 'stream', 'putIfAbsent', 'replace', 'get', 'list', 'delete'];

test('what a streamed body throws is passed on as it is', async () => {
  const mine = new Error('mine');
  async function* body() {
    yield bytesOf('half');
    throw mine;
  }
  await expect(world.store.put('new/thrown', body())).rejects.toBe(mine);
  expect(await world.store.list('')).toEqual(['there']);
});

test('a slow source is not a stalled connection', async () => {
  async function* body() {
    yield bytesOf('half');
    await new Promise((resolve) => setTimeout(resolve, 900));
    yield bytesOf('rest');
  }
  await world.store.put('new/slow', body());
  expect(Buffer.from(await world.store.get('new/slow')).toString()).toBe('halfrest');
});

test.each(CALLS)('%s ends when the caller gives up while a node hangs', async (call) => {
  world.hdfs.script = hanging;
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  expect(await rejection(world.call(call, abort.signal))).toMatchObject({ code: 'STORE_ABORTED', kind: 'retry' });
});

test('a name node and a data node may be named by name', async () => {
  const port = Number(new URL(`http://${world.hdfs.host}`).port);
  const options = { mapDataNode: () => ({ host: 'localhost', port }) };
  const named = await openHdfsStore(`webhdfs://localhost:${port}/named`, options);
  await named.put('x', bytesOf('x'));
  expect(Buffer.from(await named.get('x')).toString()).toBe('x');
  await named.close();
});

test('many calls may share one signal', async () => {
  const warnings: Error[] = [];
  const noted = (warning: Error) => warnings.push(warning);
  process.on('warning', noted);
  const { signal } = new AbortController();
  await Promise.all(
    Array.from({ length: 40 }, (_, index) => world.store.put(`many/${index}`, bytesOf('x'), { signal })),
  );
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', noted);
  expect(warnings).toEqual([]);
});

describe('opening', () => {
  test('without the package webhdfs says how to install it', async () => {
    const fixture = fileURLToPath(new URL('../fixtures/without-webhdfs.mjs', import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [fixture]);
    expect(JSON.parse(stdout)).toEqual({
      code: 'STORE_NOT_INSTALLED',
      kind: 'fatal',
      message:
        'hdfs://127.0.0.1:9870/x cannot be opened: the package webhdfs is not installed. Run: npm install webhdfs@1.2.0',
    });
    expect(stderr).toBe('');
  });

  test('a server that leaves renameoptions out is refused', async () => {
    world.hdfs.script = when('RENAME', 'name node', (response) => response.end('{"boolean":true}'));
    expect(await rejection(openHdfsStore(world.hdfs.location))).toMatchObject({ code: 'STORE_UNSAFE', kind: 'fatal' });
  });

  test('for reading changes nothing', async () => {
    world.hdfs.asked.length = 0;
    const reader = await openHdfsStoreForReading(world.hdfs.location);
    expect(await reader.list('')).toEqual(['there']);
    await reader.get('there');
    expect(await rejection(reader.put('x', bytesOf('x')))).toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(new Set(world.hdfs.asked.map(({ operation }) => operation))).toEqual(
      new Set(['GETFILESTATUS', 'LISTSTATUS_BATCH', 'OPEN']),
    );
    await reader.close();
    expect(await rejection(openHdfsStoreForReading(`webhdfs://${world.hdfs.host}/none`))).toMatchObject({
      code: 'STORE_NOT_FOUND',
    });
    expect(await rejection(openHdfsStoreForReading(`webhdfs://${world.hdfs.host}/s/there`))).toMatchObject({
      code: 'STORE_NOT_A_FOLDER',
    });
  });

  test('removes what dead writers left, and leaves the rest, which no listing shows', async () => {
    const file = { id: 30_000, bytes: Buffer.from('x') };
    const young = { ...file, modifiedMs: Date.now() - 600_000 };
    world.hdfs.files.set('/s/tmp/old.part', file).set('/s/tmp/young.part', young).set('/s/tmp/foreign', file);
    const again = await openHdfsStore(world.hdfs.location);
    expect(await again.list('')).toEqual(['there']);
    await again.close();
    expect([...world.hdfs.files.keys()]).toEqual(['/s/there', '/s/tmp/young.part', '/s/tmp/foreign']);
  });
});

describe('two name nodes', () => {
  test('both in standby: unreachable at the deadline', async () => {
    const other = await ScriptedHdfs.start();
    try {
      const both = await openHdfsStore(`webhdfs://${world.hdfs.host},${other.host}/s?user=tester`);
      world.hdfs.script = other.script = (_asked, response) => throwing('StandbyException')(response);
      const error = await rejection(both.list('', { deadlineMs: 3_000 }));
      expect(error).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
      expect(error.message).toMatch(/StandbyException.*until the deadline/);
      expect(other.count('LISTSTATUS_BATCH'), 'the other one was asked, more than once').toBeGreaterThan(1);
      await both.close();
    } finally {
      await other.stop();
    }
  });

  test('a rename whose answer is lost is not sent to the other one', async () => {
    const other = await ScriptedHdfs.start();
    try {
      const both = await openHdfsStore(`webhdfs://${world.hdfs.host},${other.host}/s?user=tester`);
      const before = world.hdfs.count('RENAME');
      world.hdfs.script = async (asked, response, usual) => {
        if (asked.operation !== 'RENAME' || asked.count !== before + 1) return 'usual';
        await usual();
        response.destroy();
        return undefined;
      };
      expect(await both.putIfAbsent('x', bytesOf('x'))).toBe('stored');
      expect(world.hdfs.count('RENAME')).toBe(before + 1);
      expect(other.count('RENAME')).toBe(0);
      await both.close();
    } finally {
      await other.stop();
    }
  });

  test('the active one is remembered', async () => {
    const standby = await ScriptedHdfs.start();
    standby.script = (_asked, response) => throwing('StandbyException')(response);
    try {
      const both = await openHdfsStore(`webhdfs://${standby.host},${world.hdfs.host}/s?user=tester`);
      expect(await both.list('')).toEqual(['there']);
      expect(standby.asked).toHaveLength(1);
      await both.close();
    } finally {
      await standby.stop();
    }
  });
});

test('what was sent and received is counted by operation', async () => {
  await world.store.put('new/counted', bytesOf('12345'));
  await world.store.get('new/counted');
  const { requests, bytesSent, bytesReceived } = world.store.traffic?.() ?? {
    requests: {},
    bytesSent: 0,
    bytesReceived: 0,
  };
  expect(requests).toMatchObject({ CREATE: 4, OPEN: 2, RENAME: 3 });
  expect(bytesSent).toBe(15);
  expect(bytesReceived).toBeGreaterThan(5);
});

describe('the scripted server itself keeps the contract, so that only its scripts are at fault', () => {
  const rules = storeConformance(async () => {
    world.hdfs.files.clear();
    return openHdfsStore(`webhdfs://${world.hdfs.host}/c${++contracts}`);
  });
  const wanted = rules.filter((rule) => /^S1|^S3: putIfAbsent|^get: a range is/.test(rule.name));
  for (const { name, run } of wanted) test(name, run);
});
let contracts = 0;
