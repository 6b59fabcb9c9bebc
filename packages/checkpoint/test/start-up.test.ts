import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits, type Threads } from '@tidemark/actors/internal';
import { createSystem } from '@tidemark/checkpoint';
import { nodeEnvironment, startEngine } from '@tidemark/checkpoint/internal';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { Till } from './fixtures/actors.mjs';
import { runText } from './support/child.ts';
import { engineOptions } from './support/engine-options.ts';
import { SteppedStart, storeToRestore } from './support/interrupted.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-start-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const actors = [new URL('./fixtures/actors.mjs', import.meta.url)];

describe('what is wrong with the arguments is told before anything is touched', () => {
  test.each([
    ['SCHEDULE_INVALID', { schedule: 'now and then' }],
    ['SCHEDULE_INVALID', { schedule: '0 0 * * *', timezone: 'Mars/Olympus' }],
    ['WORKERS_INVALID', { workers: 0 }],
    ['WORKERS_INVALID', { workers: 1.5 }],
    ['ACTORS_NOT_FOUND', { actors: [new URL('./fixtures/nothing.ts', import.meta.url)] }],
  ])('%s: %o', async (code, options) => {
    const store = join(folder, 'store');
    await expect(createSystem({ actors, store, ...options })).rejects.toMatchObject({ code });
    expect(await readdir(folder)).toEqual([]);
  });

  test('ACTORS_NOT_FOUND names both files that were looked for', async () => {
    const url = new URL('./fixtures/nothing.ts', import.meta.url);
    await expect(createSystem({ actors: [url] })).rejects.toMatchObject({
      message: expect.stringMatching(/no module at .*\/nothing\.ts, nor at .*\/nothing\.js; /),
    });
  });
});

describe('a start that fails', () => {
  /** Tries to start a system of a fixture; the process must end by itself afterwards, soon. */
  async function failing(
    fixture: string,
    options = '',
  ): Promise<{ readonly code: string; readonly message: string; readonly ms: number }> {
    const { status, stdout, stderr } = await runText(`
      import { createSystem } from '@tidemark/checkpoint';
      const began = performance.now();
      try {
        await createSystem({ actors: [fixture(${JSON.stringify(fixture)})], workers: 2, ${options} });
      } catch ({ code, message }) {
        process.stdout.write(JSON.stringify({ code, message, ms: performance.now() - began }));
      }
    `);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as { code: string; message: string; ms: number };
  }

  test('DEFINITIONS_DIFFER names what both sides define', async () => {
    const { code, message } = await failing('differs.mjs');
    expect(code).toBe('DEFINITIONS_DIFFER');
    expect(message).toMatch(/^worker \d defines of-a-worker@1; the host defines of-the-host@1\. /);
  });

  test('NOT_ON_HOST: a module starts a system while a worker loads it', async () => {
    expect((await failing('starts-a-system.mjs')).code).toBe('NOT_ON_HOST');
  });

  test('MODULE_FAILED: a module that fails in the workers only', async () => {
    const { code, message } = await failing('fails-in-worker.mjs');
    expect(code).toBe('MODULE_FAILED');
    expect(message).toMatch(/fails-in-worker\.mjs cannot be loaded: RangeError: only here$/);
  });

  test('WORKER_LOST: a module that ends its worker, at once and not when the time for starting is over', async () => {
    const { code, ms } = await failing('exits-in-worker.mjs', `store: ${JSON.stringify(join(folder, 'store'))}`);
    expect(code).toBe('WORKER_LOST');
    expect(ms).toBeLessThan(5_000);
  });

  test('WORKER_START: a worker that says nothing, when the time for starting is over', async () => {
    const clock = new ManualClock();
    const ended: string[] = [];
    const silent: Threads = {
      lines: [1, 2].map((thread) => ({ thread, say: () => undefined, listen: () => undefined })),
      connect: () => [],
      end: () => undefined,
      stop: () => Promise.resolve(),
      kill: () => Promise.resolve(void ended.push('killed')),
    };
    const started = startEngine(engineOptions({ inline: false }), {
      ...nodeEnvironment,
      clock,
      startThreads: () => silent,
    });
    const outcome = started.catch((error: unknown) => error);
    await clock.pass(limits.BOOT_MS - 1, 1_000);
    expect(ended).toEqual([]);
    await clock.pass(2);
    expect(await outcome).toMatchObject({
      code: 'WORKER_START',
      message: 'worker 1, 2 has not loaded its modules within 30000 ms',
    });
    expect(ended).toEqual(['killed']);
  });

  test.each(['differs.mjs', 'exits-in-worker.mjs'])('leaves the job free for the next one (%s)', async (fixture) => {
    const store = join(folder, 'store');
    await failing(fixture, `store: ${JSON.stringify(store)}`);
    const system = await systems.start({ store });
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(0);
  });
});

describe('a start that is refused leaves the log as it was', () => {
  async function logOf(store: string): Promise<string[]> {
    return (await readdir(join(store, 'main/log'))).sort();
  }

  async function madeStore(): Promise<string> {
    const store = await systems.folder();
    const system = await systems.start({ store });
    await system.tell(system.ref(Till, 'till')).take(5);
    await system.ask(system.ref(Till, 'till')).got();
    await system.stop();
    return store;
  }

  test('ALREADY_RUNNING: while another system has the job, which goes on', async () => {
    const store = await systems.folder();
    const first = await systems.start({ store });
    const before = await logOf(store);
    await expect(systems.start({ store })).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: expect.stringContaining(`pid ${process.pid}, since 20`),
    });
    expect(await logOf(store)).toEqual(before);
    await first.checkpoint();
  });

  test('STATE_UNCLAIMED: the checkpoint holds state of actors that the program does not define', async () => {
    const store = await madeStore();
    const before = await logOf(store);
    const { stdout } = await runText(`
      import { createSystem } from '@tidemark/checkpoint';
      const error = await createSystem({ actors: [fixture('bank.mjs')], workers: 2, store: ${JSON.stringify(store)} }).catch((caught) => caught);
      process.stdout.write(error.code + ' ' + error.message);
    `);
    expect(stdout).toMatch(/^STATE_UNCLAIMED checkpoint 2 holds state of 'till', which this program does not define; /);
    expect(await logOf(store)).toEqual(before);
  });

  test('STORE_OTHER_JOB: the store holds checkpoints under another name', async () => {
    const store = await madeStore();
    await expect(systems.start({ store, name: 'other' })).rejects.toMatchObject({
      code: 'STORE_OTHER_JOB',
      message: expect.stringContaining("of job 'main', not of 'other'"),
    });
    expect(await readdir(store)).not.toContain('other');
  });
});

/** What may happen in the middle of a start, and what the start then says. */
const INTERRUPTIONS: readonly (readonly [string, string, (start: SteppedStart) => void])[] = [
  ['is killed', 'SYSTEM_STOPPED', ({ engine }) => void engine.kill()],
  ['loses a worker', 'WORKER_LOST', ({ lose }) => lose()],
];

test.each(INTERRUPTIONS)(
  'a start that %s at any step ends with %s, leaves nothing open, and the next one goes on',
  async (_, code, happens) => {
    const whole = new SteppedStart(await storeToRestore());
    await whole.run();
    const { steps } = whole;
    await whole.engine.kill();
    expect(await whole.timersLeft()).toBe(0);
    expect(steps).toBeGreaterThan(15);
    for (let at = 1; at <= steps; at++) {
      const store = await storeToRestore();
      const start = new SteppedStart(store, (step, stepped) => {
        if (step === at) happens(stepped);
      });
      const outcome = await start.run().catch((error: unknown) => error);
      expect(outcome, `step ${at}`).toMatchObject({ code });
      expect(await start.timersLeft(), `timers open after step ${at}`).toBe(0);
      if (code === 'WORKER_LOST') await expect(start.engine.done).rejects.toMatchObject({ code });
      const next = new SteppedStart(store);
      await next.run();
      await next.engine.stop(false);
      expect(await next.timersLeft(), `timers open of the start after step ${at}`).toBe(0);
    }
  },
);

test('a system that is stopped, killed and stopped again ends once', async () => {
  const start = new SteppedStart(await storeToRestore());
  await start.run();
  await Promise.all([start.engine.stop(false), start.engine.kill(), start.engine.stop(true), start.engine.kill()]);
  await start.engine.done;
  expect(await start.timersLeft()).toBe(0);
});
