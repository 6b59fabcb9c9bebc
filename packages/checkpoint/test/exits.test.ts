import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run, runFixture, runText } from './support/child.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-exits-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const START = `
  import { createSystem } from '@tidemark/checkpoint';
  const system = await createSystem({ actors: [fixture('actors.mjs')], workers: 2, ...OPTIONS });
  const { Echo } = await import(fixture('actors.mjs'));
  const echo = system.ref(Echo, 'a');
`;
/** Longer than a process needs to end, shorter than any timer that somebody may have forgotten. */
const SOON_MS = 2_000;

describe.each([
  '{}',
  '{ inline: true }',
  '{ store: STORE }',
  "{ store: STORE, inline: true, schedule: '20ms' }",
  "{ store: STORE, schedule: '0 0 1 1 *' }",
])('a process with a system %s ends by itself', (options) => {
  const ended = (rest: string) =>
    runText(
      START.replace('OPTIONS', options).replace('STORE', JSON.stringify(join(folder, options.replaceAll(/\W/g, '-')))) +
        rest,
    );

  test('after stop()', async () => {
    const { status, stdout, stderr, lingeredMs } = await ended(`
        await system.ask(echo).say(1);
        await system.stop();
        process.stdout.write('stopped');
      `);
    expect([status, stderr, stdout]).toEqual([0, '', 'stopped']);
    expect(lingeredMs).toBeLessThan(SOON_MS);
  });

  test('after the system has failed', async () => {
    const { status, stdout, stderr, lingeredMs } = await ended(`
        system.done.catch(({ code }) => process.stdout.write(code));
        await system.tell(echo).slow();
      `);
    expect([status, stderr, stdout]).toEqual([0, '', 'HANDLER_ASYNC']);
    expect(lingeredMs).toBeLessThan(SOON_MS);
  });
});

test('a process with a system does not end before stop(), though nothing happens', async () => {
  const { stdout } = await runText(`${START.replace('OPTIONS', '{}')}
    setTimeout(async () => {
      process.stdout.write('still here');
      await system.stop();
    }, 300).unref();
  `);
  expect(stdout).toBe('still here');
});

describe('main()', () => {
  test('runs the program of a file, and goes on where the last run was', async () => {
    for (const n of [1, 2, 3]) {
      const { status, stdout, stderr } = await runFixture('counter-main.mjs', join(folder, 'main'));
      expect([status, stderr, stdout]).toEqual([0, '', `counted ${n}\nafter main\n`]);
    }
  });

  test('does so through a link', async () => {
    const link = join(folder, 'linked.mjs');
    await symlink(fileURLToPath(new URL('fixtures/counter-main.mjs', import.meta.url)), link);
    const { stdout } = await run([link, join(folder, 'linked')]);
    expect(stdout).toBe('counted 1\nafter main\n');
  });

  test('does nothing in a module that is not the program', async () => {
    const { status, stdout } = await runText("await import(fixture('counter-main.mjs'));");
    expect([status, stdout]).toEqual([0, 'after main\n']);
  });

  test('rejects when the system dies under it, whatever it waits for', async () => {
    const { status, stdout, stderr } = await runFixture('counter-main.mjs', join(folder, 'later'), 'later');
    expect([status, stdout]).toEqual([1, 'counted 1\n']);
    expect(stderr).toContain("code: 'HANDLER_ASYNC'");
  });
});
