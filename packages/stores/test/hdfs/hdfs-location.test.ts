import { openHdfsStore, StoreError } from '@tidemark/stores';
import { isLoopbackHost, parseHdfsLocation } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';

const parse = (location: string, environment: Readonly<Record<string, string>> = {}) =>
  parseHdfsLocation(location, environment);
const nodes = (location: string, environment?: Readonly<Record<string, string>>) =>
  parse(location, environment).nameNodes.map(({ isTls, host, port }) => `${isTls ? 'https' : 'http'} ${host} ${port}`);

describe('name nodes', () => {
  test.each([
    ['hdfs://nn/x', ['http nn 9870']],
    ['HDFS://NN.Example.org/x', ['http nn.example.org 9870']],
    ['hdfs://nn:14000/x', ['http nn 14000']],
    // As fs.defaultFS has it: WebHDFS never listens on these.
    ['hdfs://nn:8020/x', ['http nn 9870']],
    ['hdfs://nn:9000/x', ['http nn 9870']],
    ['webhdfs://nn:8020/x', ['http nn 8020']],
    ['webhdfs://nn1:1,nn2,10.0.0.3:3/x', ['http nn1 1', 'http nn2 9870', 'http 10.0.0.3 3']],
    ['swebhdfs://nn/x', ['https nn 9871']],
    ['swebhdfs://nn:443,other/x', ['https nn 443', 'https other 9871']],
    ['webhdfs://[::1]:9870,[fe80::2]/x', ['http ::1 9870', 'http fe80::2 9870']],
    ['hdfs://nn1/x?namenodes=nn2:1,nn3', ['http nn1 9870', 'http nn2 1', 'http nn3 9870']],
    ['hdfs:///x?namenodes=nn2', ['http nn2 9870']],
  ])('%s', (location, expected) => {
    expect(nodes(location)).toEqual(expected);
  });

  test('come from HDFS_NAMENODES when the location has none', () => {
    const environment = { HDFS_NAMENODES: 'http://nn1:9870, https://nn2:9871/,nn3' };
    expect(nodes('hdfs:///my/checkpoints', environment)).toEqual(['http nn1 9870', 'https nn2 9871', 'http nn3 9870']);
    expect(nodes('hdfs://other/x', environment)).toEqual(['http other 9870']);
  });
});

test('the rest of a location', () => {
  const location =
    'webhdfs://nn/a%20b/c/?user=me&data-hosts=dn1,*.Example.org,10.0.0.9&delegation-token-file=%2Frun%2Ftoken&allow-http=true';
  expect(parse(location)).toMatchObject({
    url: 'webhdfs://nn:9870/a%20b/c',
    root: '/a b/c',
    user: 'me',
    dataHosts: ['dn1', '*.example.org', '10.0.0.9'],
    delegationTokenFile: '/run/token',
    isHttpAllowed: true,
  });
});

test('its url opens the same place again', () => {
  const { url, root, nameNodes } = parse('webhdfs://nn1:1,[::1]:2/a%25b/é');
  expect(parse(url)).toMatchObject({ root, nameNodes });
});

test.each([
  ['hdfs:///x', /HDFS_NAMENODES/],
  ['hdfs://nn', /names no folder/],
  ['hdfs://nn/', /names no folder/],
  ['hdfs://nn//x', /empty part/],
  ['hdfs://nn/a/../b', /"\.\."/],
  ['hdfs://nn/a%2Fb', /empty part/],
  ['hdfs://nn/a%3Ab', /":"/],
  ['hdfs://nn/a%0ab', /control character/],
  ['hdfs://nn/a%', /"%"/],
  ['hdfs://nn/x#y', /form/],
  ['hdfs:nn/x', /form/],
  ['hdfs://nn:0/x', /port/],
  ['hdfs://nn:65536/x', /port/],
  ['hdfs://nn:x/x', /HOST:PORT/],
  ['hdfs://n n/x', /HOST:PORT/],
  ['swebhdfs://nn/x?namenodes=http://other', /TLS/],
  ['hdfs://nn/x?usr=me', /Known are "user", "namenodes"/],
  ['hdfs://nn/x?user=me&user=you', /twice/],
  ['hdfs://nn/x?user=', /no value/],
  ['hdfs://nn/x?allow-http=yes', /true or false/],
  ['hdfs://nn/x?data-hosts=dn:9864', /without ports/],
  ['hdfs://nn/x?data-hosts=*', /data-hosts/],
])('%s is refused, and the error says why', async (location, why) => {
  const error: unknown = await openHdfsStore(location, { environment: {} }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_URL' });
  expect((error as StoreError).message).toMatch(why);
  expect((error as StoreError).message).toContain('Expected hdfs://HOST:PORT/FOLDER');
});

test.each([
  'hdfs://user:canary@nn/x',
  'hdfs://canary@nn/x',
  'hdfs://nn/x?delegation=canary',
  'hdfs://nn/x?token=canary',
  'hdfs://nn/x?password=canary&user=me',
  'hdfs://nn/x?canary=canary',
  'hdfs://nn/x?user=%canary',
  'hdfs://nn/x#canary',
])('no secret of %s is ever shown', async (location) => {
  const error: unknown = await openHdfsStore(location, { environment: {} }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'STORE_BAD_URL' });
  expect(
    `${(error as StoreError).message} ${String((error as StoreError).stack)} ${JSON.stringify(error)}`,
  ).not.toMatch(/canary/);
});

const TOKEN = { HDFS_DELEGATION_TOKEN: 'TOKEN' };
const PASSWORD = { HDFS_BASIC_USER: 'me', HDFS_BASIC_PASSWORD: 'password' };

test.each([
  ['webhdfs://nn.example.org/x', TOKEN],
  ['hdfs://nn/x?delegation-token-file=none', {}],
  ['webhdfs://127.0.0.1:1,nn.example.org/x', TOKEN],
  ['webhdfs://nn.example.org/x', PASSWORD],
  // A password is worth more than a token, which expires.
  ['webhdfs://nn.example.org/x?allow-http=true', PASSWORD],
])('%s would send a secret readable: refused', async (location, environment) => {
  await expect(openHdfsStore(location, { environment })).rejects.toMatchObject({
    kind: 'fatal',
    code: 'STORE_INSECURE',
  });
});

test.each([
  ['webhdfs://127.0.0.1:1/x', TOKEN],
  ['webhdfs://127.0.0.1:1/x', PASSWORD],
  ['swebhdfs://127.0.0.1:1/x', PASSWORD],
  ['webhdfs://127.0.0.1:1/x?allow-http=true', TOKEN],
  ['webhdfs://127.0.0.1:1/x', {}],
])('%s may be spoken to, and nobody is there', async (location, environment) => {
  await expect(openHdfsStore(location, { environment })).rejects.toMatchObject({
    kind: 'retry',
    code: 'STORE_UNREACHABLE',
  });
});

test('half a password is refused', async () => {
  const environment = { HDFS_BASIC_USER: 'me' };
  await expect(openHdfsStore('webhdfs://127.0.0.1:1/x', { environment })).rejects.toMatchObject({
    code: 'STORE_CREDENTIALS',
  });
});

test.each([
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
  '127.0.0.1',
  '127.9.9.9',
  '::1',
  '[::1]',
  '::ffff:127.0.0.1',
])('%s is this machine', (host) => expect(isLoopbackHost(host)).toBe(true));

test.each([
  '',
  'localhost.example.org',
  'notlocalhost',
  '128.0.0.1',
  '127.0.0.1.example.org',
  '1127.0.0.1',
  '::2',
  '0.0.0.0',
  '::',
])('%j is not surely this machine', (host) => expect(isLoopbackHost(host)).toBe(false));
