import { readdir } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('a system %s', (_, inline) => {
  test.each([
    ['messages', { records: 50 }],
    ['bytes', { bytes: 2_000 }],
  ])(
    'takes a checkpoint after so many %s, by all threads together, and none when nothing is done',
    async (_what, schedule) => {
      const system = await systems.start({ store: await systems.folder(), inline, schedule });
      const published: number[] = [];
      const second = new Promise<void>((resolve) => {
        system.on('checkpoint', ({ position }) => void (published.push(position) === 2 && resolve()));
      });
      // No more than what is needed: a third one would need more.
      while (published.length < 2)
        for (const key of ['a', 'b', 'c']) await system.ask(system.ref(Echo, key)).say('word');
      await second;
      expect(systems.events.filter(({ kind }) => kind === 'checkpoint-failed')).toEqual([]);
      await system.stop();
    },
  );

  test('takes one before it stops, whatever the schedule', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store, inline, schedule: { records: 1_000_000 } });
    expect(await system.ask(system.ref(Echo, 'a')).word('x')).toBe(1);
    await system.stop();
    expect(systems.events.map(({ kind }) => kind)).toEqual(['term', 'checkpoint']);
    const again = await systems.start({ store, inline });
    expect(await again.ask(again.ref(Echo, 'a')).word('x')).toBe(2);
  });
});

test('a schedule that is wrong is refused before the store is made', async () => {
  const folder = await systems.folder();
  const started = systems.start({ store: `${folder}/store`, schedule: { minPause: 'soon' } });
  await expect(started).rejects.toMatchObject({ code: 'SCHEDULE_INVALID' });
  expect(await readdir(folder)).toEqual([]);
});
