import { openHdfsStore, openStore, openStoreForReading } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, expect, test } from 'vitest';
import { whyNot } from '../support/services.ts';
import { cluster } from './hdfs-cluster.ts';

const reason = await whyNot('hdfs');
if (reason !== null) console.log(`SKIP hdfs: ${reason}`);

describe.skipIf(reason !== null)('a store on a real HDFS keeps the contract', () => {
  const running = cluster();
  for (const { name, run } of storeConformance(() => openHdfsStore(running().freshLocation()))) test(name, run);

  test('opened by openStore, in a thread of its own and with calls that are repeated, it is the same store', async () => {
    const location = running().freshLocation();
    const store = await openStore(location.replace('webhdfs:', 'hdfs:'));
    await store.put('x/y', new Uint8Array([1, 2, 3]));
    expect(await store.putIfAbsent('x/y', new Uint8Array([4]))).toBe('taken');
    await store.close();
    const reader = await openStoreForReading(location);
    expect(await reader.list('')).toEqual(['x/y']);
    expect([...(await reader.get('x/y'))]).toEqual([1, 2, 3]);
    await expect(reader.delete('x/y')).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    await reader.close();
  });

  test('and tells when an object was stored, also to who only looks', async () => {
    const location = running().freshLocation();
    const store = await openStore(location);
    await store.put('object', new Uint8Array([1]));
    const reading = await openStoreForReading(location);
    const told = await store.storedAt?.('object');
    expect(told).toBeGreaterThan(Date.UTC(2020));
    expect(await reading.storedAt?.('object')).toBe(told);
    expect(reading.traffic?.().requests).toMatchObject({ GETFILESTATUS: 2 });
    await reading.close();
    await store.close();
  });
});
