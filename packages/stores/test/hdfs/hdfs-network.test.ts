import { type Store, StoreError } from '@tidemark/stores';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf } from '../fixtures/checked-body.mjs';
import { whyNot } from '../support/services.ts';
import { type Toxic, Toxiproxy } from '../support/toxiproxy.ts';
import { cluster, rootOf } from './hdfs-cluster.ts';

const reason = (await whyNot('hdfs')) ?? (await whyNot('toxiproxy'));
if (reason !== null) console.log(`SKIP hdfs behind a broken network: ${reason}`);

const MEGABYTE = 1_048_576;
const big = Buffer.alloc(8 * MEGABYTE, 'tidemark');

const LOST_REPLY: Toxic = { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } };
const LOST_REQUEST: Toxic = { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } };
const RESET: Toxic = { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } };
const SLOW: Toxic = { type: 'latency', stream: 'downstream', attributes: { latency: 150, jitter: 50 } };
const NARROW: Toxic = { type: 'bandwidth', stream: 'upstream', attributes: { rate: 8_000 } };
const NARROW_BACK: Toxic = { type: 'bandwidth', stream: 'downstream', attributes: { rate: 8_000 } };
const SLICED: Toxic = {
  type: 'slicer',
  stream: 'downstream',
  attributes: { average_size: 512, size_variation: 128, delay: 10 },
};
const CUT_UP: Toxic = { type: 'limit_data', stream: 'upstream', attributes: { bytes: 3 * MEGABYTE } };
const CUT_DOWN: Toxic = { type: 'limit_data', stream: 'downstream', attributes: { bytes: 3 * MEGABYTE } };

describe.skipIf(reason !== null)('a store on a real HDFS behind a network that breaks', () => {
  const running = cluster();
  let toxiproxy: Toxiproxy;
  let store: Store;
  let root: string;

  beforeAll(async () => {
    toxiproxy = await Toxiproxy.start();
    const [nameNode = ''] = running().nameNodes;
    const dataNode = await dataNodeOf(nameNode);
    const nameNodeProxy = await toxiproxy.proxy('nn', nameNode);
    const dataNodeProxy = new URL(`http://${await toxiproxy.proxy('dn', dataNode)}`);
    const location = running().freshLocation([nameNodeProxy]);
    root = rootOf(location);
    store = await running().open(location, {
      stallMs: 700,
      mapDataNode: (host, port) =>
        `${host}:${port}` === dataNode ? { host: dataNodeProxy.hostname, port: Number(dataNodeProxy.port) } : undefined,
    });
    await store.put('there/big', big);
    await store.put('there/small', bodyOf('small'));
  });
  afterEach(() => toxiproxy.heal());
  afterAll(() => toxiproxy.stop());

  test.each([
    ['the name node answers late', 'nn', SLOW],
    ['the data node answers late', 'dn', SLOW],
    ['the way to the data node is narrow', 'dn', NARROW],
    ['the way back from the data node is narrow', 'dn', NARROW_BACK],
    ['the name node answers in small pieces', 'nn', SLICED],
  ] as const)('%s: everything works', async (what, proxy, toxic) => {
    await toxiproxy.break(proxy, toxic);
    const name = `slow/${what.replaceAll(' ', '-')}`;
    await store.put(name, big);
    expect(big.equals(await store.get(name))).toBe(true);
    expect(await store.list('slow/')).toContain(name);
    expect(await store.putIfAbsent(name, bodyOf('other'))).toBe('taken');
  });

  test.each([
    ['the replies of the name node are lost', 'nn', LOST_REPLY, ['STORE_TIMEOUT']],
    ['the requests to the name node are lost', 'nn', LOST_REQUEST, ['STORE_TIMEOUT']],
    ['the name node resets', 'nn', RESET, ['STORE_UNREACHABLE']],
  ] as const)('%s: every call says so before its deadline, and nothing is seen', async (_what, proxy, toxic, codes) => {
    await toxiproxy.break(proxy, toxic);
    const deadlineMs = 1_000;
    const calls = [
      store.put('none/1', bodyOf('x'), { deadlineMs }),
      store.putIfAbsent('none/2', bodyOf('x'), { deadlineMs }),
      store.replace('none/3', bodyOf('x'), { deadlineMs }),
      store.get('there/small', { deadlineMs }),
      store.list('', { deadlineMs }),
      store.delete('there/none', { deadlineMs }),
    ];
    for (const error of await Promise.all(calls.map(failure))) {
      expect(error.kind).toBe('retry');
      expect(codes, error.message).toContain(error.code);
    }
    await toxiproxy.heal();
    expect(await store.list('none/')).toEqual([]);
  });

  test.each([
    // A data node closes the connection behind its answer, which may be seen where the answer is not.
    ['its replies are lost', LOST_REPLY, ['STORE_TIMEOUT', 'STORE_UNREACHABLE']],
    ['its requests are lost', LOST_REQUEST, ['STORE_TIMEOUT', 'STORE_UNREACHABLE']],
    ['it resets', RESET, ['STORE_UNREACHABLE']],
    ['the body is cut', CUT_UP, ['STORE_UNREACHABLE', 'STORE_TIMEOUT', 'STORE_IO']],
  ] as const)('the data node is behind a broken way, %s: nothing is published', async (what, toxic, codes) => {
    await toxiproxy.break('dn', toxic);
    for (const body of [big, slowly(big)]) {
      const error = await failure(store.put(`broken/${what.replaceAll(' ', '-')}`, body));
      expect(error.kind).toBe('retry');
      expect(codes, error.message).toContain(error.code);
    }
    expect(await store.list('broken/')).toEqual([]);
  });

  test.each([
    ['its replies are lost', LOST_REPLY],
    ['it resets', RESET],
    ['the object is cut', CUT_DOWN],
  ] as const)(
    'the data node is behind a broken way, %s: no part of an object is taken for it',
    async (_what, toxic) => {
      await toxiproxy.break('dn', toxic);
      expect(await failure(store.get('there/big'))).toMatchObject({ kind: 'retry' });
    },
  );

  test('the data node refuses connections: said at once, and the body of a stream was not begun', async () => {
    await toxiproxy.refuse('dn');
    const state = { begun: false };
    async function* body() {
      state.begun = true;
      yield bodyOf('x');
    }
    expect(await failure(store.put('refused/1', body()))).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
    expect(state.begun).toBe(false);
  });

  test('the name node refuses connections', async () => {
    await toxiproxy.refuse('nn');
    expect(await failure(store.list(''))).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
    expect(await failure(store.putIfAbsent('refused/2', bodyOf('x')))).toMatchObject({ kind: 'retry' });
  });

  test('the reply to a rename is lost and comes back to life: each putIfAbsent is stored once, or says that it is not known', async () => {
    const answers = new Map<string, string>();
    for (let round = 0; round < 6; round++) {
      const names = Array.from({ length: 4 }, (_, index) => `flaky/${round}-${index}`);
      const puts = names.map(async (name) => {
        answers.set(
          name,
          await store.putIfAbsent(name, bodyOf(name), { deadlineMs: 4_000 }).catch((error: unknown) => kindOf(error)),
        );
      });
      // In the middle of the four steps of a put, at another place each round.
      await new Promise((resolve) => setTimeout(resolve, 4 + round * 8));
      await toxiproxy.break('nn', round % 2 === 0 ? LOST_REPLY : RESET);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await toxiproxy.heal();
      await Promise.all(puts);
    }
    const listed = new Set(await store.list('flaky/'));
    for (const [name, answer] of answers) {
      expect(['stored', 'retry', 'lost'], name).toContain(answer);
      if (answer !== 'lost') expect(listed.has(name), `${name} said ${answer}`).toBe(answer === 'stored');
      if (listed.has(name)) expect(bodyOf(name).equals(await store.get(name)), name).toBe(true);
    }
  });

  async function dataNodeOf(nameNode: string): Promise<string> {
    const url = `http://${nameNode}/webhdfs/v1/probe?op=CREATE&noredirect=true&user.name=hdfs`;
    const { Location } = (await (await fetch(url, { method: 'PUT' })).json()) as { readonly Location: string };
    return new URL(Location).host;
  }

  test('a file that was cut is there, closed and torn, and only as a temp file', async () => {
    await toxiproxy.break('dn', CUT_UP);
    await failure(store.put('torn/1', slowly(big)));
    await toxiproxy.heal();
    expect(await store.list('torn/')).toEqual([]);
    expect(await running().ask('GET', `${root}/torn`, 'op=LISTSTATUS')).toMatchObject({
      FileStatuses: { FileStatus: [] },
    });
  });
});

async function* slowly(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += MEGABYTE) yield bytes.subarray(start, start + MEGABYTE);
}

async function failure(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    () => new Error('it resolved'),
    (reason_: unknown) => reason_,
  );
  if (error instanceof StoreError) return error;
  throw error;
}

function kindOf(error: unknown): string {
  if (error instanceof StoreError) return error.kind;
  throw error;
}
