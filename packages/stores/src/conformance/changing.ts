import assert from 'node:assert/strict';
import { RACERS, bytesOf, holds, rejectsWith, textOf, type Rules } from './tools.ts';

/** `replace`, `delete`, signals and `close`. */
export const CHANGING: Rules = {
  'replace: the last writer wins, whether the name was taken or not': async (store) => {
    await store.replace('owner.json', bytesOf('{"counter":1}'));
    await holds(store, 'owner.json', bytesOf('{"counter":1}'));
    await store.replace('owner.json', bytesOf('{}'));
    await holds(store, 'owner.json', bytesOf('{}'));
    await store.put('put', bytesOf('put'));
    await store.replace('put', bytesOf('replaced'));
    await holds(store, 'put', bytesOf('replaced'));
    assert.deepEqual(await store.list(''), ['owner.json', 'put']);
  },

  'replace: of many at once one whole body stays': async (store) => {
    const bodies = Array.from({ length: RACERS }, (_, racer) => `${racer} `.repeat(1_000));
    await Promise.all(bodies.map((body) => store.replace('busy', bytesOf(body))));
    assert.ok(bodies.includes(textOf(await store.get('busy'))));
    assert.equal(await store.putIfAbsent('busy', bytesOf('x')), 'taken');
  },

  'delete: removes that object alone, and removing what is not there is no error': async (store) => {
    await store.put('some/one', bytesOf('1'));
    await store.put('some/two', bytesOf('2'));
    await store.delete('some/one');
    await store.delete('some/one');
    await store.delete('never');
    await store.delete('never/was');
    await rejectsWith(store.get('some/one'), 'STORE_ABSENT');
    await holds(store, 'some/two', bytesOf('2'));
    await store.delete('some');
    assert.deepEqual(await store.list(''), ['some/two']);
  },

  'signal: an aborted call does nothing and says so': async (store) => {
    await store.put('there', bytesOf('x'));
    const signal = AbortSignal.abort(new Error('enough'));
    await rejectsWith(store.put('new', bytesOf('x'), { signal }), 'STORE_ABORTED');
    await rejectsWith(store.putIfAbsent('new', bytesOf('x'), { signal }), 'STORE_ABORTED');
    await rejectsWith(store.replace('there', bytesOf('y'), { signal }), 'STORE_ABORTED');
    await rejectsWith(store.get('there', { signal }), 'STORE_ABORTED');
    await rejectsWith(store.list('', { signal }), 'STORE_ABORTED');
    await rejectsWith(store.delete('there', { signal }), 'STORE_ABORTED');
    assert.deepEqual(await store.list(''), ['there']);
    await holds(store, 'there', bytesOf('x'));
  },

  'signal: a streamed put that is aborted on its way leaves nothing': async (store) => {
    const abort = new AbortController();
    async function* body() {
      yield bytesOf('half');
      abort.abort();
      yield bytesOf('rest');
    }
    await rejectsWith(store.put('gone', body(), { signal: abort.signal }), 'STORE_ABORTED');
    assert.deepEqual(await store.list(''), []);
  },

  'close: twice is as good as once': async (store) => {
    await store.close();
    await store.close();
  },
};
