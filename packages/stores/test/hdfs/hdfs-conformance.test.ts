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

  test('opened by openStore', async () => {
    const store = await openStore(running().freshLocation().replace('webhdfs:', 'hdfs:'));
    await store.close();
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
