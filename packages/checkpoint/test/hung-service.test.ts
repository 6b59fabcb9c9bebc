import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { move } from '@tidemark/actors';
import { createSystem, type EngineEvent, type System, type SystemOptions } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { HostMover, Mover } from './fixtures/movers.mjs';
import { rollbacksOf, threadsOf } from './support/rollbacks.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 60_000 });

const systems = new Systems();
const { rollbacks, rolledBack } = rollbacksOf(systems);
// The support knows of the other fixtures, and all threads define the same.
const actors = ['movers.mjs', 'actors.mjs'].map((name) => new URL(`fixtures/${name}`, import.meta.url));
const start = (options: Partial<SystemOptions> = {}): Promise<System> =>
  systems.start({ actors, hungServiceMs: 20, ...options });
const soon = (look: () => Promise<void> | void): Promise<void> => vi.waitFor(look, { timeout: 30_000, interval: 5 });

const isHung = (event: EngineEvent): event is Extract<EngineEvent, { readonly kind: 'service-hung' }> =>
  event.kind === 'service-hung';
const hung = () => systems.events.filter(isHung);

/** Asks for what never ends, and waits no longer once it runs. */
async function hang(system: System, service: typeof Mover): Promise<void> {
  const path = join(await systems.folder(), 'never');
  const abort = new AbortController();
  const asked = system
    .ask(service, { signal: abort.signal })
    .when(Uint8Array.of(1), path)
    .catch((error: unknown) => error);
  await soon(() => expect(existsSync(`${path}.calls`)).toBe(true));
  abort.abort(new Error('enough'));
  expect(await asked).toMatchObject({ message: 'enough' });
}

describe('a service that does not heed its signal', () => {
  test('is told by its name, handler, age and thread; nothing is ended, and its neighbours run on', async () => {
    const system = await start({ store: await systems.folder() });
    const threads = await threadsOf(system, 2);
    await hang(system, Mover);
    await soon(() => expect(hung()).toHaveLength(1));
    const [{ thread, ageMs, abortedMs, ...call }] = hung();
    expect(call).toEqual({
      kind: 'service-hung',
      service: 'mover',
      handler: 'when',
      callId: expect.stringMatching(/^ask\./),
    });
    expect([1, 2]).toContain(thread);
    expect(abortedMs).toBeGreaterThanOrEqual(19);
    expect(ageMs).toBeGreaterThanOrEqual(abortedMs);
    expect(await system.ask(Mover).raised(Uint8Array.of(1))).toEqual(Uint8Array.of(2));
    expect(await threadsOf(system, 2)).toEqual(threads);
    expect(rollbacks()).toHaveLength(0);
  });

  test('is shown by inspect() from its abort until it ends, with its thread; also where none is told', async () => {
    const folder = await systems.folder();
    const system = await start({ hungServiceMs: 0 });
    const asks = [Mover, Mover, Mover, HostMover].map((service, i) => {
      const abort = new AbortController();
      const timeoutMs = i === 1 ? 50 : 30_000;
      const path = join(folder, String(i));
      const asked = system
        .ask(service, { signal: abort.signal, timeoutMs })
        // What is moved is aborted by another way.
        .when(i === 0 ? move(Uint8Array.of(1)) : Uint8Array.of(1), path)
        .catch((error: unknown) => error);
      return { asked, abort, path };
    });
    for (const { path } of asks) await soon(() => expect(existsSync(`${path}.calls`)).toBe(true));
    const [first, late, wanted, ofHost] = asks;
    first.abort.abort(new Error('enough'));
    expect(await late.asked).toMatchObject({ code: 'ASK_TIMEOUT' });
    ofHost.abort.abort(new Error('enough'));
    const shown = async () => (await system.inspect()).hung;
    await soon(async () => expect(await shown()).toMatchObject({ open: 3, oldest: { length: 3 } }));
    const { oldest } = await shown();
    for (const call of oldest) {
      expect(call).toEqual({
        service: call.thread === 0 ? 'host-mover' : 'mover',
        handler: 'when',
        callId: expect.stringMatching(/^ask\./),
        thread: expect.any(Number),
        ageMs: expect.any(Number),
        abortedMs: expect.any(Number),
      });
      expect(call.ageMs).toBeGreaterThanOrEqual(call.abortedMs);
    }
    expect(oldest.filter(({ thread }) => thread === 0)).toHaveLength(1);
    expect(new Set(oldest.map(({ callId }) => callId)).size).toBe(3);
    // The oldest first, and of each thread what it has itself.
    expect(oldest.map(({ abortedMs }) => abortedMs)).toEqual(
      oldest.map(({ abortedMs }) => abortedMs).sort((a, b) => b - a),
    );
    const { threads } = await system.inspect();
    for (const each of threads) {
      expect(each.answered && each.hung.oldest.map(({ callId }) => callId)).toEqual(
        oldest.filter(({ thread }) => thread === each.thread).map(({ callId }) => callId),
      );
    }
    for (const { path } of asks) await writeFile(path, '');
    await soon(async () => expect(await shown()).toEqual({ open: 0, oldest: [] }));
    expect(await wanted.asked).toEqual(Uint8Array.of(1));
    expect(hung()).toEqual([]);
  });

  test('is told of the host too, as thread 0', async () => {
    const system = await start();
    await hang(system, HostMover);
    await soon(() => expect(hung()).toMatchObject([{ thread: 0, service: 'host-mover' }]));
  });

  test('is never told with hungServiceMs: 0', async () => {
    const system = await start({ hungServiceMs: 0, workers: 1 });
    const other = await start({ workers: 1 });
    await hang(system, Mover);
    await hang(other, Mover);
    await soon(() => expect(hung()).toHaveLength(1));
  });

  test('SERVICE_HUNG: is a warning of the process where nobody listens', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      // As an app that gives no `observe`.
      const unheard = await createSystem({ actors, workers: 1, hungServiceMs: 20 });
      try {
        await hang(unheard, Mover);
        await soon(() =>
          expect(warned).toHaveBeenCalledWith(
            expect.stringMatching(/^service mover when \(ask\..*\) on worker 1 has run for \d+ ms, and was aborted/),
            { code: 'SERVICE_HUNG' },
          ),
        );
      } finally {
        await unheard.stop();
      }
    } finally {
      warned.mockRestore();
    }
  });
});

describe('endWorker', () => {
  test('ends the thread: another takes its place over a rollback, and the state is that of the checkpoint', async () => {
    const system = await start({ store: await systems.folder() });
    const before = await threadsOf(system, 2);
    await system.checkpoint();
    system.on('service-hung', ({ thread }) => void system.endWorker(thread));
    await hang(system, Mover);
    const { code, message } = await rolledBack();
    const [{ thread }] = hung();
    expect({ code, message }).toEqual({
      code: 'WORKER_LOST',
      message: `worker ${thread} is gone: the app has ended it`,
    });
    const after = await threadsOf(system, 2);
    expect(after[thread - 1]).not.toBe(before[thread - 1]);
    expect(after[2 - thread]).toBe(before[2 - thread]);
  });

  test('resolves when the system runs again', async () => {
    const system = await start({ store: await systems.folder() });
    await system.endWorker(1);
    expect(rollbacks()).toHaveLength(1);
    expect(await system.ask(Mover).raised(Uint8Array.of(1))).toEqual(Uint8Array.of(2));
    await Promise.all([system.endWorker(1), system.endWorker(2), system.endWorker(1)]);
    expect(new Set(await threadsOf(system, 2)).size).toBe(2);
  });

  test('WORKER_LOST: a system without a store ends', async () => {
    const system = await start();
    await system.endWorker(1);
    await expect(system.done).rejects.toMatchObject({ code: 'WORKER_LOST' });
    await expect(system.endWorker(1)).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
    await expect(system.ask(system.ref(Echo, 'a')).thread()).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  test.each([0, 3, 1.5, Number.NaN])('WORKERS_INVALID: endWorker(%d) of two', async (thread) => {
    const system = await start();
    await expect(system.endWorker(thread)).rejects.toMatchObject({ code: 'WORKERS_INVALID' });
  });

  test.each([-1, Number.NaN])('WORKERS_INVALID: hungServiceMs %d', async (hungServiceMs) => {
    await expect(start({ hungServiceMs })).rejects.toMatchObject({ code: 'WORKERS_INVALID' });
  });
});
