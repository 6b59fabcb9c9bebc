import { describe, expect, test } from 'vitest';
import { endless, error, hang, KEY, lostRequest, slowDown } from './plans.ts';
import { listXml, type Plan } from './scripted-s3.ts';
import { failureOf, scriptedStore } from './scripted-store.ts';

const { s3, store, openHasty } = scriptedStore();

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
    ['that never ends', { write: (response) => endless(response) }, { kind: 'fatal', code: 'STORE_BAD_ANSWER' }],
    [
      'of a length that no memory has',
      { write: (response) => void response.writeHead(200, { 'content-length': '99999999999999' }).write('x') },
      { kind: 'corrupt', code: 'STORE_TOO_LARGE' },
    ],
    ['of what is not there', error(404, 'NoSuchKey'), { kind: 'absent', code: 'STORE_ABSENT' }],
    [
      'answered by a page',
      { answer: { status: 404, body: '<html>Not here</html>' } },
      { kind: 'fatal', code: 'STORE_BAD_ANSWER' },
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
    await openHasty();
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
    ['is a page that is not found', [{ answer: { status: 404, body: '<html>Not here</html>' } }]],
    ['is an empty 404', [{ answer: { status: 404 } }]],
    ['is no XML', [{ answer: { status: 200, body: '{"keys":[]}' } }]],
    ['is cut off XML', [{ answer: { status: 200, body: listXml(['prefix/a']).slice(0, -30) } }]],
  ])('that %s is refused, and never taken for an empty one', async (_, plans) => {
    s3().plan('ListObjectsV2', ...plans);
    expect(await failureOf(store().list(''))).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_ANSWER' });
  });

  test('that never ends is ended', async () => {
    const endlessly: Plan = { write: (response) => endless(response) };
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

describe('when an object was stored', () => {
  const told = Date.parse('2026-11-26T09:00:05Z');
  const asked = async () => store().storedAt?.('name');
  test('is what the server says, asked again when it did not answer', async () => {
    s3().objects.set(KEY, { body: Buffer.from('x'), putId: 'x' });
    s3().plan('HeadObject', slowDown, lostRequest);
    expect(await asked()).toBe(told);
  });

  test.each<readonly [string, Plan, { kind: string; code: string }]>([
    ['of what is not there', { answer: { status: 404 } }, { kind: 'absent', code: 'STORE_ABSENT' }],
    ['that the server does not tell', { answer: { status: 200 } }, { kind: 'fatal', code: 'STORE_BAD_ANSWER' }],
  ])('%s', async (_, plan, expected) => {
    s3().plan('HeadObject', plan);
    expect(await failureOf(asked())).toMatchObject(expected);
  });
});
