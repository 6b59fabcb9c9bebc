import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { System, SystemOptions } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Outside, Runner } from './fixtures/errands.mjs';
import { rollbacksOf } from './support/rollbacks.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 60_000 });

const systems = new Systems();
const { rollbacks, rolledBack } = rollbacksOf(systems);
// The support knows of the other fixtures, and all threads define the same.
const actors = ['errands.mjs', 'actors.mjs'].map((name) => new URL(`fixtures/${name}`, import.meta.url));
const start = (options: Partial<SystemOptions>): Promise<System> => systems.start({ actors, ...options });
const runner = (system: System) => system.ref(Runner, 'r');
const got = (system: System): Promise<unknown[]> => system.ask(runner(system)).got();
const soon = (look: () => Promise<void> | void): Promise<void> => vi.waitFor(look, { timeout: 30_000, interval: 5 });
const calls = async (path: string): Promise<string[]> => {
  const text = existsSync(`${path}.calls`) ? await readFile(`${path}.calls`, 'utf8') : '';
  return text.split('\n').filter((line) => line !== '');
};
const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'answered',
    (error: { code: string }) => error.code,
  );

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('%s', (_, inline) => {
  test('an open question to a service is asked again after a restart, by the same id, and answered once', async () => {
    const store = await systems.folder();
    const file = join(store, 'open');
    const before = await start({ store, inline });
    await before.tell(runner(before)).run(file, 'x');
    await soon(async () => expect(await calls(file)).toHaveLength(1));
    await before.stop();
    const system = await start({ store, inline, workers: 3 });
    await soon(async () => expect(await calls(file)).toHaveLength(2));
    expect(new Set(await calls(file)).size).toBe(1);
    await writeFile(file, '');
    await soon(async () => expect(await got(system)).toEqual([['x', { ok: true, value: 'x done' }]]));
    await system.stop();
    const again = await start({ store, inline });
    expect(await got(again)).toHaveLength(1);
    expect(await calls(file)).toHaveLength(2);
  });

  test('a timer goes off after a restart, at once when it is overdue', async () => {
    const store = await systems.folder();
    const before = await start({ store, inline });
    await before.tell(runner(before)).wake(1, 'soon');
    await before.tell(runner(before)).wake(1e9, 'late');
    await before.stop();
    const system = await start({ store, inline, workers: 1 });
    await soon(async () => expect(await got(system)).toEqual([['soon', 'woken']]));
  });

  test('poison costs one rollback, then it is a letter that outlives restarts and can be sent again', async () => {
    const store = await systems.folder();
    const cure = join(store, 'cure');
    const before = await start({ store, inline });
    await before.tell(runner(before)).count('first');
    await before.tell(runner(before)).poison(cure, 'p');
    // The poison is in it, or was undone by the rollback: then it is told again.
    await before.checkpoint().catch(() => undefined);
    await rolledBack();
    await before.tell(runner(before)).poison(cure, 'q');
    await soon(async () => expect((await before.deadLetters.list()).length).toBeGreaterThan(0));
    await before.tell(runner(before)).count('second');
    await before.stop();
    expect(rollbacks()).toHaveLength(1);
    const system = await start({ store, inline, workers: 3 });
    const letters = await system.deadLetters.list();
    const letter = letters.find(({ args }) => args[1] === 'q')!;
    expect(letter).toMatchObject({
      actor: { type: 'runner', key: 'r' },
      handler: 'poison',
      args: [cure, 'q'],
      code: 'RangeError',
      message: 'poison',
    });
    expect(await got(system)).not.toContainEqual(['q', 'begun']);
    await writeFile(cure, '');
    expect(await system.deadLetters.resend(letter)).toBe(true);
    expect(await got(system)).toContainEqual(['q', 'begun']);
    for (const other of letters) expect(await system.deadLetters.discard(other)).toBe(other.id !== letter.id);
    expect(await system.deadLetters.list()).toEqual([]);
  });

  test('a request with an id is handled once over rollbacks and restarts', async () => {
    const store = await systems.folder();
    const before = await start({ store, inline });
    const request = (system: System) => system.ask(runner(system), { requestId: 'id', timeoutMs: 20_000 }).count('x');
    expect(await request(before)).toBe(1);
    await before.checkpoint();
    expect(await request(before)).toBe(1);
    await before.stop();
    const system = await start({ store, inline });
    expect(await request(system)).toBe(1);
    // Undone, and asked again by the runtime.
    await system.tell(runner(system)).poison(join(store, 'no such file'), 'p');
    const later = system.ask(runner(system), { requestId: 'later', timeoutMs: 20_000 }).count('y');
    await rolledBack();
    expect(await later).toBe(2);
    expect(await got(system)).toEqual([
      ['x', 'counted'],
      ['y', 'counted'],
    ]);
  });

  test("release 'after-checkpoint' waits for the checkpoint that has what was done", async () => {
    const system = await start({ store: await systems.folder(), inline });
    let released = false;
    const answer = system
      .ask(runner(system), { release: 'after-checkpoint' })
      .count('x')
      .then((value) => {
        released = true;
        return value;
      });
    expect(await system.ask(runner(system)).got()).toHaveLength(1);
    expect(released).toBe(false);
    await system.checkpoint();
    expect(await answer).toBe(1);
  });
});

describe('a service', () => {
  test('uses all workers, and answers with the error of another thread', async () => {
    const system = await start({ workers: 3 });
    const threads = await Promise.all(Array.from({ length: 12 }, () => system.ask(Outside).where()));
    expect(new Set(threads).size).toBe(3);
    await expect(system.ask(Outside).fail()).rejects.toMatchObject({
      code: 'FAR',
      message: 'too far',
      stack: expect.stringContaining('errands.mjs'),
    });
    expect(await system.ask(Outside).raise(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(2, 3));
  });

  test('whose ask is aborted, or runs out of time, hears of it in its own thread', async () => {
    const folder = await systems.folder();
    const system = await start({ workers: 2 });
    const abort = new AbortController();
    const aborted = system.ask(Outside, { signal: abort.signal }).untilAborted(join(folder, 'aborted'));
    const late = codeOf(system.ask(Outside, { timeoutMs: 50 }).untilAborted(join(folder, 'late')));
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect(await late).toBe('ASK_TIMEOUT');
    for (const name of ['aborted', 'late']) await soon(() => expect(existsSync(join(folder, name))).toBe(true));
  });

  test('SERVICE_INTERRUPTED: one that its thread dies of is not asked again; its neighbours are', async () => {
    const store = await systems.folder();
    const file = join(store, 'open');
    const system = await start({ store, workers: 2 });
    const neighbours = ['a', 'b', 'c', 'd'].map((name) => system.ask(Outside, { timeoutMs: 30_000 }).when(file, name));
    await soon(async () => expect(await calls(file)).toHaveLength(4));
    const interrupted = Promise.allSettled(neighbours);
    expect(await codeOf(system.ask(Outside).exit())).toBe('SERVICE_INTERRUPTED');
    await rolledBack();
    await writeFile(file, '');
    const settled = await interrupted;
    const answered = settled.filter(({ status }) => status === 'fulfilled');
    expect(answered).toHaveLength(2);
    for (const each of settled)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'SERVICE_INTERRUPTED' });
    expect(await system.ask(Outside).raise(Uint8Array.of(1))).toEqual(Uint8Array.of(2));
  });
});
