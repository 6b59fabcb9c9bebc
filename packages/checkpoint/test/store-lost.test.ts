import { actor, type Ref } from '@tidemark/actors';
import { Border, systemClock } from '@tidemark/actors/internal';
import { type Engine, type EngineEvent, Log, nodeEnvironment, startEngine } from '@tidemark/checkpoint/internal';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { engineOptions } from './support/engine-options.ts';
import { FragileStore } from './support/fragile-store.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

/** With more in it than a record would take: its part is a file. */
const Large = actor('large', {
  state: () => ({ bytes: new Uint8Array(200_000) }),
  on: { touch: (ctx) => ctx.state.bytes.length },
});

const large: Ref<typeof Large> = { type: 'large', key: 'a' };

let border: Border;
let store: FragileStore;
let events: EngineEvent[];
const engines: Engine[] = [];
beforeEach(() => {
  border = new Border(systemClock);
  store = new FragileStore();
  events = [];
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.kill();
});

/** A system in this thread whose checkpoints go into the fragile store; none is taken by schedule. */
async function start(): Promise<Engine> {
  const engine = await startEngine(engineOptions({ observe: (event) => events.push(event), border }), {
    ...nodeEnvironment,
    openStore: () => Promise.resolve(store),
  });
  engines.push(engine);
  engine.go();
  return engine;
}

async function recordsIn(): Promise<unknown[]> {
  const log = await Log.open(store.inner, 'main', systemClock);
  const all = Array.from({ length: log.last }, (_, i) => log.read(i + 1));
  return (await Promise.all(all)).map((found) => (found.ok ? found.record : found.error));
}

describe('the store did surely nothing', () => {
  test.each(['retry', 'denied'] as const)(
    '(%s): the attempt is over, the system goes on, and the next record tells',
    async (fault) => {
      const engine = await start();
      store.fail('putIfAbsent', fault);
      await expect(engine.checkpoint()).rejects.toMatchObject({ kind: fault });
      expect(await engine.checkpoint()).toMatchObject({ cut: 2, position: 2 });
      expect(events.map(({ kind }) => kind)).toEqual(['term', 'checkpoint-failed', 'checkpoint']);
      expect((await recordsIn()).at(-1)).toMatchObject({ cut: 2, failed: [{ cut: 1, code: 'STORE_IO' }] });
      await engine.stop(true);
    },
  );
});

describe('the reply was lost', () => {
  test.each(['stored-but-lost', 'lost', 'late'] as const)(
    '(%s): the cut is published once, and nothing was released before',
    async (fault) => {
      const engine = await start();
      store.fail('putIfAbsent', fault);
      expect(await engine.checkpoint()).toMatchObject({ cut: 1, position: 2 });
      await store.land();
      expect(await engine.checkpoint()).toMatchObject({ cut: 2, position: 3 });
      expect((await recordsIn()).map((record) => (record as { cut?: number }).cut)).toEqual([undefined, 1, 2]);
      expect(events.map(({ kind }) => kind)).toEqual(['term', 'checkpoint', 'checkpoint']);
    },
  );

  test('LOG_UNSETTLED: and the store refuses for good, as a folder after a failed fsync: the system ends, releases nothing, and a new start goes on', async () => {
    const engine = await start();
    await engine.checkpoint();
    store.fail('putIfAbsent', 'stored-but-lost').fail('get', 'fatal', 1_000);
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: 'LOG_UNSETTLED' });
    await expect(engine.done).rejects.toMatchObject({ code: 'LOG_UNSETTLED', cause: { kind: 'fatal' } });
    expect(events.filter(({ kind }) => kind === 'checkpoint')).toHaveLength(1);
    store.heal();
    const calls = store.calls.length;
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: 'LOG_UNSETTLED' });
    expect(store.calls.slice(calls)).toEqual([]);
    await start();
    expect(events.at(-1)).toMatchObject({ kind: 'restored', cut: 2, position: 3 });
  });
});

describe('the store refuses for good', () => {
  test('a record: the system ends rather than run on without checkpoints', async () => {
    const engine = await start();
    store.fail('putIfAbsent', 'fatal');
    await expect(engine.checkpoint()).rejects.toMatchObject({ kind: 'fatal' });
    await expect(engine.done).rejects.toMatchObject({ kind: 'fatal' });
  });

  test('PART_NOT_STORED: a part: the same', async () => {
    const engine = await start();
    await border.ask(large).touch();
    store.fail('put', 'fatal');
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: 'PART_NOT_STORED', cause: { kind: 'fatal' } });
    await expect(engine.done).rejects.toMatchObject({
      code: 'PART_NOT_STORED',
      message: expect.stringMatching(/^cut 1: main\/part\/1-1-\d-[0-9a-f]+: STORE_IO: /),
    });
  });
});

describe('a part could not be stored', () => {
  test.each(['retry', 'lost', 'denied'] as const)(
    'PART_NOT_STORED (%s): the attempt is over, and no record names the part',
    async (fault) => {
      const engine = await start();
      await border.ask(large).touch();
      store.fail('put', fault);
      await expect(engine.checkpoint()).rejects.toMatchObject({ code: 'PART_NOT_STORED' });
      expect(await engine.checkpoint()).toMatchObject({ cut: 2, position: 2 });
      const parts = await store.inner.list('main/part/');
      expect(parts.map((name) => name.replace(/-\d-[0-9a-f]+$/, ''))).toEqual(['main/part/1-2']);
      expect(JSON.stringify((await recordsIn()).at(-1))).toContain(parts[0].slice('main/'.length));
    },
  );
});

describe('FENCED', () => {
  test('another owner has put a record: the system ends, releases nothing, and leaves the other its file', async () => {
    const engine = await start();
    await engine.checkpoint();
    const rival = await Log.open(store.inner, 'main', systemClock);
    await rival.put({ kind: 'term', from: 2, host: 'elsewhere', pid: 1 }, 2);
    const theirs = new TextEncoder().encode('{"host":"elsewhere"}');
    await store.inner.replace('main/owner.json', theirs);
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: 'FENCED' });
    await expect(engine.done).rejects.toMatchObject({
      code: 'FENCED',
      message: expect.stringContaining('term 2 (elsewhere, pid 1'),
    });
    await engine.stop(false);
    expect(events.filter(({ kind }) => kind === 'checkpoint')).toHaveLength(1);
    expect(await store.inner.get('main/owner.json')).toEqual(theirs);
  });
});
