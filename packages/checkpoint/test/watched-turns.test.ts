import { expect, test } from 'vitest';
import { Watches } from './fixtures/watches.mjs';
import { Systems } from './support/systems.ts';

const systems = new Systems();

test('a module that workers import hears of the turns of each of them', async () => {
  const system = await systems.start({ actors: [new URL('./fixtures/watches.mjs', import.meta.url)], workers: 1 });
  const ref = system.ref(Watches, 'a');
  expect(await system.ask(ref).threadId()).toBeGreaterThan(0);
  expect(await system.ask(ref).seen()).toEqual(['1 watches/a threadId']);
});
