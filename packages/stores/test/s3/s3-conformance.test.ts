import { openStore } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { whyNot } from '../support/services.ts';
import { type RealS3, startS3 } from './real-s3.ts';

const reason = await whyNot('s3');
if (reason !== null) console.log(`SKIP S3: ${reason}`);

describe.skipIf(reason !== null)('a store in a real S3 server keeps the contract', () => {
  let s3: RealS3;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3?.stop());

  for (const { name, run } of storeConformance(() => openStore(s3.location()))) test(name, run);
});
