import { expect, test } from 'vitest';
import { storage, Traced } from './fixtures/traced.mjs';
import { Systems } from './support/systems.ts';

const systems = new Systems();
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each([
  ['in worker threads', false],
  ['inline', true],
])('a trace goes through actors of all threads, %s, and stays its own', async (_, inline) => {
  const system = await systems.start({
    actors: [new URL('./fixtures/traced.mjs', import.meta.url)],
    workers: 3,
    inline,
  });
  const keys = Array.from({ length: 12 }, (__, index) => `key ${index}`);
  await Promise.all(
    ['1', '2', '3', '4'].map(async (span) => {
      const trace = `${TRACE}-${span}`;
      const first = system.ref(Traced, `first of ${span}`);
      expect(await storage.run(trace, () => system.ask(first).ask([]))).toBe(trace);
      await storage.run(trace, () => system.ask(first).ask(keys));
      let seen: string | null = null;
      while (seen === null) seen = await system.ask(first).seen();
      expect(seen).toBe(trace);
    }),
  );
  expect(await system.ask(system.ref(Traced, 'a')).ask([])).toBe(undefined);
});
