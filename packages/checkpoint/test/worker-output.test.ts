import type { EngineEvent } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Chatty, type HowItEnds, LINES } from './fixtures/chatty.mjs';
import { runText } from './support/child.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();

type Log = Extract<EngineEvent, { readonly kind: 'log' }>;

/** All that it says, in order. */
const SAID: readonly Omit<Log, 'kind' | 'thread'>[] = [
  ...Array.from({ length: LINES }, (_, n) => [
    { text: `line ${n} { of: 'stdout' }`, level: 'info' as const, from: 'stdout' as const },
    { text: `chatty/a: line ${n}`, level: 'info' as const, from: 'ctx' as const },
    { text: `line ${n}\nin two`, level: 'warn' as const, from: 'stderr' as const },
    { text: `line ${n}`, level: 'error' as const, from: 'stderr' as const },
  ]).flat(),
  { text: 'last', level: 'debug', from: 'stdout' },
];

describe('what a worker says reaches the host in order, the last word too', () => {
  test.each<[HowItEnds, string | null]>([
    ['well', null],
    ['exit', 'WORKER_LOST'],
    ['throw', 'TURN_THREW'],
    ['throw in a timer', 'WORKER_LOST'],
    ['rejection', 'WORKER_LOST'],
    ['memory', 'WORKER_LOST'],
    ['loop', 'WORKER_STUCK'],
  ])('when its thread ends by %s', async (how, code) => {
    const system = await systems.start({
      actors: [new URL('./fixtures/chatty.mjs', import.meta.url)],
      workers: 1,
      resourceLimits: { maxOldGenerationSizeMb: 48 },
      watchdogMs: how === 'loop' ? 400 : 0,
    });
    const { events } = systems;
    let seenAtEnd = 0;
    const ended = system.done.catch((error: unknown) => {
      seenAtEnd = events.filter(({ kind }) => kind === 'log').length;
      throw error;
    });
    const asked = system.ask(system.ref(Chatty, 'a')).talk(how);
    if (code === null) await asked;
    else {
      asked.catch(() => undefined);
      await expect(ended).rejects.toMatchObject({ code });
      // Nothing comes after the news of the end.
      expect(seenAtEnd).toBe(SAID.length);
    }
    const said = events.filter((event): event is Log => event.kind === 'log');
    expect(said).toEqual(SAID.map((line) => ({ kind: 'log', thread: 1, ...line })));
  });
});

test('what nobody listens to goes to the same stream of the process', async () => {
  const { status, stdout, stderr } = await runText(`
    import { createSystem } from '@tidemark/checkpoint';
    const system = await createSystem({ actors: [fixture('chatty.mjs')], workers: 1 });
    const { Chatty } = await import(fixture('chatty.mjs'));
    await system.ask(system.ref(Chatty, 'a')).talk('well');
    await system.stop();
  `);
  const by = (isIt: (from: Log['from']) => boolean): string =>
    SAID.filter(({ from }) => isIt(from))
      .map(({ text }) => `${text}\n`)
      .join('');
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: by((from) => from === 'stdout'),
    stderr: by((from) => from !== 'stdout'),
  });
});

test('what is printed is shown although somebody observes the system', async () => {
  const { stdout, stderr } = await runText(`
    import { createSystem } from '@tidemark/checkpoint';
    const system = await createSystem({ actors: [fixture('chatty.mjs')], workers: 1, observe: () => undefined });
    const { Chatty } = await import(fixture('chatty.mjs'));
    await system.ask(system.ref(Chatty, 'a')).talk('well');
    await system.stop();
  `);
  expect(stdout.split('\n').filter((line) => line.includes("{ of: 'stdout' }"))).toHaveLength(LINES);
  expect(stderr).not.toContain('chatty/a');
});

test('inline, console is that of the process', async () => {
  const { stdout } = await runText(`
    import { createSystem } from '@tidemark/checkpoint';
    const system = await createSystem({ actors: [fixture('chatty.mjs')], inline: true, observe: () => undefined });
    const { Chatty } = await import(fixture('chatty.mjs'));
    await system.ask(system.ref(Chatty, 'a')).talk('well');
    await system.stop();
  `);
  expect(stdout.split('\n').filter((line) => line.includes("{ of: 'stdout' }"))).toHaveLength(LINES);
});
