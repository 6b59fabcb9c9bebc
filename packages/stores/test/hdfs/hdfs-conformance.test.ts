import { openHdfsStore, openStore } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, test } from 'vitest';
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
});
