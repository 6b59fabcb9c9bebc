import assert from 'node:assert/strict';
import { NAME_CHARS_MAX, SEGMENT_CHARS_MAX } from '../limits.ts';
import { bytesOf, holds, rejectsWith, streamOf, type Rules } from './tools.ts';

/** Names that every store must take, names that none may take, and the name of the store itself. */
export const NAMING: Rules = {
  'names: odd ones work': async (store) => {
    const longest = 'n'.repeat(SEGMENT_CHARS_MAX);
    const deepest = `f/${longest}/${longest}/${longest}`;
    const odd = ['0', 'A.b_c-D', 'a..b', 'a.', 'd/e/e/p/e/r', 'j/tmp/1', 'tmpx/1', longest, deepest];
    for (const name of odd) assert.equal(await store.putIfAbsent(name, bytesOf(name)), 'stored', name);
    for (const name of odd) await holds(store, name, bytesOf(name));
    assert.deepEqual(await store.list(''), [...odd].sort());
  },

  'names: forbidden ones are refused by every call': async (store) => {
    for (const name of FORBIDDEN_NAMES) {
      await rejectsWith(store.put(name, bytesOf('x')), 'STORE_BAD_NAME', name);
      await rejectsWith(store.put(name, streamOf(bytesOf('x'))), 'STORE_BAD_NAME', name);
      await rejectsWith(store.putIfAbsent(name, bytesOf('x')), 'STORE_BAD_NAME', name);
      await rejectsWith(store.replace(name, bytesOf('x')), 'STORE_BAD_NAME', name);
      await rejectsWith(store.get(name), 'STORE_BAD_NAME', name);
      await rejectsWith(store.delete(name), 'STORE_BAD_NAME', name);
    }
    for (const prefix of ['/', '../', 'a/../', '.', 'a//', 'a b', 'é', '*', 'tmp/']) {
      await rejectsWith(store.list(prefix), 'STORE_BAD_NAME', prefix);
    }
    assert.deepEqual(await store.list(''), []);
  },

  'url: says where the store is': async (store) => {
    assert.match(store.url, /^[a-z0-9]+:/);
    assert.equal(typeof store.supports.durable, 'boolean');
    assert.equal(typeof store.supports.sharedPutIfAbsent, 'boolean');
  },
};

const FORBIDDEN_NAMES: readonly string[] = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/..',
  'a/../b',
  './a',
  'a/./b',
  '.hidden',
  'a/.hidden',
  '-rf',
  '_a',
  'a b',
  'a\nb',
  'a\n',
  'a\0b',
  'a\\b',
  '..\\a',
  'C:\\a',
  'a:b',
  'a*',
  'a?b',
  'a#b',
  'a%2fb',
  '%2e%2e/a',
  'é',
  'a\u202eb',
  '\ud800',
  'tmp',
  'tmp/a',
  'n'.repeat(SEGMENT_CHARS_MAX + 1),
  'n/'.repeat(NAME_CHARS_MAX / 2) + 'n',
];
