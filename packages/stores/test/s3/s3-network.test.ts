import { openS3Store, type Store } from '@tidemark/stores';
import { RETRY_POLICY } from '@tidemark/stores/internal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Service, startService, whyNot } from '../support/services.ts';
import { type RealS3, startS3 } from './real-s3.ts';
import { bytesOf, failureOf } from './scripted-store.ts';

const reason = (await whyNot('s3')) ?? (await whyNot('toxiproxy'));
if (reason !== null) console.log(`SKIP S3 behind a proxy: ${reason}`);

const MIB = 1024 * 1024;

/** A fault as Toxiproxy takes it; `down` is on the way of answers. */
interface Toxic {
  readonly type: string;
  readonly stream?: 'upstream' | 'downstream';
  readonly toxicity?: number;
  readonly attributes?: Readonly<Record<string, number>>;
}

describe.skipIf(reason !== null)('on a way that is bad', () => {
  let s3: RealS3;
  let proxy: Service;
  let api: string;
  let location: string;
  /** Both go through the proxy. The hasty one has little time, so that what never comes is soon over. */
  let store: Store;
  let hasty: Store;
  /** Sees what is really there. */
  let direct: Store;

  beforeAll(async () => {
    s3 = await startS3();
    proxy = await startService('toxiproxy');
    api = proxy.env['TOXIPROXY_URL'] ?? '';
  });
  afterAll(async () => {
    await proxy?.stop();
    await s3?.stop();
  });
  beforeEach(async () => {
    const { s3: at = '' } = await proxy.command('proxy', 's3', s3.endpoint.replace('http://', ''));
    const plain = s3.location();
    location = plain.replace(s3.endpoint, `http://${at}`);
    direct = await openS3Store(plain);
    store = await openS3Store(location);
    hasty = await openS3Store(location, {
      limits: { callMs: 1_500, idleMs: 500 },
      retryPolicy: { ...RETRY_POLICY, attemptsMax: 3, firstMs: 20, longestMs: 100 },
    });
  });
  afterEach(async () => {
    await heal();
    await store.close();
    await hasty.close();
    await direct.close();
  });

  const heal = () => post('/reset');
  const post = async (path: string, body: unknown = {}) => {
    const { ok, status } = await fetch(`${api}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!ok) throw new Error(`the proxy answered ${status} to ${path}`);
  };
  const poison = ({ type, stream = 'downstream', toxicity = 1, attributes = {} }: Toxic) =>
    post('/proxies/s3/toxics', { name: type, type, stream, toxicity, attributes });
  /** Heals the way as soon as the server has got the object. */
  const healWhenThere = async (name: string) => {
    while (!(await direct.list('')).includes(name));
    await heal();
  };
  const body = bytesOf('our bytes');

  test.each<readonly [string, Toxic]>([
    ['slow', { type: 'latency', attributes: { latency: 200, jitter: 100 } }],
    ['narrow, for what is sent', { type: 'bandwidth', stream: 'upstream', attributes: { rate: 2_000 } }],
    ['narrow, for what is read', { type: 'bandwidth', attributes: { rate: 2_000 } }],
    ['in crumbs', { type: 'slicer', attributes: { average_size: 2_000, size_variation: 1_000, delay: 5 } }],
    ['closed slowly', { type: 'slow_close', attributes: { delay: 500 } }],
  ])('that is %s, everything works', async (_, toxic) => {
    await poison(toxic);
    const bytes = Buffer.alloc(1_000_003, 'slow ');
    expect(await store.putIfAbsent('name', bytes)).toBe('stored');
    expect(await store.putIfAbsent('name', body)).toBe('taken');
    expect(bytes.equals(await store.get('name'))).toBe(true);
    expect(await store.list('')).toEqual(['name']);
    await store.delete('name');
    expect(await direct.list('')).toEqual([]);
  });

  test('a large body that moves is not given up, however long it takes', async () => {
    const bytes = Buffer.alloc(3 * MIB, 'slow ');
    await poison({ type: 'bandwidth', stream: 'upstream', attributes: { rate: 1_500 } });
    const limits = { callMs: 1_000, idleMs: 20_000 };
    const slow = await openS3Store(location, { limits });
    await slow.put('name', bytes);
    await heal();
    await poison({ type: 'bandwidth', attributes: { rate: 2_000 } });
    expect(bytes.equals(await slow.get('name'))).toBe(true);
    await slow.close();
  });

  for (const [what, toxic] of [
    ['swallowed', { type: 'timeout', attributes: { timeout: 0 } }],
    ['reset', { type: 'reset_peer', attributes: { timeout: 0 } }],
    ['cut off', { type: 'limit_data', attributes: { bytes: 10 } }],
  ] as const) {
    test(`whose answers are ${what} after the server acted: the put is "stored", once`, async () => {
      await poison(toxic);
      const [answer] = await Promise.all([store.putIfAbsent('name', body), healWhenThere('name')]);
      expect(answer).toBe('stored');
      expect(Buffer.from(await direct.get('name')).equals(Buffer.from(body))).toBe(true);
      expect(await direct.list('')).toEqual(['name']);
      expect(await store.putIfAbsent('name', body)).toBe('taken');
    });

    test(`whose answers are ${what} for ever: the outcome is not known`, async () => {
      await poison(toxic);
      const failure = await failureOf(hasty.putIfAbsent('name', body));
      expect(failure).toMatchObject({ kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' });
      await heal();
      expect(await store.list('')).toEqual(['name']);
    });

    test(`whose answers are ${what} for ever: reading fails, and may be repeated`, async () => {
      await direct.put('name', body);
      await poison(toxic);
      for (const call of [() => hasty.get('name'), () => hasty.list('')])
        expect(await failureOf(call())).toMatchObject({
          kind: 'retry',
          code: expect.stringMatching(/STORE_(?:TIMEOUT|UNREACHABLE)/),
        });
    });
  }

  test.each<readonly [string, Toxic]>([
    ['swallowed', { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } }],
    ['cut off', { type: 'limit_data', stream: 'upstream', attributes: { bytes: 100 } }],
  ])('whose requests are %s: nothing is stored, and nobody claims it', async (_, toxic) => {
    await poison(toxic);
    expect(await failureOf(hasty.putIfAbsent('name', body))).toMatchObject({
      kind: 'lost',
      code: 'STORE_OUTCOME_UNKNOWN',
    });
    await heal();
    expect(await direct.list('')).toEqual([]);
    expect(await store.putIfAbsent('name', body)).toBe('stored');
  });

  test('that breaks off in the middle of a large body, up and down: it is sent and read again', async () => {
    const bytes = Buffer.alloc(3 * MIB, 'large ');
    /** Heals the way when so many requests of a kind were sent: the last one may go on. */
    const healAt = async (call: 'PutObject' | 'GetObject', count: number) => {
      while ((store.traffic?.().requests[call] ?? 0) < count) await new Promise((resolve) => setTimeout(resolve, 5));
      await heal();
    };
    await poison({ type: 'limit_data', stream: 'upstream', toxicity: 1, attributes: { bytes: MIB } });
    const [answer] = await Promise.all([store.putIfAbsent('name', bytes), healAt('PutObject', 2 + 2)]);
    expect(answer).toBe('stored');
    await poison({ type: 'limit_data', attributes: { bytes: MIB } });
    const [got] = await Promise.all([store.get('name'), healAt('GetObject', 2)]);
    expect(bytes.equals(got)).toBe(true);
    const { PutObject = 0, GetObject = 0 } = store.traffic?.().requests ?? {};
    // Opening puts twice.
    expect(PutObject).toBeGreaterThan(2 + 1);
    expect(GetObject).toBeGreaterThan(1);
  });

  test('on which every third connection hangs, all calls come through', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `name-${index}`);
    const patient = await openS3Store(location, {
      limits: { callMs: 3_000, idleMs: 500 },
      retryPolicy: { ...RETRY_POLICY, attemptsMax: 10, firstMs: 10, longestMs: 20 },
    });
    // Not at the opening: its many small calls would one day all meet the one that hangs.
    await poison({ type: 'timeout', toxicity: 0.3, attributes: { timeout: 0 } });
    // Many bytes go by progress: what hangs is given up soon.
    const bytes = Buffer.alloc(100_000, 'x');
    const answers = await Promise.all(names.map((name) => patient.putIfAbsent(name, bytes)));
    expect(answers).toEqual(names.map(() => 'stored'));
    await patient.close();
    expect(await direct.list('')).toEqual(names.toSorted());
  });

  test('that is closed: everything is unreachable, nothing was done; then it is open again', async () => {
    await post('/proxies/s3', { enabled: false });
    const calls = [
      // The first notices that its connection was closed; a put could not know whether it got through.
      () => hasty.list(''),
      () => hasty.get('name'),
      () => hasty.putIfAbsent('name', body),
      () => hasty.delete('name'),
    ];
    for (const call of calls)
      expect(await failureOf(call())).toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
    const [answer] = await Promise.all([store.putIfAbsent('name', body), soon(heal)]);
    expect(answer).toBe('stored');
  });

  test('with a deadline of the caller no call outlives it, and says what it knows', async () => {
    await direct.put('there', body);
    await poison({ type: 'timeout', attributes: { timeout: 0 } });
    const deadlineMs = 300;
    expect(await failureOf(hasty.get('there', { deadlineMs }))).toMatchObject({ kind: 'retry', code: 'STORE_TIMEOUT' });
    expect(await failureOf(hasty.list('', { deadlineMs }))).toMatchObject({ kind: 'retry', code: 'STORE_TIMEOUT' });
    for (const call of [
      () => hasty.putIfAbsent('new', body, { deadlineMs }),
      () => hasty.put('newer', body, { deadlineMs }),
      () => hasty.delete('there', { deadlineMs }),
    ])
      expect(await failureOf(call())).toMatchObject({ kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' });
  });
});

/** While the first attempt of a call is under way. */
async function soon(work: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  await work();
}
