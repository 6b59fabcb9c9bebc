import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderStore, openS3Store } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type RealS3, startS3 } from '../test/s3/real-s3.ts';
import { whyNot } from '../test/support/services.ts';

describe('a folder store with large objects and many', () => {
  const folders: string[] = [];
  const makeStore = () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-stores-'));
    folders.push(folder);
    return openFolderStore(folder);
  };
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  for (const { name, run } of storeConformance(makeStore, { large: true })) test(name, run);
});

const reason = await whyNot('s3');
if (reason !== null) console.log(`SKIP S3: ${reason}`);

describe.skipIf(reason !== null)('a store in a real S3 server with large objects and many', () => {
  let s3: RealS3;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3?.stop());
  for (const { name, run } of storeConformance(() => openS3Store(s3.location()), { large: true })) test(name, run);
});
