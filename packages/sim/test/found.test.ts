import {
  boundaryName,
  type Engine,
  encodeBoundary,
  type EngineEvent,
  type Environment,
  logName,
  nodeEnvironment,
  startEngine,
} from '@tidemark/checkpoint/internal';
import { type GetOptions, type ListOptions, MemoryStore } from '@tidemark/stores';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { engineOptions } from '../../checkpoint/test/support/engine-options.ts';

/** A store in which something happens right after the first call that a test waits for. */
class EventfulStore extends MemoryStore {
  #after: { readonly call: 'get' | 'list'; readonly name: string; readonly run: () => Promise<void> } | null = null;

  once(call: 'get' | 'list', name: string, run: () => Promise<void>): void {
    this.#after = { call, name, run };
  }

  override async get(name: string, options?: GetOptions): Promise<Uint8Array> {
    await this.#happen('get', name);
    return super.get(name, options);
  }

  override async list(prefix: string, options?: ListOptions): Promise<readonly string[]> {
    const names = await super.list(prefix, options);
    await this.#happen('list', prefix);
    return names;
  }

  async #happen(call: 'get' | 'list', name: string): Promise<void> {
    const after = this.#after;
    if (after === null || after.call !== call || after.name !== name) return;
    this.#after = null;
    await after.run();
  }
}

const running: Engine[] = [];

afterEach(async () => {
  for (const engine of running.splice(0)) await engine.kill();
});

/** Starts the job; nobody else seems to live. */
async function start(store: EventfulStore): Promise<readonly EngineEvent[]> {
  const events: EngineEvent[] = [];
  const environment: Environment = {
    ...nodeEnvironment,
    processes: { ...nodeEnvironment.processes, isAlive: () => false },
    openStore: async () => store,
  };
  const engine = await startEngine(
    engineOptions({
      workers: 1,
      keep: Number.POSITIVE_INFINITY,
      command: (position) => `from ${position}`,
      observe: (event) => void events.push(event),
    }),
    environment,
  );
  engine.go();
  running.push(engine);
  return events;
}

/** What retention does, with the newest record as the boundary. */
async function collect(store: MemoryStore): Promise<void> {
  const names = await store.list('main/log/');
  const newest = names.at(-1)!;
  const position = Number(newest.slice(-20));
  const hash = createHash('sha256')
    .update(await store.get(newest))
    .digest('hex');
  await store.putIfAbsent(boundaryName('main', position), encodeBoundary({ position, hash, term: 2, cut: 2 }));
  for (const name of names.slice(0, -1)) await store.delete(name);
}

describe('found by the simulator', () => {
  test('a start while retention removes what it was about to read is no damage: it reads again', async () => {
    const store = new EventfulStore();
    await start(store);
    await running[0].checkpoint();
    // Another owner is quicker: term 2 at position 3, a checkpoint at 4, and what is older removed.
    store.once('get', logName('main', 2), async () => {
      await start(store);
      await running[1].checkpoint();
      await collect(store);
    });
    const events = await start(store);
    expect(events.find(({ kind }) => kind === 'term')).toMatchObject({ term: 3, from: 4 });
  });

  test('a boundary that a newer one replaced while it was read is no error', async () => {
    const store = new EventfulStore();
    await start(store);
    await running[0].checkpoint();
    await collect(store);
    store.once('list', 'main/gc/', async () => {
      await running[0].checkpoint();
      await collect(store);
      await store.delete(boundaryName('main', 2));
    });
    const events = await start(store);
    expect(events.find(({ kind }) => kind === 'term')).toMatchObject({ from: 3 });
  });

  test('two first starts at the same time: the slower one does not take its own job for a foreign one', async () => {
    const store = new EventfulStore();
    store.once('list', 'main/log/', async () => void (await start(store)));
    const events = await start(store);
    expect(events.find(({ kind }) => kind === 'term')).toMatchObject({ term: 2, from: null });
  });
});
