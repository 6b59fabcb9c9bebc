import { openS3Store } from '@tidemark/stores';
import { describe, expect, test, vi } from 'vitest';
import { conflict, error, hang, KEY, lostReply, lostRequest, others, slowDown, streamOf, unknown } from './plans.ts';
import { type Operation, type Plan } from './scripted-s3.ts';
import { failureOf, locationAt, scriptedStore } from './scripted-store.ts';

const { s3, store, openHasty } = scriptedStore();

describe('an object in parts', () => {
  const large = Buffer.alloc(20 * 1024 * 1024, 'large');
  const complete: Operation = 'CompleteMultipartUpload';
  const twoHundred: Plan = {
    answer: { status: 200, body: '<?xml version="1.0"?><Error><Code>InternalError</Code></Error>' },
  };

  test.each<readonly [string, Operation, readonly Plan[]]>([
    ['200 with an error in it, nothing done', complete, [twoHundred]],
    ['200 with an error in it, and done', complete, [{ ...twoHundred, acts: true }]],
    ['200 and an empty body, and done', complete, [{ acts: true, answer: { status: 200 } }]],
    ['409 when it is put together', complete, [conflict]],
    ['the reply of Complete is lost', complete, [lostReply]],
    ['the request of Complete is lost', complete, [lostRequest, lostRequest]],
    ['503 for parts', 'UploadPart', [slowDown, slowDown]],
    ['lost replies of parts', 'UploadPart', [lostReply, lostRequest]],
    ['a part that hangs', 'UploadPart', [hang]],
    ['the reply of Create is lost', 'CreateMultipartUpload', [lostReply]],
  ])('%s: it is stored, once and whole', async (_, operation, plans) => {
    if (plans.includes(hang)) await openHasty();
    s3().plan(operation, ...plans);
    expect(await store().putIfAbsent('name', large)).toBe('stored');
    expect(s3().objects.get(KEY)?.body.equals(large)).toBe(true);
    expect([...s3().objects.keys()]).toEqual([KEY]);
  });

  test.each<readonly [string, Operation, readonly Plan[], { kind: string; code: string }]>([
    ['part denied', 'UploadPart', [error(403, 'AccessDenied')], { kind: 'denied', code: 'STORE_DENIED' }],
    ['part damaged', 'UploadPart', [error(400, 'BadDigest')], { kind: 'corrupt', code: 'STORE_CORRUPT' }],
    ['Complete denied', complete, [error(403, 'AccessDenied')], { kind: 'denied', code: 'STORE_DENIED' }],
    ['Complete without any answer', complete, [lostRequest, lostRequest, lostRequest], unknown],
    [
      'upload without an id',
      'CreateMultipartUpload',
      [{ answer: { status: 200, body: '<InitiateMultipartUploadResult/>' } }],
      { kind: 'fatal', code: 'STORE_BAD_ANSWER' },
    ],
  ])('%s: it fails, and no parts stay', async (_, operation, plans, expected) => {
    s3().plan(operation, ...plans);
    expect(await failureOf(store().put('name', streamOf(large)))).toMatchObject(expected);
    expect(s3().objects.size).toBe(0);
    expect(s3().uploads.size).toBe(0);
  });

  test('taken: the parts are forgotten, the object stays', async () => {
    s3().objects.set(KEY, others);
    expect(await store().putIfAbsent('name', large)).toBe('taken');
    expect(s3().objects.get(KEY)).toEqual(others);
    expect(s3().uploads.size).toBe(0);
  });

  test('a body that waits for ever ends with the deadline, and one whose part failed with that failure', async () => {
    const waiting = () => neverEnding(large);
    expect(await failureOf(store().put('name', waiting(), { deadlineMs: 400 }))).toMatchObject({
      kind: 'retry',
      code: 'STORE_TIMEOUT',
    });
    s3().plan('UploadPart', error(403, 'AccessDenied'));
    expect(await failureOf(store().put('name', waiting()))).toMatchObject({ kind: 'denied', code: 'STORE_DENIED' });
    const signal = AbortSignal.timeout(200);
    expect(await failureOf(store().put('name', waiting(), { signal }))).toMatchObject({
      kind: 'retry',
      code: 'STORE_ABORTED',
    });
    // Who aborts does not wait for it.
    await vi.waitUntil(() => s3().uploads.size === 0);
    expect(s3().objects.size).toBe(0);
  });

  test('a body that waits is told when a part failed', async () => {
    s3().plan('UploadPart', error(403, 'AccessDenied'));
    const chunks = [large];
    const told = new Promise<void>((resolve) => {
      const body: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            const value = chunks.pop();
            return value === undefined ? new Promise<never>(() => undefined) : { value };
          },
          return: async () => {
            resolve();
            return { value: undefined, done: true };
          },
        }),
      };
      void failureOf(store().put('name', body));
    });
    await told;
  });

  test('who has no time left does not wait until the parts are forgotten', async () => {
    const patient = await openS3Store(locationAt(s3()), { limits: { callMs: 3_600_000, idleMs: 3_600_000 } });
    s3().plan('UploadPart', hang, hang, hang);
    s3().plan('AbortMultipartUpload', hang);
    const failure = await failureOf(patient.put('name', streamOf(large), { deadlineMs: 500 }));
    expect(failure).toMatchObject({ kind: 'retry', code: 'STORE_TIMEOUT' });
    await vi.waitUntil(() => s3().count('AbortMultipartUpload') === 2);
    await patient.close();
  });
});

async function* neverEnding(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await new Promise(() => undefined);
}
