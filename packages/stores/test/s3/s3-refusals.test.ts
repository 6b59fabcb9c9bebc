import { inspect } from 'node:util';
import { type StoreErrorCode, type StoreErrorKind } from '@tidemark/stores';
import { describe, expect, test } from 'vitest';
import { error } from './plans.ts';
import { type Operation, type Plan } from './scripted-s3.ts';
import { bytesOf, CANARIES, failureOf, scriptedStore } from './scripted-store.ts';

const { s3, store } = scriptedStore();
const body = bytesOf('our bytes');

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
