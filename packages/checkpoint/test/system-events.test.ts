import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { System, SystemEvents, SystemOptions } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { Says, SaysHere } from './fixtures/says.mjs';
import { runText } from './support/child.ts';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();
const actors = ['actors.mjs', 'says.mjs'].map((name) => new URL(`./fixtures/${name}`, import.meta.url));
const start = (options: Partial<SystemOptions>): Promise<System> => systems.start({ actors, ...options });

/** Each kind of event: one that is missing here is an error of the compiler. */
const KINDS: Readonly<Record<keyof SystemEvents, true>> = {
  term: true,
  restored: true,
  checkpoint: true,
  'checkpoint-failed': true,
  'rolled-back': true,
  'dead-letter': true,
  'service-hung': true,
  plan: true,
  waiting: true,
  copied: true,
  warning: true,
  log: true,
  stopped: true,
};

test('each kind of event is in the documents', async () => {
  const text = await readFile(new URL('../../../docs/looking-inside.md', import.meta.url), 'utf8');
  const rows = text.split('\n').flatMap((line) => /^\| `([\w-]+)` /.exec(line)?.[1] ?? []);
  for (const kind of Object.keys(KINDS)) expect(rows).toContain(kind);
});

/** What a system tells from now on, in order. */
function heard(system: System): unknown[] {
  const all: unknown[] = [];
  for (const kind of Object.keys(KINDS) as (keyof SystemEvents)[]) system.on(kind, (event) => void all.push(event));
  return all;
}

describe('stopped', () => {
  test('is the last event, after the last checkpoint and before stop() resolves', async () => {
    const system = await start({ store: await systems.folder() });
    const events = heard(system);
    await system.ask(system.ref(Echo, 'a')).say(1);
    await system.stop();
    expect(events).toMatchObject([
      { kind: 'checkpoint', position: 2 },
      { kind: 'stopped', code: null, message: null },
    ]);
    await system.stop();
    expect(events).toHaveLength(2);
  });

  test('says why, when the system could not go on', async () => {
    const system = await start({});
    const events = heard(system);
    await system.tell(system.ref(Echo, 'a')).slow();
    await expect(system.done).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
    await expect(system.stop()).rejects.toMatchObject({ code: 'HANDLER_ASYNC' });
    expect(events).toMatchObject([{ kind: 'stopped', code: 'HANDLER_ASYNC' }]);
  });
});

describe('log', () => {
  test('has what actors write, with their thread, until nobody listens', async () => {
    const system = await start({ workers: 1 });
    const texts: unknown[] = [];
    const off = system.on('log', ({ thread, text }) => void texts.push([thread, text]));
    await system.ask(system.ref(Says, 'a')).say('from the worker');
    await system.ask(system.ref(SaysHere, 'b')).say('from the host');
    off();
    await system.ask(system.ref(Says, 'a')).say('to nobody');
    expect(texts).toEqual([
      [1, 'says/a: from the worker'],
      [0, 'says-here/b: from the host'],
    ]);
  });
});

describe('dead-letter', () => {
  test('tells of the message that was set aside, after the rollback of the first one', async () => {
    const system = await start({ store: await systems.folder(), workers: 1 });
    await system.checkpoint();
    const events = heard(system);
    for (const text of ['first', 'second']) {
      const asked = system.ask(system.ref(Echo, 'a')).fail(text);
      await expect(asked).rejects.toMatchObject({ code: text === 'first' ? 'ROLLED_BACK' : 'DEAD_LETTER' });
    }
    expect(events).toMatchObject([
      { kind: 'rolled-back', generation: 2, code: 'TURN_THREW' },
      {
        kind: 'dead-letter',
        thread: 1,
        letter: { actor: { type: 'echo', key: 'a' }, handler: 'fail', args: ['second'] },
      },
    ]);
  });
});

describe('a listener', () => {
  test('that throws stops neither the others nor the system, and is told to the process', async () => {
    const system = await start({ store: await systems.folder() });
    system.on('checkpoint', () => {
      throw new Error('it is broken');
    });
    const positions: number[] = [];
    system.on('checkpoint', ({ position }) => void positions.push(position));
    const warned = once(process, 'warning') as Promise<[Error]>;
    await system.checkpoint();
    await system.checkpoint();
    expect(positions).toEqual([2, 3]);
    expect((await warned)[0].message).toBe("a listener of 'checkpoint' threw: it is broken");
  });
});

const START = `
  import { createSystem } from '@tidemark/checkpoint';
  const { mkdtempSync, rmSync } = await import('node:fs');
  const folder = mkdtempSync((await import('node:os')).tmpdir() + '/tidemark-events-');
  process.on('exit', () => rmSync(folder, { recursive: true }));
`;

test('what nobody listens to goes to stderr, or is a warning of the process', async () => {
  const { status, stdout, stderr } = await runText(`${START}
    const system = await createSystem({ actors: [fixture('actors.mjs'), fixture('says.mjs')], store: folder + '/a', schedule: '1h' });
    const { Says } = await import(fixture('says.mjs'));
    const { Echo } = await import(fixture('actors.mjs'));
    await system.ask(system.ref(Says, 'a')).say('hello');
    await system.checkpoint();
    await system.ask(system.ref(Echo, 'a')).exit(3).catch(({ code }) => console.log(code));
    await system.stop();
  `);
  expect([status, stdout]).toEqual([0, 'ROLLED_BACK\n']);
  expect(stderr).toContain('says/a: hello\n');
  expect(stderr).toMatch(
    /\[WORKER_LOST\] Warning: worker \d+ is gone: .*: the system went back to its last checkpoint/,
  );
});

describe.each([
  ['in memory', '{}'],
  ['with a store, by a schedule', "{ store: folder + '/b', schedule: '20ms' }"],
  ['inline', '{ inline: true }'],
])('a system %s', (_, options) => {
  test('installs no handler of a signal or an error, keeps the process, and leaves nothing open after stop()', async () => {
    const { status, stdout, stderr } = await runText(`${START}
      const { signals } = (await import('node:os')).constants;
      const names = [...Object.keys(signals), 'uncaughtException', 'unhandledRejection', 'beforeExit', 'SIGINT'];
      const open = () => process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate').sort();
      // Calls that are under way, and what is being closed, are over when the event loop has turned.
      const look = async () => {
        for (let i = 0; i < 1_000 && open().some((kind) => /Req|Callback|Message|Worker/.test(kind)); i++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        return { handlers: names.filter((name) => process.listenerCount(name) > 0), open: open() };
      };
      // The pipes of this process are open from their first use on.
      for (const pipe of [process.stdout, process.stderr]) await new Promise((resolve) => pipe.write('', resolve));
      const before = await look();
      const system = await createSystem({ actors: [fixture('actors.mjs')], workers: 2, ...${options} });
      const { Echo } = await import(fixture('actors.mjs'));
      await system.ask(system.ref(Echo, 'a')).say(1);
      await system.inspect();
      const during = { handlers: names.filter((name) => process.listenerCount(name) > 0), open: open() };
      await system.stop();
      process.stdout.write(JSON.stringify({ before, during, after: await look() }));
    `);
    expect([status, stderr]).toEqual([0, '']);
    const { before, during, after } = JSON.parse(stdout) as Record<string, { handlers: string[]; open: string[] }>;
    expect([before.handlers, during.handlers, after.handlers]).toEqual([[], [], []]);
    expect(during.open.length).toBeGreaterThan(before.open.length);
    expect(after.open).toEqual(before.open);
  });
});
