import { openS3Store, type Store } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, expect, test } from 'vitest';
import {
  conflict,
  endless,
  error,
  hang,
  KEY,
  lostReply,
  lostRequest,
  others,
  slowDown,
  streamOf,
  unknown,
} from './plans.ts';
import { type Plan } from './scripted-s3.ts';
import { bytesOf, failureOf, locationAt, QUICK, scriptedStore } from './scripted-store.ts';

const { s3, store, openHasty } = scriptedStore();
const body = bytesOf('our bytes');

describe('a put that the server answers oddly', () => {
  interface Row {
    readonly what: string;
    readonly put: readonly Plan[];
    readonly head?: readonly Plan[];
    readonly holds?: typeof others;
    readonly comesTo: 'stored' | 'taken' | { readonly kind: string; readonly code: string };
    /** Requests that the store makes for it. */
    readonly puts: number;
    readonly heads: number;
  }
  const rows: readonly Row[] = [
    {
      what: '409: nothing was decided, so it is repeated',
      put: [conflict, conflict],
      comesTo: 'stored',
      puts: 3,
      heads: 0,
    },
    {
      what: '409 for ever is no "taken"',
      put: [conflict, conflict, conflict],
      comesTo: { kind: 'retry', code: 'STORE_BUSY' },
      puts: 3,
      heads: 0,
    },
    { what: '412 for an object of another', put: [], holds: others, comesTo: 'taken', puts: 1, heads: 1 },
    {
      what: '412 for our own object: the reply was lost between us and the server',
      put: [{ acts: true, answer: { status: 412, code: 'PreconditionFailed' } }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    {
      what: '412 for an object that is gone, then free',
      put: [error(412, 'PreconditionFailed')],
      comesTo: 'stored',
      puts: 2,
      heads: 1,
    },
    {
      what: '412, and the holder cannot be read',
      put: [error(412, 'PreconditionFailed')],
      head: [error(403, 'AccessDenied')],
      holds: others,
      comesTo: unknown,
      puts: 1,
      heads: 1,
    },
    { what: '503 SlowDown, and it did nothing', put: [slowDown], comesTo: 'stored', puts: 2, heads: 1 },
    {
      what: '503 SlowDown, and it did it all the same',
      put: [{ acts: true, answer: { status: 503, code: 'SlowDown' } }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    {
      what: '500 InternalError, and it did nothing',
      put: [error(500, 'InternalError')],
      comesTo: 'stored',
      puts: 2,
      heads: 1,
    },
    {
      what: '500 InternalError, and it did it all the same',
      put: [{ acts: true, answer: { status: 500, code: 'InternalError' } }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    { what: '429', put: [error(429, 'TooManyRequests')], comesTo: 'stored', puts: 2, heads: 0 },
    {
      what: '502 from something in between, and the server did it',
      put: [{ acts: true, answer: { status: 502, body: '<html>Bad Gateway</html>' } }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    {
      what: '504 from something in between, and the server did nothing',
      put: [{ answer: { status: 504, body: 'timeout' } }],
      comesTo: 'stored',
      puts: 2,
      heads: 1,
    },
    { what: 'the reply is lost', put: [lostReply], comesTo: 'stored', puts: 1, heads: 1 },
    { what: 'the request is lost', put: [lostRequest], comesTo: 'stored', puts: 2, heads: 1 },
    {
      what: 'the request is lost, and another is faster',
      put: [lostRequest],
      holds: others,
      comesTo: 'taken',
      puts: 1,
      heads: 1,
    },
    {
      what: 'no answer, and it was done',
      put: [{ acts: true, silence: 'hang' }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    {
      what: 'no answer, nothing done, then nobody can be asked',
      put: [hang],
      head: [hang, hang, hang],
      comesTo: unknown,
      puts: 1,
      heads: 3,
    },
    {
      what: 'every request is lost',
      put: [lostRequest, lostRequest, lostRequest],
      comesTo: unknown,
      puts: 3,
      heads: 3,
    },
    {
      what: 'the first reply is lost, the look too, then it is looked up',
      put: [lostReply],
      head: [lostReply, slowDown],
      comesTo: 'stored',
      puts: 1,
      heads: 3,
    },
    {
      what: 'a success that is none: a login page',
      put: [{ answer: { status: 200, body: '<html>Log in</html>' } }],
      comesTo: { kind: 'fatal', code: 'STORE_BAD_ANSWER' },
      puts: 1,
      heads: 1,
    },
    {
      what: 'an answer that never ends, and stored',
      put: [{ acts: true, write: (response) => endless(response) }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    {
      what: 'a success without ETag, and stored',
      put: [{ acts: true, answer: { status: 200 } }],
      comesTo: 'stored',
      puts: 1,
      heads: 1,
    },
    {
      what: '400 BadDigest',
      put: [error(400, 'BadDigest')],
      comesTo: { kind: 'corrupt', code: 'STORE_CORRUPT' },
      puts: 1,
      heads: 0,
    },
    {
      what: '400 RequestTimeout: our bytes did not come',
      put: [error(400, 'RequestTimeout')],
      comesTo: 'stored',
      puts: 2,
      heads: 0,
    },
    {
      what: '507',
      put: [error(507, 'InsufficientStorage'), error(507, 'InsufficientStorage'), error(507, 'InsufficientStorage')],
      comesTo: { kind: 'retry', code: 'STORE_FULL' },
      puts: 3,
      heads: 3,
    },
    {
      what: 'our own object has another length',
      put: [lostReply],
      head: [{ change: (right) => ({ ...right, headers: { ...right.headers, 'content-length': '3' } }) }],
      comesTo: unknown,
      puts: 1,
      heads: 1,
    },
  ];

  const calls: Record<string, (bytes: Uint8Array) => Promise<'stored' | 'taken'>> = {
    putIfAbsent: (bytes) => store().putIfAbsent('name', bytes),
    put: (bytes) => put(store(), bytes),
    'put of a stream': (bytes) => put(store(), streamOf(bytes)),
  };
  for (const [call, run] of Object.entries(calls)) {
    for (const { what, put: puts, head = [], holds, comesTo, ...requests } of rows) {
      test(`${call}: ${what}`, async () => {
        if (puts.some(hangs)) await openHasty();
        if (holds !== undefined) s3().objects.set(KEY, holds);
        s3().plan('PutObject', ...puts);
        s3().plan('HeadObject', ...head);
        if (typeof comesTo === 'string') expect(await run(body)).toBe(comesTo);
        else expect(await failureOf(run(body))).toMatchObject(comesTo);
        expect({ puts: s3().count('PutObject'), heads: s3().count('HeadObject') }).toEqual(requests);
        if (comesTo === 'stored') expect(s3().objects.get(KEY)?.body).toEqual(Buffer.from(body));
        if (holds !== undefined) expect(s3().objects.get(KEY)).toEqual(others);
      });
    }
  }

  test('all attempts of one put carry one id, and each put another', async () => {
    s3().plan('PutObject', lostRequest, lostRequest);
    expect(await store().putIfAbsent('name', body)).toBe('stored');
    expect(await store().putIfAbsent('name', body)).toBe('taken');
    const ids = s3()
      .seen.filter(({ operation }) => operation === 'PutObject')
      .map(({ headers }) => headers['x-amz-meta-tidemark-put']);
    expect(ids).toHaveLength(4);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(ids[3]).not.toBe(ids[0]);
  });
});

describe('a store whose replies are lost keeps the contract', () => {
  const makeLossyStore = async () => {
    s3().reset();
    return {
      store: await openS3Store(locationAt(s3()), QUICK),
      loseReply: () => s3().loseNextWrite(),
    };
  };
  const rules = storeConformance(async () => openS3Store(locationAt(s3()), QUICK), { makeLossyStore });
  for (const { name, run } of rules.filter((rule) => rule.name.startsWith('lost reply'))) test(name, run);
});

describe('a replace and a delete', () => {
  test.each<readonly [string, Plan, number]>([
    ['500', error(500, 'InternalError'), 2],
    ['500, and done', { acts: true, answer: { status: 500, code: 'InternalError' } }, 1],
    ['the reply is lost', lostReply, 1],
    ['503', slowDown, 2],
  ])('replace: %s', async (_, plan, puts) => {
    s3().objects.set(KEY, others);
    s3().plan('PutObject', plan);
    await store().replace('name', body);
    expect(s3().objects.get(KEY)?.body).toEqual(Buffer.from(body));
    expect(s3().count('PutObject')).toBe(puts);
  });

  test('replace: the request is lost, so the outcome is not known', async () => {
    s3().plan('PutObject', lostRequest);
    expect(await failureOf(store().replace('name', body))).toMatchObject(unknown);
  });

  test.each<readonly [string, readonly Plan[]]>([
    ['the reply is lost', [lostReply]],
    ['the request is lost', [lostRequest, lostRequest]],
    ['503', [slowDown]],
    ['it is not there', [error(404, 'NoSuchKey')]],
    ['no answer', [hang]],
  ])('delete: %s, and it is done', async (_, plans) => {
    if (plans.some(hangs)) await openHasty();
    s3().plan('DeleteObject', ...plans);
    await store().delete('name');
    expect(s3().objects.size).toBe(0);
  });

  test('delete: no request comes through, so the outcome is not known', async () => {
    s3().plan('DeleteObject', lostRequest, lostRequest, lostRequest);
    expect(await failureOf(store().delete('name'))).toMatchObject(unknown);
  });
});

test('a put that is aborted on its way is lost, not undone', async () => {
  const abort = new AbortController();
  s3().plan('PutObject', { acts: true, write: () => abort.abort() });
  const failure = await failureOf(store().putIfAbsent('name', body, { signal: abort.signal }));
  expect(failure).toMatchObject({ kind: 'lost', code: 'STORE_ABORTED' });
  expect(s3().count('HeadObject')).toBe(0);
});

function hangs({ silence }: Plan): boolean {
  return silence === 'hang';
}

async function put(into: Store, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'taken'> {
  try {
    await into.put('name', bytes);
    return 'stored';
  } catch (failure) {
    if ((failure as { code?: unknown }).code === 'STORE_NAME_TAKEN') return 'taken';
    throw failure;
  }
}
