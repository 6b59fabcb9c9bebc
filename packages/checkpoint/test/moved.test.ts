import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { move } from '@tidemark/actors';
import type { System, SystemOptions } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { Holder, HostMover, Mover, Narrow } from './fixtures/movers.mjs';
import { rollbacksOf } from './support/rollbacks.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 60_000 });

const systems = new Systems();
const { rolledBack } = rollbacksOf(systems);
// The support knows of the other fixtures, and all threads define the same.
const actors = ['movers.mjs', 'actors.mjs'].map((name) => new URL(`fixtures/${name}`, import.meta.url));
const start = (options: Partial<SystemOptions> = {}): Promise<System> => systems.start({ actors, ...options });
const soon = (look: () => Promise<void> | void): Promise<void> => vi.waitFor(look, { timeout: 30_000, interval: 5 });
const calls = async (path: string): Promise<number> =>
  existsSync(`${path}.calls`) ? (await readFile(`${path}.calls`, 'utf8')).split('\n').length - 1 : 0;
const LARGE = 40 * 1024 * 1024;

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('move, %s', (_, inline) => {
  test('takes a buffer to a service and back, larger than any message; each sender is left with none', async () => {
    const system = await start({ workers: 1, inline });
    const bytes = new Uint8Array(LARGE).fill(7);
    const asked = system.ask(Mover).raise(move(bytes));
    // At once, not when it is posted.
    expect(bytes.byteLength).toBe(0);
    const raised = await asked;
    expect(raised).toBeInstanceOf(Uint8Array);
    expect([raised.byteLength, raised[0], raised[LARGE - 1]]).toEqual([LARGE, 8, 8]);
    expect(await system.ask(Mover).given()).toBe(0);
  });

  test('takes a result alone: the question had none', async () => {
    const system = await start({ workers: 1, inline });
    const { bytes } = await system.ask(Mover).make(LARGE, 3);
    expect([bytes.byteLength, bytes[LARGE - 1]]).toEqual([LARGE, 3]);
    expect(await system.ask(Mover).given()).toBe(0);
  });

  test('of an argument alone: the answer is a copy', async () => {
    const system = await start({ inline });
    const bytes = Uint8Array.of(1, 2);
    expect(await system.ask(Mover).raised(move(bytes))).toEqual(Uint8Array.of(2, 3));
    expect(bytes.byteLength).toBe(0);
  });

  test('finds it anywhere in an argument; a view takes its whole buffer along, a Buffer arrives as a Uint8Array', async () => {
    const system = await start({ inline });
    const buffer = new ArrayBuffer(5);
    const view = new Uint8Array(new ArrayBuffer(10), 2, 3);
    const own = Buffer.from(new ArrayBuffer(6));
    const looks = [buffer, view, own].map((bytes, index) =>
      system.ask(Mover).look({ name: String(index), bytes: index === 0 ? (move(bytes) as ArrayBuffer) : move(bytes) }),
    );
    expect([buffer.byteLength, view.buffer.byteLength, own.byteLength]).toEqual([0, 0, 0]);
    expect(await Promise.all(looks)).toEqual([
      '0 ArrayBuffer 5 of undefined',
      '1 Uint8Array 3 of 10',
      '2 Uint8Array 6 of 6',
    ]);
  });

  test('to a service of the host crosses no thread, and is the same to both sides', async () => {
    const system = await start({ inline });
    const bytes = Uint8Array.of(1, 2);
    const asked = system.ask(HostMover).raise(move(bytes));
    expect(bytes.byteLength).toBe(0);
    expect(await asked).toEqual(Uint8Array.of(2, 3));
    expect(await system.ask(HostMover).given()).toBe(0);
  });

  test('is a copy in whatever actors send and answer: checkpoints hold that', async () => {
    const system = await start({ store: await systems.folder(), inline });
    const holder = system.ref(Holder, 'h');
    const bytes = Uint8Array.of(1, 2);
    expect(await system.ask(holder).take(move(bytes))).toBe(2);
    expect(bytes).toEqual(Uint8Array.of(1, 2));
    expect(await system.ask(holder).raise()).toBe(2);
    const value = Uint8Array.of(2, 3);
    await soon(async () => expect(await system.ask(holder).answer()).toEqual({ ok: true, value }));
    expect(await system.ask(holder).give()).toEqual(bytes);
    expect(await system.ask(holder).give()).toEqual(bytes);
    // The mark is spent: what is sent next is a copy.
    await system.ask(Mover).raise(bytes);
    expect(bytes.byteLength).toBe(2);
  });

  test('BUFFER_NOT_MOVABLE: a service that returns what cannot be moved', async () => {
    const system = await start({ inline });
    await expect(system.ask(Mover).shared()).rejects.toMatchObject({
      code: 'BUFFER_NOT_MOVABLE',
      message: expect.stringContaining('SharedArrayBuffer'),
    });
  });
});

describe('a call with a moved buffer', () => {
  test('that is aborted, or runs out of time, hears of it in its own thread', async () => {
    const folder = await systems.folder();
    const system = await start();
    const abort = new AbortController();
    const [aborted, late, atOnce] = ['aborted', 'late', 'at-once'].map((name) => join(folder, name));
    const asked = system
      .ask(Mover, { signal: abort.signal })
      .untilAborted(move(new Uint8Array(9)), aborted)
      .catch((error: unknown) => error);
    const timed = system
      .ask(Mover, { timeoutMs: 50 })
      .untilAborted(move(new Uint8Array(9)), late)
      .catch((error: unknown) => error);
    await soon(async () => expect(await calls(aborted)).toBe(1));
    abort.abort(new Error('enough'));
    expect(await asked).toMatchObject({ message: 'enough' });
    expect(await timed).toMatchObject({ code: 'ASK_TIMEOUT' });
    for (const path of [aborted, late]) await soon(() => expect(existsSync(path)).toBe(true));
    // The abort cannot overtake what it aborts: where both are on their way, the call hears of it too.
    for (let i = 0; i < 20; i++) {
      const soonOver = new AbortController();
      const path = `${atOnce}${i}`;
      const over = system
        .ask(Mover, { signal: soonOver.signal })
        .untilAborted(move(new Uint8Array(9)), path)
        .catch(() => undefined);
      soonOver.abort();
      await over;
      await soon(() => expect(existsSync(path)).toBe(true));
    }
  });

  test('waits in line as any other, and goes to the worker with the fewest', async () => {
    const path = join(await systems.folder(), 'open');
    const system = await start({ workers: 2 });
    const asks = Array.from({ length: 4 }, () =>
      system.ask(Narrow, { timeoutMs: 30_000 }).when(move(Uint8Array.of(1)), path),
    );
    await soon(async () => expect(await calls(path)).toBe(2));
    expect((await system.inspect()).asks.open).toBe(4);
    await writeFile(path, '');
    for (const answer of await Promise.all(asks)) expect(answer).toEqual(Uint8Array.of(1));
    expect(await calls(path)).toBe(4);
    expect(await Promise.all([1, 2, 3, 4].map(() => system.ask(Mover).most()))).toEqual([1, 1, 1, 1]);
    expect((await system.inspect()).asks.open).toBe(0);
  });

  test('is in no checkpoint, and a checkpoint does not wait for it', async () => {
    const path = join(await systems.folder(), 'open');
    const system = await start({ store: await systems.folder() });
    const asked = system.ask(Mover, { timeoutMs: 30_000 }).when(move(new Uint8Array(LARGE)), path);
    await soon(async () => expect(await calls(path)).toBe(1));
    await system.checkpoint();
    const taken = systems.events.find((event) => event.kind === 'checkpoint');
    expect(taken?.bytes).toBeLessThan(100_000);
    await writeFile(path, '');
    expect((await asked).byteLength).toBe(LARGE);
  });

  test('SERVICE_INTERRUPTED: one that its thread dies of; the next goes to the new thread', async () => {
    const system = await start({ store: await systems.folder() });
    await expect(system.ask(Mover).exit(move(new Uint8Array(9)))).rejects.toMatchObject({
      code: 'SERVICE_INTERRUPTED',
      message: expect.stringContaining('has died'),
    });
    await rolledBack();
    const again = [1, 2, 3, 4].map((byte) => system.ask(Mover).raise(move(Uint8Array.of(byte))));
    expect((await Promise.all(again)).map(([byte]) => byte)).toEqual([2, 3, 4, 5]);
  });

  test('SERVICE_INTERRUPTED: at a rollback with living threads, since nobody has its bytes; one without is made again', async () => {
    const path = join(await systems.folder(), 'open');
    const system = await start({ store: await systems.folder() });
    const moved = system
      .ask(Mover, { timeoutMs: 30_000 })
      .when(move(Uint8Array.of(1)), path)
      .catch((error: unknown) => error);
    const copied = system.ask(Mover, { timeoutMs: 30_000 }).when(Uint8Array.of(2), path);
    await soon(async () => expect(await calls(path)).toBe(2));
    await system.tell(system.ref(Echo, 'a')).fail('broken');
    expect(await moved).toMatchObject({
      code: 'SERVICE_INTERRUPTED',
      message: expect.stringContaining('went back to a checkpoint'),
    });
    await rolledBack();
    await writeFile(path, '');
    expect(await copied).toEqual(Uint8Array.of(2));
    expect(await system.ask(Mover).raise(move(Uint8Array.of(3)))).toEqual(Uint8Array.of(4));
  });

  test('while the system goes back waits for the next generation with its bytes', async () => {
    const system = await start({ store: await systems.folder() });
    const asked: Promise<Uint8Array>[] = [];
    system.on('rolled-back', () => void asked.push(system.ask(Mover).raise(move(Uint8Array.of(5)))));
    await system.tell(system.ref(Echo, 'a')).fail('broken');
    await soon(() => expect(asked).toHaveLength(1));
    expect(await asked[0]).toEqual(Uint8Array.of(6));
  });
});
