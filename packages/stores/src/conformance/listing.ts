import assert from 'node:assert/strict';
import { bytesOf, logName, type Rules } from './tools.ts';

/** S4 and `list`: what a listing shows, and in which order. */
export const LISTING: Rules = {
  'S4: a listing shows every put that resolved before it, and nothing that was deleted': async (store) => {
    for (let position = 1; position <= 20; position++) {
      await store.putIfAbsent(logName(position), bytesOf(`${position}`));
      const names = await store.list('log/');
      assert.deepEqual(
        names,
        Array.from({ length: position }, (_, index) => logName(index + 1)),
      );
    }
    await store.replace('log/owner.json', bytesOf('{}'));
    assert.ok((await store.list('log/')).includes('log/owner.json'));
    await store.delete(logName(1));
    assert.ok(!(await store.list('log/')).includes(logName(1)));
  },

  'S4: names come in ascending order of their bytes, whatever order they were put in': async (store) => {
    const ordered = [
      '0',
      'A/z',
      'B',
      'Z.9',
      'a-b/c',
      'a.b',
      'a/b',
      'a/b-c',
      'a/c/d',
      'a0',
      'a10',
      'a9',
      'aB',
      'a_b',
      'ab',
      'b',
    ];
    for (const name of ordered.toReversed()) await store.put(name, bytesOf(name));
    assert.deepEqual(await store.list(''), ordered);
  },

  'list: a prefix is any beginning of a name, and answers are whole names': async (store) => {
    for (const name of ['log/0001', 'log/0002', 'log/0010', 'logs/0001', 'lo', 'a/log/0001'])
      await store.put(name, bytesOf(name));
    assert.deepEqual(await store.list('log/'), ['log/0001', 'log/0002', 'log/0010']);
    assert.deepEqual(await store.list('log/000'), ['log/0001', 'log/0002']);
    assert.deepEqual(await store.list('log/0010'), ['log/0010']);
    assert.deepEqual(await store.list('log'), ['log/0001', 'log/0002', 'log/0010', 'logs/0001']);
    assert.deepEqual(await store.list('lo'), ['lo', 'log/0001', 'log/0002', 'log/0010', 'logs/0001']);
  },

  'list: after leaves out names up to and with it': async (store) => {
    for (let position = 1; position <= 5; position++) await store.put(logName(position), bytesOf('x'));
    assert.deepEqual(await store.list('log/', { after: logName(3) }), [logName(4), logName(5)]);
    assert.deepEqual(await store.list('log/', { after: 'log/' }), [1, 2, 3, 4, 5].map(logName));
    assert.deepEqual(await store.list('log/', { after: logName(5) }), []);
    assert.deepEqual(await store.list('log/', { after: `${logName(3)}x` }), [logName(4), logName(5)]);
  },

  'list: nothing is an empty listing, not an error': async (store) => {
    assert.deepEqual(await store.list(''), []);
    assert.deepEqual(await store.list('never/was/'), []);
    assert.deepEqual(await store.list('never/was/here'), []);
  },
};
