import { inspect } from 'node:util';
import { openS3Store, type Store, type StoreErrorCode, type StoreErrorKind } from '@tidemark/stores';
import { storeConformance } from '@tidemark/stores/conformance';
import { describe, expect, test } from 'vitest';
import { bytesOf, CANARIES, failureOf, locationAt, QUICK, scriptedStore } from './scripted-store.ts';
import { listXml, type Operation, type Plan } from './scripted-s3.ts';

const { s3, store } = scriptedStore();
const KEY = 'prefix/name';
const body = bytesOf('our bytes');
const others = { body: Buffer.from("somebody else's"), putId: 'another' };

const error = (status: number, code: string, headers: Record<string, string> = {}): Plan => ({
  answer: { status, code, headers },
});
const conflict = error(409, 'ConditionalRequestConflict');
const slowDown = error(503, 'SlowDown');
const hang: Plan = { silence: 'hang' };
const lostReply: Plan = { acts: true, silence: 'reset' };
const lostRequest: Plan = { silence: 'reset' };
const unknown = { kind: 'lost', code: 'STORE_OUTCOME_UNKNOWN' };

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
    expect(s3().objects.size).toBe(0);
    expect(s3().uploads.size).toBe(0);
  });
});

describe('every call, when the server', () => {
  interface Row {
    readonly what: string;
    readonly plan: Plan;
    readonly kind: StoreErrorKind;
    readonly code: StoreErrorCode;
    readonly text?: RegExp;
  }
  const rows: readonly Row[] = [
    { what: 'denies', plan: error(403, 'AccessDenied'), kind: 'denied', code: 'STORE_DENIED' },
    {
      what: 'says that a token has expired',
      plan: error(400, 'ExpiredToken'),
      kind: 'denied',
      code: 'STORE_CREDENTIALS',
    },
    {
      what: 'does not know the key',
      plan: error(403, 'InvalidAccessKeyId'),
      kind: 'denied',
      code: 'STORE_CREDENTIALS',
    },
    {
      what: 'does not know the user',
      plan: error(404, 'XAdminUserNotFound'),
      kind: 'denied',
      code: 'STORE_CREDENTIALS',
    },
    {
      what: 'refuses the signature',
      plan: error(403, 'SignatureDoesNotMatch'),
      kind: 'denied',
      code: 'STORE_CREDENTIALS',
    },
    { what: 'has another time', plan: error(403, 'RequestTimeTooSkewed'), kind: 'retry', code: 'STORE_CLOCK_SKEW' },
    { what: 'has no such bucket', plan: error(404, 'NoSuchBucket'), kind: 'fatal', code: 'STORE_NOT_FOUND' },
    {
      what: 'sends us to another region',
      plan: error(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-3' }),
      kind: 'fatal',
      code: 'STORE_REDIRECT_REFUSED',
      text: /region eu-west-3.*region=/,
    },
    {
      what: 'sends us elsewhere',
      plan: error(307, 'TemporaryRedirect', { location: 'http://127.0.0.1:1/' }),
      kind: 'fatal',
      code: 'STORE_REDIRECT_REFUSED',
    },
    {
      what: 'was signed for another region',
      plan: error(400, 'AuthorizationHeaderMalformed', { 'x-amz-bucket-region': 'eu-west-3' }),
      kind: 'fatal',
      code: 'STORE_REDIRECT_REFUSED',
      text: /eu-west-3/,
    },
    { what: 'does not know the request', plan: error(501, 'NotImplemented'), kind: 'fatal', code: 'STORE_BAD_ANSWER' },
    {
      what: 'answers what nobody knows',
      plan: error(418, 'Teapot'),
      kind: 'fatal',
      code: 'STORE_BAD_ANSWER',
      text: /418 Teapot/,
    },
  ];
  const calls: Record<string, readonly [Operation, () => Promise<unknown>]> = {
    putIfAbsent: ['PutObject', () => store().putIfAbsent('name', body)],
    replace: ['PutObject', () => store().replace('name', body)],
    get: ['GetObject', () => store().get('name')],
    list: ['ListObjectsV2', () => store().list('')],
    delete: ['DeleteObject', () => store().delete('name')],
  };
  for (const [call, [operation, run]] of Object.entries(calls)) {
    for (const { what, plan, kind, code, text = /./ } of rows) {
      test(`${what}: ${call}`, async () => {
        for (let attempt = 0; attempt < 9; attempt++) s3().plan(operation, plan);
        const failure = await failureOf(run());
        expect(failure).toMatchObject({ kind, code });
        expect(failure.message).toMatch(text);
        // Only what may succeed later is repeated, and clocks that differ once.
        expect(s3().count(operation)).toBe(kind === 'retry' ? 2 : 1);
        s3().forgetPlans();
        expect(s3().objects.size).toBe(0);
      });
    }
  }
});

describe('a get', () => {
  const bytes = Buffer.from('0123456789'.repeat(1_000));
  const hold = () => s3().objects.set(KEY, { body: bytes, putId: 'x' });

  test.each<readonly [string, Plan, { kind: string; code: string }]>([
    [
      'of a wrong checksum',
      { change: (right) => ({ ...right, body: Buffer.alloc(bytes.length, 'z') }) },
      { kind: 'corrupt', code: 'STORE_CORRUPT' },
    ],
    [
      'without a length',
      { write: (response, right) => void response.writeHead(200).end(right.body) },
      { kind: 'fatal', code: 'STORE_BAD_ANSWER' },
    ],
    ['that never ends', { write: (response) => void endless(response) }, { kind: 'fatal', code: 'STORE_BAD_ANSWER' }],
    [
      'of a length that no memory has',
      { write: (response) => void response.writeHead(200, { 'content-length': '99999999999999' }).write('x') },
      { kind: 'corrupt', code: 'STORE_TOO_LARGE' },
    ],
    ['of what is not there', error(404, 'NoSuchKey'), { kind: 'absent', code: 'STORE_ABSENT' }],
    [
      'answered by a page',
      { answer: { status: 404, body: '<html>Not here</html>' } },
      { kind: 'absent', code: 'STORE_ABSENT' },
    ],
  ])('%s', async (_, plan, expected) => {
    hold();
    s3().plan('GetObject', plan);
    expect(await failureOf(store().get('name'))).toMatchObject(expected);
  });

  test('that is cut off is made again', async () => {
    hold();
    const cut: Plan = {
      write: (response, right) => {
        response.writeHead(right.status, { ...right.headers, 'content-length': bytes.length });
        response.write(bytes.subarray(0, 4_000), () => response.destroy());
      },
    };
    s3().plan('GetObject', cut, cut);
    expect(Buffer.from(await store().get('name')).equals(bytes)).toBe(true);
    s3().plan('GetObject', cut, cut, cut);
    expect(await failureOf(store().get('name'))).toMatchObject({ kind: 'retry', code: 'STORE_UNREACHABLE' });
  });

  test('that stands still in the middle ends, and so does one that never begins', async () => {
    hold();
    const still: Plan = {
      write: (response, right) =>
        void response.writeHead(right.status, { 'content-length': bytes.length }).write('0123'),
    };
    s3().plan('GetObject', still, still, still);
    expect(await failureOf(store().get('name'))).toMatchObject({ kind: 'retry', code: 'STORE_TIMEOUT' });
    s3().plan('GetObject', hang);
    expect(await failureOf(store().get('name', { deadlineMs: 100 }))).toMatchObject({
      kind: 'retry',
      code: 'STORE_TIMEOUT',
    });
  });

  test('is aborted in the middle', async () => {
    hold();
    const abort = new AbortController();
    const still: Plan = {
      write: (response, right) => {
        response.writeHead(right.status, { 'content-length': bytes.length }).write('0123', () => abort.abort());
      },
    };
    s3().plan('GetObject', still);
    expect(await failureOf(store().get('name', { signal: abort.signal }))).toMatchObject({
      kind: 'retry',
      code: 'STORE_ABORTED',
    });
  });

  test('takes no more bytes than it may', async () => {
    hold();
    expect(await failureOf(store().get('name', { bytesMax: 9_999 }))).toMatchObject({
      kind: 'corrupt',
      code: 'STORE_TOO_LARGE',
    });
    expect(await store().get('name', { bytesMax: 10_000 })).toHaveLength(10_000);
  });

  test('of a part is refused when another part, or all of it, comes', async () => {
    hold();
    const all: Plan = { change: () => ({ status: 200, headers: {}, body: bytes.subarray(0, 5) }) };
    const other: Plan = { change: (right) => ({ ...right, headers: { 'content-range': 'bytes 0-4/10000' } }) };
    for (const plan of [all, other]) {
      s3().plan('GetObject', plan);
      expect(await failureOf(store().get('name', { offset: 3, length: 5 }))).toMatchObject({
        kind: 'fatal',
        code: 'STORE_BAD_ANSWER',
      });
    }
  });
});

describe('a listing', () => {
  const page = (keys: readonly string[], more = false): Plan => ({
    answer: {
      status: 200,
      body: listXml(
        keys.map((key) => `prefix/${key}`),
        more,
      ),
    },
  });

  test.each<readonly [string, readonly Plan[]]>([
    ['goes round in circles', [page(['a', 'b'], true), page(['a', 'b'], true)]],
    ['repeats a key', [page(['a', 'a'])]],
    ['is in no order', [page(['b', 'a'])]],
    ['begins before the page asked for', [page(['b'], true), page(['a'])]],
    ['says that there is more, and gives nothing', [page([], true)]],
    ['gives keys of others', [{ answer: { status: 200, body: listXml(['elsewhere/a']) } }]],
    ['is a login page', [{ answer: { status: 200, body: '<html><body>Log in</body></html>' } }]],
    ['is empty', [{ answer: { status: 200 } }]],
    ['is no XML', [{ answer: { status: 200, body: '{"keys":[]}' } }]],
    ['is cut off XML', [{ answer: { status: 200, body: listXml(['prefix/a']).slice(0, -30) } }]],
  ])('that %s is refused, and never taken for an empty one', async (_, plans) => {
    s3().plan('ListObjectsV2', ...plans);
    expect(await failureOf(store().list(''))).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_ANSWER' });
  });

  test('that never ends is ended', async () => {
    const endlessly: Plan = { write: (response) => void endless(response) };
    s3().plan('ListObjectsV2', endlessly);
    expect(await failureOf(store().list('', { deadlineMs: 10_000 }))).toMatchObject({
      kind: 'fatal',
      code: 'STORE_BAD_ANSWER',
    });
  });

  test('asks for a page that failed again, from the same key', async () => {
    s3().plan('ListObjectsV2', page(['a', 'b'], true), slowDown, lostRequest, page(['c']));
    expect(await store().list('')).toEqual(['a', 'b', 'c']);
    const asked = s3().seen.map(({ query }) => query.get('start-after'));
    expect(asked).toEqual([null, 'prefix/b', 'prefix/b', 'prefix/b']);
  });

  test('leaves out what are no names of objects', async () => {
    s3().plan('ListObjectsV2', page(['', '-x', 'a', 'b/', 'c d', 'e/f', 'tmp/probe-1'].sort()));
    expect(await store().list('')).toEqual(['a', 'e/f']);
  });
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

test('no secret is seen in an error, whatever a server sends back', async () => {
  const shown: string[] = [];
  for (const [status, code] of [
    [403, 'SignatureDoesNotMatch'],
    [403, 'AccessDenied'],
    [400, 'ExpiredToken'],
    [418, 'Teapot'],
    [500, 'InternalError'],
    [301, 'PermanentRedirect'],
  ] as const) {
    const echo: Plan = {
      acts: false,
      write: (response) => {
        const { authorization = '', ...headers } = response.req.headers;
        const signature = /Signature=(.*)$/.exec(authorization)?.[1] ?? '';
        const secrets = [authorization, signature, headers['x-amz-security-token'], ...Object.values(CANARIES)].join(
          ' ',
        );
        response.writeHead(status, { 'x-amz-request-id': secrets, 'x-amz-bucket-region': secrets });
        response.end(
          `<Error><Code>${code}</Code><Message>You sent ${secrets}</Message><AWSAccessKeyId>${CANARIES.AWS_ACCESS_KEY_ID}</AWSAccessKeyId>` +
            `<StringToSign>${secrets}</StringToSign><SignatureProvided>${signature}</SignatureProvided></Error>`,
        );
        signatures.push(signature);
      },
    };
    const signatures: string[] = [];
    for (const [operation, call] of [
      ['PutObject', () => store().putIfAbsent('name', body)],
      ['GetObject', () => store().get('name')],
      ['ListObjectsV2', () => store().list('')],
    ] as const) {
      s3().plan(operation, echo, echo, echo);
      const failure = await failureOf(call());
      s3().forgetPlans();
      const text = [
        failure.message,
        failure.stack,
        String(failure.cause),
        inspect(failure, { depth: 9, showHidden: true }),
        JSON.stringify(failure),
      ].join('\n');
      for (const secret of [
        ...signatures,
        CANARIES.AWS_ACCESS_KEY_ID,
        CANARIES.AWS_SECRET_ACCESS_KEY,
        CANARIES.AWS_SESSION_TOKEN,
        'canary',
        'Zx9Zx9',
      ])
        expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
      shown.push(failure.message);
    }
  }
  expect(shown).toHaveLength(18);
});

test('traffic counts requests by name, and bytes both ways', async () => {
  const before = store().traffic?.();
  await store().putIfAbsent('name', new Uint8Array(100_000));
  await store().get('name');
  await store().get('name', { offset: 10, length: 10 });
  const after = store().traffic?.();
  expect(after?.requests).toMatchObject({
    PutObject: 3,
    GetObject: 2,
    CreateMultipartUpload: 1,
    ListMultipartUploads: 1,
  });
  expect((after?.bytesSent ?? 0) - (before?.bytesSent ?? 0)).toBe(100_000);
  expect((after?.bytesReceived ?? 0) - (before?.bytesReceived ?? 0)).toBe(100_010);
});

async function put(into: Store, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'taken'> {
  try {
    await into.put('name', bytes);
    return 'stored';
  } catch (failure) {
    if ((failure as { code?: unknown }).code === 'STORE_NAME_TAKEN') return 'taken';
    throw failure;
  }
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 1_000_003) yield bytes.subarray(offset, offset + 1_000_003);
}

async function* neverEnding(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await new Promise(() => undefined);
}

/** Sends as long as anybody reads. */
function endless(response: Parameters<NonNullable<Plan['write']>>[0]): void {
  response.writeHead(200);
  const chunk = Buffer.alloc(1_000_000, ' ');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    response.once('drain', more);
  };
  more();
}
