import { describe, expect, test } from 'vitest';
import { ROWS } from './scripted-rows.ts';
import { HANGS_MS, rejection, scriptedStore } from './scripted-store.ts';

const world = scriptedStore();

describe.each(ROWS)('$fault', ({ calls, script, code, kind }) => {
  test.each(calls)(
    `%s rejects with ${code}`,
    async (call) => {
      world.hdfs.script = script;
      const error = await rejection(world.call(call));
      expect({ code: error.code, kind: error.kind, message: error.message }).toMatchObject({ code, kind });
      expect(error.message, 'one line').not.toMatch(/[\n\r]/);
      // Nothing is seen of what was not stored.
      world.hdfs.script = () => 'usual';
      if (kind !== 'lost' && call !== 'delete') expect(await world.store.list('')).toEqual(['there']);
    },
    HANGS_MS,
  );
});
