import assert from 'node:assert/strict';
import { BIG_BYTES, bytesOf, holds, pattern, plain, rejectsWith, slices, streamOf, type Rules } from './tools.ts';

/** S1: what is seen of an object is what was put, whole. */
export const WHOLE_OBJECTS: Rules = {
  'S1: get gives back exactly what each way of writing stored': async (store) => {
    await store.put('way/put', bytesOf('put'));
    assert.equal(await store.putIfAbsent('way/if-absent', bytesOf('if absent')), 'stored');
    await store.replace('way/replace', bytesOf('replace'));
    await store.put('way/streamed', streamOf(bytesOf('stre'), new Uint8Array(0), bytesOf('amed')));
    await holds(store, 'way/put', bytesOf('put'));
    await holds(store, 'way/if-absent', bytesOf('if absent'));
    await holds(store, 'way/replace', bytesOf('replace'));
    await holds(store, 'way/streamed', bytesOf('streamed'));
  },

  'S1: an object may be empty': async (store) => {
    await store.put('empty/put', new Uint8Array(0));
    await store.put('empty/streamed', streamOf());
    assert.equal(await store.putIfAbsent('empty/if-absent', new Uint8Array(0)), 'stored');
    for (const name of await store.list('empty/')) await holds(store, name, new Uint8Array(0));
    assert.equal((await store.list('empty/')).length, 3);
    assert.equal(await store.putIfAbsent('empty/put', bytesOf('x')), 'taken');
  },

  'S1: every value of a byte survives': async (store) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
    await store.put('bytes', bytes);
    await holds(store, 'bytes', bytes);
  },

  'S1: a Buffer is as good as any bytes, and stays its own: large, in pieces of one, and out of the pool of Node':
    async (store) => {
      const large = Buffer.from(pattern(64 * 1024));
      const small = Buffer.from('a Buffer of few bytes');
      for (const [size, bytes] of Object.entries({ large, small })) {
        const before = Buffer.concat([bytes]);
        await store.put(`buffer/${size}/whole`, bytes);
        assert.equal(await store.putIfAbsent(`buffer/${size}/if-absent`, bytes), 'stored');
        await store.replace(`buffer/${size}/replaced`, bytes);
        await store.put(`buffer/${size}/streamed`, slices(bytes, Math.ceil(bytes.length / 10)));
        assert.ok(before.equals(bytes), `${size} after it was put`);
        for (const name of await store.list(`buffer/${size}/`)) await holds(store, name, before);
      }
    },

  'S1: an object of 8 MB survives, whole and streamed': async (store) => {
    const bytes = pattern(BIG_BYTES);
    await store.put('big/whole', bytes);
    await store.put('big/streamed', slices(bytes, 100_003));
    await holds(store, 'big/whole', bytes);
    await holds(store, 'big/streamed', bytes);
    assert.equal(await store.putIfAbsent('big/if-absent', bytes), 'stored');
    await holds(store, 'big/if-absent', bytes);
  },

  'S1: only the part of a larger buffer that was given is stored': async (store) => {
    await store.put('view', bytesOf('-inside-').subarray(1, 7));
    await holds(store, 'view', bytesOf('inside'));
  },

  'S1: nothing is seen of a streamed put before it is whole': async (store) => {
    async function* looking() {
      yield bytesOf('first ');
      await rejectsWith(store.get('slow/object'), 'STORE_ABSENT');
      assert.deepEqual(await store.list(''), [], 'an unfinished object is listed');
      yield bytesOf('second');
    }
    await store.put('slow/object', looking());
    await holds(store, 'slow/object', bytesOf('first second'));
  },

  'S1: a streamed put whose body fails passes the error on and leaves nothing': async (store) => {
    const broken = new Error('the body broke');
    async function* failing() {
      yield bytesOf('half');
      throw broken;
    }
    await assert.rejects(store.put('failed/object', failing()), (error) => error === broken);
    await rejectsWith(store.get('failed/object'), 'STORE_ABSENT');
    assert.deepEqual(await store.list(''), []);
    await store.put('failed/object', bytesOf('second attempt'));
    await holds(store, 'failed/object', bytesOf('second attempt'));
  },

  "S1: the caller's array may change after the call, and the array that was got too": async (store) => {
    const mine = bytesOf('original');
    await store.put('kept', mine);
    mine.fill(0);
    const got = await store.get('kept');
    assert.deepEqual(plain(got), bytesOf('original'));
    got.fill(0);
    await holds(store, 'kept', bytesOf('original'));
  },

  'S1: put never overwrites': async (store) => {
    await store.put('once', bytesOf('first'));
    await rejectsWith(store.put('once', bytesOf('second')), 'STORE_NAME_TAKEN');
    await rejectsWith(store.put('once', streamOf(bytesOf('third'))), 'STORE_NAME_TAKEN');
    await holds(store, 'once', bytesOf('first'));
  },
};
