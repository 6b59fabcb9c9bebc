import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore, StoreError } from '@tidemark/stores';
import { parseLocation, withoutSecrets } from '@tidemark/stores/internal';
import { describe, expect, test } from 'vitest';
import { bytesOf } from './disk-parts.ts';
import { realFolders } from './real-folder.ts';

const newFolder = realFolders();

const errorOf = (location: string): StoreError => {
  try {
    parseLocation(location);
  } catch (error) {
    if (error instanceof StoreError) return error;
  }
  throw new Error(`${location} was accepted`);
};

test.each([
  ['./checkpoints', resolve('checkpoints')],
  ['checkpoints/orders', resolve('checkpoints/orders')],
  ['/var/lib/tidemark', '/var/lib/tidemark'],
  ['file:///var/lib/tidemark', '/var/lib/tidemark'],
  ['FILE:///var/a%20b', '/var/a b'],
  ['file:/var/x', '/var/x'],
  ['./odd:name', resolve('odd:name')],
  ['C:x', resolve('C:x')],
])('%s is the folder %s', (location, path) => {
  expect(parseLocation(location)).toEqual({ kind: 'folder', path, allowNetwork: false });
});

test('memory:NAME is a store in memory', () => {
  expect(parseLocation('memory:orders')).toEqual({ kind: 'memory', name: 'orders' });
});

test.each(['hdfs://namenode/checkpoints', 'webhdfs://namenode:9870/x', 'SWEBHDFS://namenode/x'])(
  '%s is in HDFS',
  (location) => {
    expect(parseLocation(location)).toEqual({ kind: 'hdfs', location });
  },
);

test.each(['s3://bucket/x?region=eu-central-1', 'S3://bucket/x'])('%s is in S3', (location) => {
  expect(parseLocation(location)).toEqual({ kind: 's3', location });
});

test.each([
  '',
  '  ',
  'foo://x',
  'hdfs://namenode',
  'webhdfs://namenode/x?unknown=1',
  'http://x/y',
  'memory:',
  'memory:../x',
  'memory://x',
  'file:x',
  'file:./x',
  'file://host/x',
  'file:///a%2Fb',
  'file:///a?b',
  'file:///a#b',
  'a\0b',
  'odd:name',
])('%j is refused', (location) => {
  expect(errorOf(location)).toMatchObject({ kind: 'fatal', code: 'STORE_BAD_URL' });
});

describe('no secret in a location is ever echoed', () => {
  test.each([
    's3://KEY:canary@bucket/x',
    's3://KEY:can/ary:canary@bucket/x',
    's3://bucket/x?X-Amz-Signature=canary',
    'foo://user:canary@host',
    'foo:user:canary@host',
    'user:canary@host',
    'file://user:canary@host/x',
    'file:canary@x',
    'foo://host/#canary',
    'foo://user:ca@canary@host/',
    'foo://user:canary\n@host',
    'memory:canary@',
  ])('%j', (location) => {
    const error = errorOf(location);
    expect(`${error.message} ${String(error.stack)} ${JSON.stringify(error)}`).not.toMatch(/canary/);
    expect(withoutSecrets(location)).not.toMatch(/canary/);
  });

  test('what is no secret stays readable', () => {
    expect(withoutSecrets('s3://bucket/a/b')).toBe('s3://bucket/a/b');
    expect(withoutSecrets('hdfs://user:pw@host:8020/a')).toBe('hdfs://***@host:8020/a');
    expect(withoutSecrets('./me@home')).toBe('./me@home');
  });
});

test('openers of one memory name share it, others do not, and it outlives close', async () => {
  const one = await openStore('memory:shared-one');
  await one.put('x', bytesOf('x'));
  await one.close();
  expect(await (await openStore('memory:shared-one')).list('')).toEqual(['x']);
  expect(await (await openStore('memory:shared-two')).list('')).toEqual([]);
});

test('a folder is the same by path and by URL, and its own url opens it again', async () => {
  const folder = join(newFolder(), 'a b#c?d%e');
  const byPath = await openStore(folder);
  await byPath.put('x', bytesOf('x'));
  expect(byPath.url).toBe(pathToFileURL(folder).href);
  expect(await (await openStore(byPath.url)).list('')).toEqual(['x']);
});

test('an empty folder that is there is taken as it is', async () => {
  const folder = join(newFolder(), 'there');
  mkdirSync(folder);
  expect(await (await openStore(folder)).list('')).toEqual([]);
});
