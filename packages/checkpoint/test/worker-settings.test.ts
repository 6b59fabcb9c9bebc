import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent, System, SystemOptions } from '@tidemark/checkpoint';
import { limits } from '@tidemark/actors/internal';
import { nodeEnvironment, startEngine } from '@tidemark/checkpoint/internal';
import { describe, expect, test, vi } from 'vitest';
import { Workshop } from './fixtures/workshop.mjs';
import { engineOptions } from './support/engine-options.ts';
import { rollbacksOf } from './support/rollbacks.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 60_000 });

const systems = new Systems();
const { rollbacks, rolledBack } = rollbacksOf(systems);
const actors = ['workshop.mjs', 'actors.mjs'].map((name) => new URL(`./fixtures/${name}`, import.meta.url));

function start(options: Partial<SystemOptions> = {}): Promise<System> {
  return systems.start({ actors, workers: 1, ...options });
}

function warnings(): readonly Extract<EngineEvent, { readonly kind: 'warning' }>[] {
  return systems.events.filter((event) => event.kind === 'warning');
}

describe('env', () => {
  test('gives the workers what it names, and nothing else of the host', async () => {
    process.env['WORKSHOP_SECRET'] = 'of the host';
    const system = await start({ env: { WORKSHOP_URL: 'http://localhost', LANG: 'C' } });
    const names = ['WORKSHOP_URL', 'WORKSHOP_SECRET', 'LANG', 'PATH'];
    expect(await system.ask(system.ref(Workshop, 'a')).env(names)).toEqual({
      WORKSHOP_URL: 'http://localhost',
      WORKSHOP_SECRET: null,
      LANG: 'C',
      PATH: process.env['PATH'],
    });
  });
});

describe('resourceLimits', () => {
  test('are those of each worker', async () => {
    const system = await start({ resourceLimits: { maxOldGenerationSizeMb: 100, maxYoungGenerationSizeMb: 8 } });
    const limit = await system.ask(system.ref(Workshop, 'a')).heapLimitMb();
    expect(limit).toBeGreaterThanOrEqual(100);
    expect(limit).toBeLessThan(140);
  });

  test('OVERRUN: work that begets work without end ends the system before its heap is full, naming the actor', async () => {
    const system = await start({ resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 } });
    await system.tell(system.ref(Workshop, 'a')).breed();
    await expect(system.done).rejects.toMatchObject({
      code: 'OVERRUN',
      message: expect.stringMatching(
        /^what waits in one thread takes about [34]\d MB, .*; fullest: workshop\/a \(\d+\)\. /,
      ),
    });
    expect(rollbacks()).toEqual([]);
  });
});

describe('memoryBytesMax', () => {
  test('counts buffers: MEMORY_HIGH warns, MEMORY_SPENT replaces the thread over a rollback', async () => {
    const system = await start({ store: await systems.folder(), memoryBytesMax: 100e6 });
    const workshop = system.ref(Workshop, 'a');
    await system.ask(workshop).look(3);
    await system.checkpoint();
    await system.ask(workshop).hold(85e6);
    await vi.waitFor(() => expect(warnings()).toHaveLength(1), { timeout: 10_000 });
    expect(warnings()[0]).toMatchObject({
      code: 'MEMORY_HIGH',
      message: expect.stringMatching(/^worker 1 holds \d+\.\d MB \(heap \d\.\d MB, buffers 8\d\.\d MB\); /),
    });
    await system.ask(workshop).hold(30e6);
    expect(await rolledBack()).toMatchObject({
      code: 'MEMORY_SPENT',
      message: expect.stringMatching(/^worker 1 holds \d+\.\d MB .*, more than memoryBytesMax of 100\.0 MB$/),
    });
    // The buffers were in a variable of the module, so only another thread could be without them.
    expect(await system.ask(workshop).look(0)).toMatchObject({ inState: 3, inModule: 0 });
  });

  test('what is garbage does not count', async () => {
    const system = await start({ memoryBytesMax: 100e6 });
    const workshop = system.ref(Workshop, 'a');
    const { thread } = await system.ask(workshop).look(0);
    for (let n = 0; n < 200; n++) await system.ask(workshop).waste(8e6);
    expect(await system.ask(workshop).look(0)).toMatchObject({ thread });
    await system.stop();
  });
});

describe('watchdogMs', () => {
  test('WORKER_STUCK: a turn without end; the warning before says which, and where it is', async () => {
    const system = await start({ store: await systems.folder(), watchdogMs: 600 });
    const workshop = system.ref(Workshop, 'a');
    await system.ask(workshop).look(2);
    await system.checkpoint();
    const { thread } = await system.ask(workshop).look(5);
    const spinning = system.ask(workshop).spin('/never');
    await expect(spinning).rejects.toMatchObject({ code: 'ROLLED_BACK' });
    const { code, message } = await rolledBack();
    const what = /^worker 1 has been at one thing for \d+ ms: workshop\/a spin, in spin \(.*\/workshop\.mjs:\d+\)/;
    expect([code, message]).toEqual(['WORKER_STUCK', expect.stringMatching(what)]);
    expect(warnings()).toMatchObject([
      { code: 'WORKER_SILENT', message: expect.stringMatching(/; it is ended and replaced after 600 ms$/) },
    ]);
    expect(warnings()[0].message).toMatch(what);
    const after = await system.ask(workshop).look(0);
    expect(after).toMatchObject({ inState: 2, inModule: 0 });
    expect(after.thread).not.toBe(thread);
  });

  test('a long turn is warned of, and goes on', async () => {
    const store = await systems.folder();
    const system = await start({ store, watchdogMs: 10_000 });
    const enough = join(store, 'enough');
    const spinning = system.ask(system.ref(Workshop, 'a'), { timeoutMs: 60_000 }).spin(enough);
    await vi.waitFor(() => expect(warnings()).toMatchObject([{ code: 'WORKER_SILENT' }]), { timeout: 30_000 });
    await writeFile(enough, '');
    expect(await spinning).toBe('went on');
    expect(rollbacks()).toEqual([]);
  });

  test.each([0, Number.POSITIVE_INFINITY])('%d: never', async (watchdogMs) => {
    const store = await systems.folder();
    const system = await start({ store, watchdogMs });
    const enough = join(store, 'enough');
    const spinning = system.ask(system.ref(Workshop, 'a')).spin(enough);
    // Longer than any watchdog that may be asked for would wait.
    const until = performance.now() + 3 * limits.WATCHDOG_MS_MIN;
    await vi.waitFor(() => expect(performance.now()).toBeGreaterThan(until));
    await writeFile(enough, '');
    expect(await spinning).toBe('went on');
    expect(warnings()).toEqual([]);
  });
});

test.each<[Partial<SystemOptions>, string]>([
  [{ watchdogMs: 99 }, 'watchdogMs: 99; expected milliseconds, at least 100, or 0 for none'],
  [{ watchdogMs: Number.NaN }, 'watchdogMs: NaN; expected milliseconds, at least 100, or 0 for none'],
  [{ memoryBytesMax: 0 }, 'memoryBytesMax: 0; expected bytes, more than 0'],
  [
    { resourceLimits: { maxOldGenerationSizeMb: -1 } },
    'resourceLimits.maxOldGenerationSizeMb: -1; expected megabytes, more than 0',
  ],
  [{ env: { A: undefined as unknown as string } }, 'env.A: undefined; expected a string'],
])('WORKERS_INVALID: %o', async (options, message) => {
  await expect(start(options)).rejects.toMatchObject({ code: 'WORKERS_INVALID', message });
});

describe('variables of a module', () => {
  test('survive a rollback in a thread that lives on; the state does not', async () => {
    const system = await start({ store: await systems.folder() });
    const workshop = system.ref(Workshop, 'a');
    await system.ask(workshop).look(1);
    await system.checkpoint();
    const before = await system.ask(workshop).look(1);
    await system.tell(workshop).fail();
    await rolledBack();
    expect([before, await system.ask(workshop).look(0)]).toEqual([
      { inState: 2, inModule: 2, thread: before.thread },
      { inState: 1, inModule: 2, thread: before.thread },
    ]);
  });
});

describe('a thread that takes the place of another, and cannot load a module', () => {
  /** The file that keeps it from that, and a system whose worker has died while it is there. */
  async function brokenLater(random: () => number) {
    const broken = join(await systems.folder(), 'broken');
    const events: EngineEvent[] = [];
    const engine = await startEngine(
      engineOptions({
        modules: actors.map(({ href }) => href),
        location: await systems.folder(),
        inline: false,
        workers: 2,
        threads: { env: { WORKSHOP_BROKEN: broken } },
        observe: (event) => events.push(event),
      }),
      { ...nodeEnvironment, random },
    );
    engine.go();
    await engine.checkpoint();
    await writeFile(broken, '');
    engine.current!.runtime.send({ type: 'workshop', key: 'a', handler: 'exit', args: [], reply: null });
    return { engine, broken, events };
  }

  test('is tried again, with a wait in between, until it can', async () => {
    const { engine, broken, events } = await brokenLater(() => 0.5);
    await vi.waitFor(() => expect(engine.current!.number).toBeGreaterThan(3), { timeout: 20_000 });
    await rm(broken);
    await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'rolled-back')).toBe(true), { timeout: 20_000 });
    expect((await engine.checkpoint()).position).toBeGreaterThan(2);
    await engine.stop(false);
  });

  test('ROLLBACKS_SPENT: for ever; the last error is that of the module', async () => {
    const { engine, events } = await brokenLater(() => 0);
    await expect(engine.done).rejects.toMatchObject({
      code: 'ROLLBACKS_SPENT',
      message: expect.stringMatching(
        /went back 10 times .*workshop\.mjs cannot be loaded: RangeError: the workshop is closed$/,
      ),
      cause: { code: 'MODULE_FAILED' },
    });
    expect(events.filter(({ kind }) => kind === 'rolled-back')).toEqual([]);
    // It has failed; this waits until its files are left alone.
    await engine.stop(false);
  });
});
