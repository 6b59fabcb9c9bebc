import type { System } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Echo, Till } from './fixtures/actors.mjs';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();

/** Everything that somebody may wait for when the system dies, and how each ended. */
async function openCalls(system: System): Promise<() => Promise<unknown[]>> {
  const till = system.ref(Till, 'till');
  const spinning = system.ref(Echo, 'busy');
  const open = [system.ask(spinning).spin(100), system.ask(till).got(), system.checkpoint(), system.checkpoint()];
  const settled = Promise.allSettled(open);
  return async () =>
    (await settled).map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'answered'));
}

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('a handler that ends its system, %s', (_, inline) => {
  test('TURN_THREW: where there is no store to go back to; it names actor and handler, and keeps the cause', async () => {
    const system = await systems.start({ inline });
    await system.tell(system.ref(Echo, 'a')).fail('broken');
    await expect(system.done).rejects.toMatchObject({
      code: 'TURN_THREW',
      message: 'echo/a fail: broken',
      cause: { code: 'TypeError', message: 'broken', stack: expect.stringContaining('actors.mjs') },
    });
  });

  test('HANDLER_ASYNC: one that returns a promise', async () => {
    const system = await systems.start({ inline });
    await system.tell(system.ref(Echo, 'a')).slow();
    await expect(system.done).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
  });

  test('DATA_NOT_SERIALISABLE: one that makes a state that no checkpoint could hold, at the next cut', async () => {
    const system = await systems.start({ inline });
    await system.ask(system.ref(Echo, 'a')).keepFunction();
    await expect(system.checkpoint()).rejects.toMatchObject({ code: 'DATA_NOT_SERIALISABLE' });
    await expect(system.done).rejects.toMatchObject({
      message: expect.stringMatching(/^state of echo\/a\.f: function\. /),
    });
  });

  test('every open call of the host ends with the reason, and so does every later one', async () => {
    const system = await systems.start({ inline, store: await systems.folder() });
    const outcomes = await openCalls(system);
    await system.tell(system.ref(Echo, 'a')).slow();
    await expect(system.done).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
    for (const outcome of await outcomes()) expect(['HANDLER_ASYNC', 'answered']).toContain(outcome);
    const reason = { code: 'HANDLER_ASYNC' };
    await expect(system.ask(system.ref(Till, 'till')).got()).rejects.toMatchObject(reason);
    await expect(system.tell(system.ref(Till, 'till')).take(1)).rejects.toMatchObject(reason);
    await expect(system.checkpoint()).rejects.toMatchObject(reason);
    await expect(system.stop()).rejects.toMatchObject(reason);
  });

  test('the same process may start again at once, from the last checkpoint', async () => {
    const store = await systems.folder();
    const system = await systems.start({ inline, store });
    await system.tell(system.ref(Till, 'till')).take(5);
    await system.ask(system.ref(Till, 'till')).got();
    await system.checkpoint();
    await system.tell(system.ref(Till, 'till')).take(1_000);
    await system.tell(system.ref(Echo, 'a')).slow();
    await expect(system.done).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
    await expect(system.stop()).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
    const again = await systems.start({ inline, store });
    expect(await again.ask(again.ref(Till, 'till')).got()).toBe(5);
  });
});

describe('a worker that dies', () => {
  test.each([0, 1])('WORKER_LOST: by process.exit(%d) in a handler, and every open call ends', async (code) => {
    // Without a store there is nothing to go back to.
    const system = await systems.start();
    const outcomes = await openCalls(system);
    await system.tell(system.ref(Echo, 'a')).exit(code);
    await expect(system.done).rejects.toMatchObject({
      code: 'WORKER_LOST',
      message: expect.stringMatching(/^worker \d is gone: /),
    });
    for (const outcome of await outcomes()) expect(['WORKER_LOST', 'answered']).toContain(outcome);
  });

  test('is never taken for a worker that is gone when it has said why', async () => {
    for (let i = 0; i < 10; i++) {
      const system = await systems.start({ workers: 1 });
      const asked = system
        .ask(system.ref(Echo, 'a'))
        .fail(`broken ${i}`)
        .catch((error: unknown) => error);
      await expect(system.done).rejects.toMatchObject({ code: 'TURN_THREW', message: `echo/a fail: broken ${i}` });
      expect(await asked).toMatchObject({ code: 'TURN_THREW' });
    }
  });

  test('while the last checkpoint is taken does not keep stop() waiting', async () => {
    const system = await systems.start({ store: await systems.folder() });
    const busy = system.ref(Echo, 'a');
    const spinning = system
      .ask(busy)
      .spin(100)
      .catch((error: unknown) => error);
    const exiting = system.tell(busy).exit(0);
    const stopping = system.stop();
    // Where its part was done before it died nothing is missing: then the checkpoint is taken, and holds what it died of.
    const ended = await stopping.then(
      () => 'stopped',
      ({ code }: { code: string }) => code,
    );
    expect(['stopped', 'WORKER_LOST']).toContain(ended);
    await Promise.all([spinning, exiting]);
  });
});
