import { createHash, type Hash } from 'node:crypto';
import { openS3Store, openS3StoreForReading, type Store, StoreError } from '@tidemark/stores';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNot } from '../support/services.ts';
import { type RealS3, startS3 } from './real-s3.ts';
import { bytesOf, failureOf, QUICK } from './scripted-store.ts';

const reason = await whyNot('s3');
if (reason !== null) console.log(`SKIP S3: ${reason}`);

const MIB = 1024 * 1024;

describe.skipIf(reason !== null)('in a real S3 server', () => {
  let s3: RealS3;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3?.stop());

  test('64 MB are streamed in parts, no faster than they are taken', async () => {
    const store = await s3.open();
    const sent = createHash('sha256');
    let made = 0;
    let aheadMax = 0;
    async function* body() {
      for (; made < 64; made++) {
        const chunk = Buffer.alloc(MIB, `${made} `);
        sent.update(chunk);
        aheadMax = Math.max(aheadMax, made * MIB - (store.traffic?.().bytesSent ?? 0));
        yield chunk;
        // The owner of a chunk may use it again.
        chunk.fill(0);
      }
    }
    await store.put('large', body());
    expect(hexOf(createHash('sha256').update(await store.get('large')))).toBe(hexOf(sent));
    // Parts under way, the next one that is being filled, and what is not yet handed to the connection.
    expect(aheadMax).toBeLessThanOrEqual(6 * 8 * MIB);
    expect(store.traffic?.().requests).toMatchObject({ UploadPart: 1 + 8, CompleteMultipartUpload: 2 });
    const middle = await store.get('large', { offset: 8 * MIB - 5, length: 10 });
    expect(middle).toHaveLength(10);
  });

  test('the server tells when an object was stored, also to who only looks', async () => {
    const location = s3.location();
    const store = await openS3Store(location);
    await store.put('object', bytesOf('x'));
    const reading = await openS3StoreForReading(location);
    const told = await store.storedAt?.('object');
    expect(told).toBeGreaterThan(Date.UTC(2020));
    expect(await reading.storedAt?.('object')).toBe(told);
    expect(await failureOf(Promise.resolve(reading.storedAt?.('missing')))).toMatchObject({
      kind: 'absent',
      code: 'STORE_ABSENT',
    });
    expect(reading.traffic?.().requests).toMatchObject({ HeadObject: 2, ListObjectsV2: 1 });
    await reading.close();
    await store.close();
  });

  test('sizes around that of a part come back as they were', async () => {
    const store = await s3.open();
    for (const size of [8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB]) {
      const bytes = Buffer.alloc(size, `${size} `);
      await store.put(`bytes/${size}`, bytes);
      await store.put(`stream/${size}`, inChunks(bytes, 3_000_017));
      expect(bytes.equals(await store.get(`bytes/${size}`))).toBe(true);
      expect(bytes.equals(await store.get(`stream/${size}`))).toBe(true);
    }
  });

  test('of racers with large objects exactly one wins, and no parts of the others stay', async () => {
    const location = s3.location();
    const stores = await Promise.all([1, 2, 3, 4].map(() => openS3Store(location)));
    const answers = await Promise.all(
      stores.map((store, racer) => store.putIfAbsent('race', Buffer.alloc(9 * MIB, `${racer} `))),
    );
    expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
    const winner = answers.indexOf('stored');
    expect((await stores[0]?.get('race'))?.subarray(0, 2)).toEqual(new Uint8Array(bytesOf(`${winner} `)));
    // Each opening tried one, and each loser ended its own.
    const aborts = stores.map((store) => store.traffic?.().requests['AbortMultipartUpload']);
    expect(aborts.toSorted()).toEqual([1, 2, 2, 2]);
    for (const store of stores) await store.close();
  });

  test('a store that another process opened sees at once what was put', async () => {
    const location = s3.location();
    const [writer, reader] = await Promise.all([openS3Store(location), openS3Store(location)]);
    for (let position = 0; position < 50; position++) {
      await writer.put(`log/${position}`, bytesOf(`${position}`));
      expect(await reader.list('log/')).toHaveLength(position + 1);
      expect(await reader.get(`log/${position}`)).toHaveLength(`${position}`.length);
    }
    await writer.close();
    await reader.close();
  });

  test('2,000 objects are listed whole and in order', async () => {
    const store = await s3.open();
    const names = Array.from({ length: 2_000 }, (_, index) => `many/${String(index * 7919).padStart(9, '0')}`);
    await inTurns(names, 32, (name) => store.put(name, bytesOf('x')));
    expect(await store.list('many/')).toEqual(names.toSorted());
    expect(await store.list('many/', { after: names[1_500] ?? '' })).toEqual(names.slice(1_501));
  });

  test('wrong credentials are told as that, without showing them', async () => {
    const { AWS_SECRET_ACCESS_KEY: secret = '', AWS_ACCESS_KEY_ID: key = '' } = process.env;
    try {
      process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong-canary-secret';
      const wrong = await failureOf(openS3Store(s3.location()));
      expect(wrong).toMatchObject({ kind: 'denied', code: 'STORE_CREDENTIALS' });
      process.env['AWS_ACCESS_KEY_ID'] = 'AKIAWRONGCANARY12345';
      const unknown = await failureOf(openS3Store(s3.location()));
      expect(unknown).toMatchObject({ kind: 'denied', code: 'STORE_CREDENTIALS' });
      for (const { message, stack, cause } of [wrong, unknown])
        expect([message, stack, String(cause)].join(' ').toLowerCase()).not.toContain('canary');
    } finally {
      process.env['AWS_SECRET_ACCESS_KEY'] = secret;
      process.env['AWS_ACCESS_KEY_ID'] = key;
    }
  });

  test('a bucket that is not there is told as that', async () => {
    const location = s3.location().replace(/^s3:\/\/[^/]+/, 's3://no-such-bucket');
    expect(await failureOf(openS3Store(location))).toMatchObject({ kind: 'fatal', code: 'STORE_NOT_FOUND' });
  });

  test('a clock that is 20 minutes off is corrected with the answer of the server', async () => {
    const now = Date.now;
    Date.now = () => now() + 20 * 60_000;
    try {
      const store = await s3.open();
      expect(await store.putIfAbsent('name', bytesOf('x'))).toBe('stored');
    } finally {
      Date.now = now;
    }
  });

  test('killed and started again in the middle of puts, it has lost nothing that it acknowledged', async () => {
    const store = await s3.open({ limits: { callMs: 5_000 } });
    const acknowledged = new Map<string, string>();
    const failures: unknown[] = [];
    let isOver = false;
    const writer = async (id: number) => {
      for (let count = 0; !isOver; count++) {
        const name = `log/${id}-${String(count).padStart(6, '0')}`;
        try {
          expect(await store.putIfAbsent(name, bytesOf(name))).toBe('stored');
          acknowledged.set(name, name);
        } catch (failure) {
          failures.push(failure);
        }
      }
    };
    const writers = Array.from({ length: 8 }, (_, id) => writer(id));
    for (let kill = 0; kill < 3; kill++) {
      const before = acknowledged.size;
      while (acknowledged.size < before + 100) await store.list('log/0');
      await s3.service.command('restart');
    }
    const before = acknowledged.size;
    while (acknowledged.size < before + 100) await store.list('log/0');
    isOver = true;
    await Promise.all(writers);

    for (const failure of failures) {
      if (!(failure instanceof StoreError)) throw failure;
      expect(['retry', 'lost']).toContain(failure.kind);
    }
    const listed = await store.list('log/');
    expect([...acknowledged.keys()].filter((name) => !listed.includes(name))).toEqual([]);
    await inTurns(listed, 16, async (name) => expect(Buffer.from(await store.get(name)).toString()).toBe(name));
  });

  test('a server that is not there is unreachable, and then it is there again', async () => {
    const store = await s3.open(QUICK);
    await s3.service.command('kill');
    for (const call of callsOf(store))
      expect(await failureOf(call())).toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
    await s3.service.command('start');
    for (const call of callsOf(store)) await call();
  });
});

function callsOf(store: Store): readonly (() => Promise<unknown>)[] {
  return [
    // The first notices that its connection was closed; a put could not know whether it got through.
    () => store.list(''),
    () => store.putIfAbsent('name', bytesOf('x')),
    () => store.put('streamed', inChunks(Buffer.from('x'), 1)),
    () => store.replace('name', bytesOf('y')),
    () => store.get('name'),
    () => store.delete('name'),
  ];
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function inTurns<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const turn = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, turn));
}

function hexOf(hash: Hash): string {
  return hash.digest('hex');
}
