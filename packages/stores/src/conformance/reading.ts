import assert from 'node:assert/strict';
import type { GetOptions } from '../store.ts';
import { BIG_BYTES, bytesOf, pattern, rejectsWith, textOf, type Rules } from './tools.ts';

/** S5 and `get`: what is not there is absent and nothing else is; ranges are exact. */
export const READING: Rules = {
  'S5: what is not there is absent, by code and kind': async (store) => {
    await store.put('folder/object', bytesOf('x'));
    for (const name of ['missing', 'missing/too', 'folder/missing', 'folder']) {
      const error = await rejectsWith(store.get(name), 'STORE_ABSENT');
      assert.equal(error.kind, 'absent');
      assert.ok(error.message.includes(name), 'the message names the object');
      await rejectsWith(store.get(name, { offset: 0, length: 1 }), 'STORE_ABSENT');
    }
  },

  'get: a range is exactly those bytes, cut off at the end of the object': async (store) => {
    await store.put('range', bytesOf('0123456789'));
    const range = async (options: GetOptions) => textOf(await store.get('range', options));
    assert.equal(await range({ offset: 0, length: 3 }), '012');
    assert.equal(await range({ offset: 4, length: 3 }), '456');
    assert.equal(await range({ offset: 7 }), '789');
    assert.equal(await range({ length: 2 }), '01');
    assert.equal(await range({ offset: 8, length: 100 }), '89');
    assert.equal(await range({ offset: 10, length: 1 }), '');
    assert.equal(await range({ offset: 11 }), '');
    assert.equal(await range({ offset: 3, length: 0 }), '');
    for (const bad of [{ offset: -1 }, { length: -1 }, { offset: 0.5 }, { length: Number.NaN }]) {
      await assert.rejects(store.get('range', bad), RangeError);
    }
  },

  'get: a range in the middle of 8 MB is right': async (store) => {
    const bytes = pattern(BIG_BYTES);
    await store.put('big', bytes);
    const got = await store.get('big', { offset: 5_000_001, length: 1_000_003 });
    assert.ok(Buffer.from(bytes.subarray(5_000_001, 6_000_004)).equals(got));
  },

  'get: more bytes than the caller takes are refused': async (store) => {
    await store.put('limited', bytesOf('0123456789'));
    const error = await rejectsWith(store.get('limited', { bytesMax: 9 }), 'STORE_TOO_LARGE');
    assert.equal(error.kind, 'corrupt');
    await rejectsWith(store.get('limited', { offset: 2, length: 4, bytesMax: 3 }), 'STORE_TOO_LARGE');
    assert.equal(textOf(await store.get('limited', { bytesMax: 10 })), '0123456789');
    assert.equal(textOf(await store.get('limited', { offset: 8, bytesMax: 2 })), '89');
  },

  'get: the array owns its memory, so it may be transferred to another thread': async (store) => {
    await store.put('own', bytesOf('own'));
    const got = await store.get('own');
    assert.equal(got.buffer.byteLength, got.byteLength);
  },

  'storedAt: where a store tells it, it is a time of the place, and what is not there is absent': async (store) => {
    if (store.storedAt === undefined) return;
    await store.put('folder/first', bytesOf('1'));
    await store.put('folder/second', bytesOf('2'));
    const [first, second] = [await store.storedAt('folder/first'), await store.storedAt('folder/second')];
    assert.ok(Number.isFinite(first) && second >= first, `${first}, then ${second}`);
    for (const name of ['folder/missing', 'folder']) {
      assert.equal((await rejectsWith(store.storedAt(name), 'STORE_ABSENT')).kind, 'absent');
    }
  },
};
