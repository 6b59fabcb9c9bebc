import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent } from '@tidemark/checkpoint';
import { type Engine, nodeEnvironment, startEngine } from '@tidemark/checkpoint/internal';
import { describe, expect, test, vi } from 'vitest';
import { Echo, Teller, Till } from './fixtures/actors.mjs';
import { runText } from './support/child.ts';
import { engineOptions } from './support/engine-options.ts';
import { keyAt, rollbacksOf, threadsOf } from './support/rollbacks.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 60_000 });

const NODE_MAJOR = Number.parseInt(process.versions.node, 10);

const systems = new Systems();

const { rollbacks, rolledBack } = rollbacksOf(systems);

function engineIn(location: string, events: EngineEvent[], random: () => number): Promise<Engine> {
  return startEngine(
    engineOptions({
      modules: [new URL('fixtures/actors.mjs', import.meta.url).href],
      location,
      inline: false,
      observe: (event) => events.push(event),
    }),
    { ...nodeEnvironment, random },
  );
}

describe('an ask', () => {
  test('from before the restored cut is answered after it; a later one rejects with ROLLED_BACK, and may be repeated', async () => {
    const system = await systems.start({ store: await systems.folder() });
    const slow = system.ref(Echo, keyAt('echo', 1, 2));
    const other = system.ref(Echo, keyAt('echo', 2, 2));
    const timeoutMs = 30_000;
    for (let i = 0; i < 40; i++) await system.tell(slow).spin(25);
    const before = system.ask(slow, { timeoutMs }).say('before');
    const { position } = await system.checkpoint();
    const after = system.ask(slow, { timeoutMs }).say('after');
    const dying = system.ask(other, { timeoutMs }).exit(0);
    await expect(after).rejects.toMatchObject({ code: 'ROLLED_BACK' });
    await expect(dying).rejects.toMatchObject({ code: 'ROLLED_BACK' });
    expect(await rolledBack()).toMatchObject({ position, code: 'WORKER_LOST' });
    expect(await system.ask(slow, { timeoutMs }).say('after')).toBe('after');
    expect(await before).toBe('before');
    // 'before' and the repeated one; the one that was undone has left nothing.
    expect(await system.ask(slow).heard()).toBe(2);
  });

  test('that is made while the system goes back waits, and is answered', async () => {
    const observed: Promise<unknown>[] = [];
    const store = await systems.folder();
    const system = await systems.start({
      store,
      observe: (event) => {
        systems.events.push(event);
        if (event.kind === 'checkpoint-failed') observed.push(system.ask(system.ref(Till, 'till')).got());
      },
    });
    await system.tell(system.ref(Till, 'till')).take(3);
    await system.checkpoint();
    // Under way when the thread dies: given up, in the middle of going back.
    const given = system.checkpoint();
    await system.tell(system.ref(Echo, 'a')).exitOnce(join(store, 'gone'));
    await given.catch(() => undefined);
    await rolledBack();
    for (const answer of observed) expect(await answer).toBe(3);
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(3);
  });
});

describe('a rollback', () => {
  test('puts actors of the host back as well', async () => {
    const system = await systems.start({ store: await systems.folder() });
    const teller = system.ref(Teller, 'host');
    await system.tell(teller).pay();
    expect(await system.ask(teller).left()).toBe(98);
    await system.checkpoint();
    await system.tell(teller).pay();
    expect(await system.ask(teller).left()).toBe(96);
    await system.tell(teller).fail();
    expect(await rolledBack()).toMatchObject({ code: 'TURN_THREW', message: 'teller/host fail: the teller is broken' });
    expect(await system.ask(teller).left()).toBe(98);
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(2);
  });

  test('before the first checkpoint begins again', async () => {
    const system = await systems.start({ store: await systems.folder() });
    await system.tell(system.ref(Till, 'till')).take(5);
    await system.tell(system.ref(Echo, 'a')).fail('broken');
    expect(await rolledBack()).toMatchObject({ position: null, cut: 0, generation: 2 });
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(0);
  });

  test('goes to what the term began with, as long as it has published nothing', async () => {
    const store = await systems.folder();
    const before = await systems.start({ store });
    await before.tell(before.ref(Till, 'till')).take(5);
    await before.stop();
    const system = await systems.start({ store, workers: 3 });
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(5);
    await system.tell(system.ref(Till, 'till')).take(1);
    await system.tell(system.ref(Echo, 'a')).exit(0);
    expect(await rolledBack()).toMatchObject({ position: 2 });
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(5);
  });

  test('leaves no look at the threads without an answer', async () => {
    const events: EngineEvent[] = [];
    const engine = await engineIn(await systems.folder(), events, Math.random);
    engine.go();
    await engine.checkpoint();
    engine.current!.runtime.send({ type: 'echo', key: 'a', handler: 'exit', args: [0], reply: null });
    const looks: Promise<unknown>[] = [];
    while (!events.some(({ kind }) => kind === 'rolled-back')) {
      looks.push(
        engine.look().then(
          () => 'seen',
          (error: { code?: string }) => error.code,
        ),
      );
      await new Promise(setImmediate);
    }
    const answers = new Set(await Promise.all(looks));
    answers.delete('seen');
    expect(answers).toEqual(new Set(['ROLLED_BACK']));
    await engine.stop(false);
  });

  test('replaces a thread that does not answer', async () => {
    const system = await systems.start({ store: await systems.folder() });
    await system.checkpoint();
    const before = await threadsOf(system, 2);
    const silent = system.ref(Echo, keyAt('echo', 1, 2));
    await system.tell(silent).spin(1_000_000);
    await expect(system.ask(silent, { timeoutMs: 200 }).say(1)).rejects.toMatchObject({ code: 'ASK_TIMEOUT' });
    await system.tell(system.ref(Echo, keyAt('echo', 2, 2))).fail('broken');
    await rolledBack();
    const now = await threadsOf(system, 2);
    expect([now[0] === before[0], now[1] === before[1]]).toEqual([false, true]);
  });

  test('the same inline', async () => {
    const system = await systems.start({ store: await systems.folder(), inline: true });
    await system.tell(system.ref(Till, 'till')).take(5);
    await system.checkpoint();
    await system.tell(system.ref(Till, 'till')).take(1);
    await system.tell(system.ref(Echo, 'a')).fail('broken');
    await rolledBack();
    expect(await system.ask(system.ref(Till, 'till')).got()).toBe(5);
    const { position } = await system.checkpoint();
    expect(position).toBe(3);
  });

  test('cures a thread that has run out of memory', async () => {
    const folder = JSON.stringify(await systems.folder());
    const { status, signal, stdout } = await runText(
      `
      import { createSystem } from '@tidemark/checkpoint';
      const system = await createSystem({ actors: [fixture('actors.mjs')], workers: 2, schedule: '1h', store: ${folder} });
      const { Echo, Till } = await import(fixture('actors.mjs'));
      await system.tell(system.ref(Till, 'till')).take(7);
      await system.checkpoint();
      const gone = new Promise((resolve) => system.on('rolled-back', resolve));
      await system.tell(system.ref(Echo, 'a')).fill();
      const { code, message } = await gone;
      console.log(code, message, await system.ask(system.ref(Till, 'till')).got());
      await system.stop();
    `,
      { NODE_OPTIONS: '--max-old-space-size=64' },
    );
    // Node 24 ends the whole process, as it does anywhere with an allocation that is too large: the next start goes on.
    if (NODE_MAJOR >= 24 && signal !== null) {
      expect(signal).toBe('SIGABRT');
      return;
    }
    expect(status).toBe(0);
    expect(stdout).toMatch(/^WORKER_LOST worker \d is gone: .*memory.* 7\n$/);
  });
});

describe('what going back cannot cure ends the system', () => {
  test('ROLLBACKS_SPENT: a turn of the checkpoint that its thread dies of again and again', async () => {
    const events: EngineEvent[] = [];
    const folder = await systems.folder();
    // No wait between two tries.
    const engine = await engineIn(folder, events, () => 0);
    engine.go();
    // It is in every cut: from now on its thread dies, whatever is gone back to.
    const poison = join(folder, 'poison');
    engine.current!.runtime.send({ type: 'echo', key: 'a', handler: 'exitWhen', args: [poison], reply: null });
    await engine.checkpoint();
    await writeFile(poison, '');
    await expect(engine.done).rejects.toMatchObject({
      code: 'ROLLBACKS_SPENT',
      message: expect.stringContaining('went back 10 times'),
      cause: { code: 'WORKER_LOST' },
    });
    expect(events.filter(({ kind }) => kind === 'rolled-back')).toHaveLength(10);
    // It has failed; this waits until its files are left alone.
    await engine.stop(false);
  });

  test('HANDLER_ASYNC: a mistake in the program', async () => {
    const system = await systems.start({ store: await systems.folder() });
    await system.checkpoint();
    await system.tell(system.ref(Echo, 'a')).slow();
    await expect(system.done).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
    expect(rollbacks()).toEqual([]);
  });

  test('TURN_THREW: in a system without a store', async () => {
    const system = await systems.start();
    await system.tell(system.ref(Echo, 'a')).fail('broken');
    await expect(system.done).rejects.toMatchObject({ code: 'TURN_THREW' });
    expect(rollbacks()).toEqual([]);
  });
});
