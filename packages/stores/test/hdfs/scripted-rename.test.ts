import { type StoreError } from '@tidemark/stores';
import { describe, expect, test } from 'vitest';
import type { Script } from './scripted-hdfs.ts';
import { RENAMES_BEFORE } from './scripted-rows.ts';
import { rejection, scriptedStore } from './scripted-store.ts';

const world = scriptedStore();

/** Does what was asked and loses the answer, or loses the request, the first time after the store was opened. */
function losing(operation: string, isDone: boolean): Script {
  const before = world.hdfs.count(operation);
  return async (asked, response, usual) => {
    if (asked.operation !== operation || asked.count !== before + 1) return 'usual';
    if (isDone) await usual();
    response.destroy();
    return undefined;
  };
}

describe('the answer to a rename is lost', () => {
  test.each(['put', 'stream', 'putIfAbsent', 'replace'] as const)('%s, and it was done: stored', async (call) => {
    world.hdfs.script = losing('RENAME', true);
    expect(await world.call(call)).toBe(call === 'putIfAbsent' ? 'stored' : undefined);
    expect(await world.store.list('new/')).toHaveLength(1);
    expect(world.hdfs.count('RENAME'), 'sent once').toBe(RENAMES_BEFORE + 1);
  });

  test.each(['put', 'stream', 'putIfAbsent', 'replace'] as const)(
    '%s, and it was not: surely nothing',
    async (call) => {
      world.hdfs.script = losing('RENAME', false);
      expect(await rejection(world.call(call))).toMatchObject({ code: 'STORE_UNREACHABLE', kind: 'retry' });
      await world.store.close();
      expect([...world.hdfs.files.keys()], 'the temp file is gone too').toEqual(['/s/there']);
    },
  );

  test.each(['put', 'putIfAbsent'] as const)('%s, and another one has the name: taken', async (call) => {
    const before = world.hdfs.count('RENAME');
    world.hdfs.script = async (asked, response, usual) => {
      if (asked.operation !== 'RENAME' || asked.count !== before + 1) return 'usual';
      world.hdfs.files.set(asked.parameters.get('destination') ?? '', { id: 99_999, bytes: Buffer.from('bytes') });
      await usual();
      response.destroy();
      return undefined;
    };
    const answer = await world.call(call).catch((error: unknown) => (error as StoreError).code);
    expect(answer).toBe(call === 'put' ? 'STORE_NAME_TAKEN' : 'taken');
  });

  test('and so is that to deleting the temp file: not known', async () => {
    const before = world.hdfs.count('DELETE');
    const rename = losing('RENAME', false);
    const remove: Script = async (asked, response, usual) => {
      if (asked.operation !== 'DELETE' || asked.count !== before + 1) return 'usual';
      await usual();
      response.destroy();
      return undefined;
    };
    world.hdfs.script = async (asked, response, usual) =>
      asked.operation === 'RENAME'
        ? rename(asked, response, usual, world.hdfs)
        : remove(asked, response, usual, world.hdfs);
    const error = await rejection(world.call('putIfAbsent'));
    expect(error).toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN', kind: 'lost' });
    expect(await world.store.list('new/')).toEqual([]);
  });

  test('and a rename that comes late finds its source gone, so that "taken" and "nothing done" stay true', async () => {
    let late: (() => Promise<unknown>) | undefined;
    const before = world.hdfs.count('RENAME');
    world.hdfs.script = (asked, response, usual) => {
      if (asked.operation !== 'RENAME' || asked.count !== before + 1) return 'usual';
      late = usual;
      response.destroy();
      return undefined;
    };
    expect(await rejection(world.call('putIfAbsent'))).toMatchObject({ kind: 'retry' });
    expect(await late?.()).toMatchObject({ status: 404 });
    expect(await world.store.list('new/')).toEqual([]);
  });

  test.each(['stream', 'putIfAbsent'] as const)(
    '%s, and the caller gives up: what was sent gets a little more time, then it is not known',
    async (call) => {
      const abort = new AbortController();
      const before = world.hdfs.count('RENAME');
      world.hdfs.script = ({ operation, count }) => {
        if (operation !== 'RENAME' || count <= before) return world.hdfs.count('RENAME') > before ? undefined : 'usual';
        abort.abort();
        return undefined;
      };
      expect(await rejection(world.call(call, abort.signal))).toMatchObject({
        code: 'STORE_OUTCOME_UNKNOWN',
        kind: 'lost',
      });
    },
  );

  test.each(['put', 'stream', 'putIfAbsent', 'replace'] as const)(
    '%s, and the caller gave up just then, too late: stored',
    async (call) => {
      const abort = new AbortController();
      const before = world.hdfs.count('RENAME');
      world.hdfs.script = ({ operation, count }) => {
        if (operation === 'RENAME' && count > before) abort.abort();
        return 'usual';
      };
      expect(await world.call(call, abort.signal)).toBe(call === 'putIfAbsent' ? 'stored' : undefined);
      expect(await world.store.list('new/')).toHaveLength(1);
    },
  );

  test('an own entry in the journal is waited for before it counts', async () => {
    const folders = world.hdfs.count('MKDIRS');
    world.hdfs.script = losing('RENAME', true);
    await world.call('putIfAbsent');
    const renamed = world.hdfs.asked.findLastIndex(({ operation }) => operation === 'RENAME');
    const marked = world.hdfs.asked.findLastIndex(({ operation }) => operation === 'MKDIRS');
    expect(world.hdfs.count('MKDIRS')).toBe(folders + 2);
    expect(marked).toBeGreaterThan(renamed);
  });
});

test('a body is written again, under a new name, when a data node loses the first answer', async () => {
  const before = world.hdfs.count('CREATE', true);
  world.hdfs.script = async (asked, response, usual) => {
    if (asked.operation !== 'CREATE' || !asked.isData || asked.count !== before + 1) return 'usual';
    await usual();
    response.destroy();
    return undefined;
  };
  expect(await world.call('putIfAbsent')).toBe('stored');
  const written = world.hdfs.asked
    .filter(({ operation, isData }) => operation === 'CREATE' && isData)
    .map(({ path }) => path);
  expect(new Set(written).size).toBe(written.length);
});
