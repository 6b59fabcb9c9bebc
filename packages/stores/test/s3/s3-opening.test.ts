import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { openS3Store, openS3StoreForReading, openStore, openStoreForReading } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { giveCredentials } from './real-s3.ts';
import { type Plan, ScriptedS3 } from './scripted-s3.ts';
import { bytesOf, CANARIES, failureOf, HASTY, locationAt, QUICK } from './scripted-store.ts';

let s3: ScriptedS3;
beforeAll(async () => {
  s3 = await ScriptedS3.start();
});
afterAll(() => s3.stop());
beforeEach(() => giveCredentials(CANARIES));
afterEach(() => s3.reset());

const open = (more = '', options = QUICK) => openS3Store(locationAt(s3, more), options);
const denied: Plan = { answer: { status: 403, code: 'AccessDenied' } };

describe('opening tries whether the server refuses a taken name', () => {
  test('a good one is open, and nothing of the trial stays', async () => {
    const store = await open();
    expect(store.supports).toEqual({ durable: true, sharedPutIfAbsent: true });
    expect(store.url).toBe(`s3://bucket/prefix?endpoint=${s3.endpoint}`);
    expect(s3.objects.size).toBe(0);
    expect(s3.uploads.size).toBe(0);
    // The costs that docs/stores.md names.
    expect(store.traffic?.().requests).toEqual({
      PutObject: 2,
      HeadObject: 1,
      CreateMultipartUpload: 1,
      UploadPart: 1,
      CompleteMultipartUpload: 1,
      AbortMultipartUpload: 1,
      DeleteObject: 1,
      ListMultipartUploads: 1,
    });
    expect(s3.seen.map(({ key }) => key).filter((key) => key !== '' && !key.startsWith('prefix/tmp/probe-'))).toEqual(
      [],
    );
    await store.close();
  });

  interface Row {
    readonly what: string;
    readonly plans: () => void;
    readonly text: RegExp;
  }
  const rows: readonly Row[] = [
    { what: 'stores over what is there', plans: () => ignoreConditions(), text: /PutObject is ignored/ },
    {
      what: 'does so when it puts parts together',
      plans: () =>
        s3.plan('CompleteMultipartUpload', { change: () => ({ status: 200, headers: {}, body: COMPLETED }) }),
      text: /CompleteMultipartUpload is ignored/,
    },
    {
      what: 'does not know the condition',
      plans: () => s3.plan('PutObject', { answer: { status: 501, code: 'NotImplemented' } }),
      text: /does not know "If-None-Match/,
    },
    {
      what: 'loses metadata',
      plans: () => s3.plan('HeadObject', { change: (right) => ({ ...right, headers: { etag: '"x"' } }) }),
      text: /metadata/,
    },
    {
      what: 'refuses every put',
      plans: () => s3.plan('PutObject', { answer: { status: 412, code: 'PreconditionFailed' } }),
      text: /refuses to store under a name that is free/,
    },
  ];
  for (const { what, plans, text } of rows) {
    test(`one that ${what} is refused, and the flag for one writer opens it`, async () => {
      plans();
      const failure = await failureOf(open());
      expect(failure).toMatchObject({ kind: 'fatal', code: 'STORE_UNSAFE' });
      expect(failure.message).toMatch(text);
      expect(failure.message).toMatch(/unsafe-single-writer=true/);
      expect(s3.objects.size).toBe(0);
      s3.reset();
      plans();
      const store = await open('&unsafe-single-writer=true');
      expect(store.supports.sharedPutIfAbsent).toBe(false);
      await store.close();
    });
  }

  test('the flag changes nothing where the server is good', async () => {
    const store = await open('&unsafe-single-writer=true');
    expect(store.supports.sharedPutIfAbsent).toBe(true);
    await store.close();
  });

  test.each<readonly [string, Plan]>([
    ['a reply is lost', { acts: true, silence: 'reset' }],
    ['a request is lost', { silence: 'reset' }],
    ['the server is busy', { answer: { status: 503, code: 'SlowDown' } }],
    ['an answer does not come', { acts: true, silence: 'hang' }],
    ['the server failed, and did it', { acts: true, answer: { status: 500, code: 'InternalError' } }],
  ])('a good one does not look bad when %s', async (_, plan) => {
    s3.plan('PutObject', plan);
    const store = await open('', plan.silence === 'hang' ? HASTY : QUICK);
    expect(store.supports.sharedPutIfAbsent).toBe(true);
    await store.close();
  });

  test('the one writer of a server that ignores conditions still keeps the contract', async () => {
    ignoreConditions();
    for (const { name, run } of storeConformance(async () => {
      s3.objects.clear();
      return open('&unsafe-single-writer=true');
    })) {
      await run().catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
    }
  });
});

describe('opening fails with what is wrong', () => {
  test.each<readonly [string, Plan, { kind: string; code: string }]>([
    ['no such bucket', { answer: { status: 404, code: 'NoSuchBucket' } }, { kind: 'fatal', code: 'STORE_NOT_FOUND' }],
    ['no right to write', denied, { kind: 'denied', code: 'STORE_DENIED' }],
    [
      'a wrong key',
      { answer: { status: 403, code: 'InvalidAccessKeyId' } },
      { kind: 'denied', code: 'STORE_CREDENTIALS' },
    ],
    [
      'a login page',
      { answer: { status: 302, headers: { location: 'https://login.example.com' } } },
      { kind: 'fatal', code: 'STORE_BAD_ANSWER' },
    ],
  ])('%s', async (_, plan, expected) => {
    s3.plan('PutObject', plan);
    expect(await failureOf(open())).toMatchObject(expected);
  });

  test('nobody listens', async () => {
    const location = `s3://bucket?endpoint=http://127.0.0.1:${await closedPort()}&path-style=true`;
    expect(await failureOf(openS3Store(location, QUICK))).toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
  });

  test('no such host', async () => {
    const location = 's3://bucket?endpoint=https://s3.invalid&path-style=true';
    expect(await failureOf(openS3Store(location, QUICK))).toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
  });

  test('https is asked of who speaks http', async () => {
    const location = locationAt(s3).replace('http:', 'https:');
    expect(await failureOf(openS3Store(location, QUICK))).toMatchObject({ kind: 'fatal', code: 'STORE_UNREACHABLE' });
  });

  test('nobody answers', async () => {
    const hang: Plan = { silence: 'hang' };
    s3.plan('PutObject', hang, hang, hang);
    expect(await failureOf(open('', HASTY))).toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
  });

  test('the caller aborts', async () => {
    s3.plan('PutObject', { silence: 'hang' });
    const signal = AbortSignal.timeout(50);
    expect(await failureOf(openS3Store(locationAt(s3), { ...QUICK, signal }))).toMatchObject({ code: 'STORE_ABORTED' });
  });

  test('there are no credentials', async () => {
    giveCredentials({ AWS_REGION: 'us-east-1' });
    const failure = await failureOf(open());
    expect(failure).toMatchObject({ kind: 'denied', code: 'STORE_CREDENTIALS' });
    expect(failure.message).toMatch(/AWS_ACCESS_KEY_ID/);
    expect(s3.seen).toEqual([]);
  });

  test('the program that is to make credentials says something else, which is not shown', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-stores-'));
    try {
      giveCredentials({ AWS_REGION: 'us-east-1' });
      const config = join(folder, 'config');
      writeFileSync(config, '[default]\ncredential_process = echo {"SecretAccessKey":"canary\n');
      process.env['AWS_CONFIG_FILE'] = config;
      const failure = await failureOf(open());
      expect(failure).toMatchObject({ kind: 'denied', code: 'STORE_CREDENTIALS' });
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('canary');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('no region is known', async () => {
    const { AWS_REGION: _, ...noRegion } = CANARIES;
    giveCredentials(noRegion);
    const failure = await failureOf(open());
    expect(failure).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_URL' });
    expect(failure.message).toMatch(/region=/);
  });

  test('an endpoint of the environment is not https', async () => {
    process.env['AWS_ENDPOINT_URL_S3'] = 'http://s3.example.com';
    try {
      expect(await failureOf(openS3Store('s3://bucket?path-style=true', QUICK))).toMatchObject({
        kind: 'fatal',
        code: 'STORE_INSECURE',
      });
    } finally {
      delete process.env['AWS_ENDPOINT_URL_S3'];
    }
  });

  test('the SDK is not installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-stores-'));
    try {
      cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(folder, 'dist'), { recursive: true });
      // All that it needs but the SDK.
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(
        fileURLToPath(new URL('../../node_modules/piscina', import.meta.url)),
        join(folder, 'node_modules/piscina'),
      );
      const entry = pathToFileURL(join(folder, 'dist', 'index.js')).href;
      const script = `import { openStore } from ${JSON.stringify(entry)};
        await openStore('s3://bucket').catch(({ code, message }) => console.log(code, message));`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      expect(stdout).toMatch(/^STORE_NOT_INSTALLED .*npm install @aws-sdk\/client-s3@~3\.1169\.0/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('opening for reading', () => {
  test('asks with one listing, changes nothing, and refuses to', async () => {
    s3.objects.set('prefix/there', { body: Buffer.from('x'), putId: '' });
    const store = await openStoreForReading(locationAt(s3));
    expect(s3.seen.map(({ operation }) => operation)).toEqual(['ListObjectsV2']);
    expect(await store.list('')).toEqual(['there']);
    expect(await store.get('there')).toHaveLength(1);
    expect(await failureOf(store.put('new', bytesOf('x')))).toMatchObject({ kind: 'denied', code: 'STORE_READ_ONLY' });
    expect(new Set(s3.seen.map(({ operation }) => operation))).toEqual(new Set(['ListObjectsV2', 'GetObject']));
    await store.close();
  });

  test('fails when there is no bucket', async () => {
    s3.plan('ListObjectsV2', { answer: { status: 404, code: 'NoSuchBucket' } });
    expect(await failureOf(openS3StoreForReading(locationAt(s3), QUICK))).toMatchObject({ code: 'STORE_NOT_FOUND' });
  });
});

describe('opening ends uploads that were never finished', () => {
  const hour = 3_600_000;
  const upload = (id: string, key: string, ageMs: number) =>
    s3.uploads.set(id, { key, putId: '', begun: new Date(Date.now() - ageMs), parts: new Map() });

  test('those under the prefix that are older than a day', async () => {
    upload('old', 'prefix/part', 25 * hour);
    upload('young', 'prefix/part', 23 * hour);
    upload('elsewhere', 'other/part', 99 * hour);
    await (await open()).close();
    expect([...s3.uploads.keys()].sort()).toEqual(['elsewhere', 'young']);
  });

  test.each<readonly [string, Plan]>([
    ['it may not list them', denied],
    ['the server does not know them', { answer: { status: 501, code: 'NotImplemented' } }],
    ['the answer makes no sense', { answer: { status: 200, body: '<html>' } }],
  ])('and is open all the same when %s', async (_, plan) => {
    s3.plan('ListMultipartUploads', plan);
    await (await open()).close();
  });

  test('and is open all the same when it may not end them', async () => {
    upload('old', 'prefix/part', 25 * hour);
    s3.plan('AbortMultipartUpload', {}, denied);
    await (await open()).close();
    expect([...s3.uploads.keys()]).toEqual(['old']);
  });
});

test('what belongs into every request is in every request', async () => {
  const kms = 'arn:aws:kms:eu-central-1:123456789012:key/1a';
  const store = await openS3Store(
    locationAt(s3, `&sse=aws:kms&kms-key-id=${kms}&expected-bucket-owner=123456789012`),
    QUICK,
  );
  await store.put('large', new Uint8Array(9 * 1024 * 1024));
  await store.replace('small', bytesOf('x'));
  await store.get('small');
  await store.list('');
  await store.delete('small');
  await store.close();
  for (const { operation, headers } of s3.seen) {
    expect(headers['x-amz-expected-bucket-owner'], operation).toBe('123456789012');
    const creates = operation === 'PutObject' || operation === 'CreateMultipartUpload';
    expect(headers['x-amz-server-side-encryption'], operation).toBe(creates ? 'aws:kms' : undefined);
    expect(headers['x-amz-server-side-encryption-aws-kms-key-id'], operation).toBe(creates ? kms : undefined);
  }
});

test('a server that knows no checksums is sent none, where the location says so', async () => {
  const store = await openS3Store(locationAt(s3, '&checksums=when-required'), QUICK).catch((error: unknown) => error);
  // This server wants them.
  expect(store).toMatchObject({ code: 'STORE_CORRUPT' });
  expect(s3.seen.every(({ headers }) => headers['x-amz-checksum-crc32'] === undefined)).toBe(true);
});

test('openStore opens it by its scheme', async () => {
  const store = await openStore(locationAt(s3));
  await store.put('name', bytesOf('x'));
  expect([...s3.objects.keys()]).toEqual(['prefix/name']);
  await store.close();
});

const COMPLETED = '<CompleteMultipartUploadResult><ETag>"parts"</ETag></CompleteMultipartUploadResult>';

function ignoreConditions(): void {
  s3.ignoresConditions = true;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
