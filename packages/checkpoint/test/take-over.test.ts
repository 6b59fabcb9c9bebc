import { actor, type Ref } from '@tidemark/actors';
import { Border, systemClock } from '@tidemark/actors/internal';
import {
  type Engine,
  type EngineEvent,
  type EngineOptions,
  nodeEnvironment,
  startEngine,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { engineOptions } from './support/engine-options.ts';
import { FragileStore } from './support/fragile-store.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

const Sum = actor('sum', {
  state: () => ({ n: 0 }),
  on: {
    add(ctx, by: number) {
      ctx.state.n += by;
      return ctx.state.n;
    },
  },
});
const sum: Ref<typeof Sum> = { type: 'sum', key: 'a' };

let memory: MemoryStore;
const engines: Engine[] = [];
beforeEach(() => {
  memory = new MemoryStore('shared');
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.kill();
});

/** A system of one process among several that know of one store. */
class Runner {
  readonly events: EngineEvent[] = [];
  readonly border = new Border(systemClock);
  readonly started: Promise<Engine>;

  constructor(options: Partial<EngineOptions> = {}, store: Store = memory) {
    const environment = { ...nodeEnvironment, openStore: () => Promise.resolve(store) };
    this.started = startEngine(engineOptions({ border: this.border, observe: this.#see, ...options }), environment);
    this.started.then(
      (engine) => {
        engines.push(engine);
        engine.go();
      },
      () => undefined,
    );
  }

  readonly #see = (event: EngineEvent): void => void this.events.push(event);

  count(kind: EngineEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  add(by: number): Promise<unknown> {
    return this.border.ask(sum).add(by);
  }
}

async function ownerTerm(): Promise<unknown> {
  const file = JSON.parse(new TextDecoder().decode(await memory.get('main/owner.json'))) as { readonly term: number };
  return file.term;
}

describe('take-over', () => {
  test('goes on from the newest checkpoint; the other one ends with FENCED at its next put, and releases nothing', async () => {
    const before = new Runner();
    const first = await before.started;
    await before.add(5);
    await first.checkpoint();
    await before.add(100);
    const after = new Runner({ ifRunning: 'take-over' });
    await after.started;
    expect(after.events.map(({ kind }) => kind)).toEqual(['term', 'restored']);
    expect(await after.add(1)).toBe(6);
    await expect(first.checkpoint()).rejects.toMatchObject({ code: 'FENCED' });
    await expect(first.done).rejects.toMatchObject({
      code: 'FENCED',
      message: expect.stringMatching(/ was written by term 2 \(.*, pid \d+, since .*the job no longer and stops$/),
    });
    expect(before.count('checkpoint')).toBe(1);
    expect(await ownerTerm()).toBe(2);
    await (await after.started).checkpoint();
  });

  test('begins anew, if that is asked for', async () => {
    const before = new Runner();
    await before.started;
    await before.add(5);
    await (await before.started).checkpoint();
    const after = new Runner({ ifRunning: 'take-over', fresh: true });
    await after.started;
    expect(await after.add(1)).toBe(1);
  });

  test('of an owner that publishes in between whenever it can: the term record comes first then', async () => {
    const before = new Runner();
    const first = await before.started;
    await before.add(5);
    await first.checkpoint();
    let published = 0;
    const always = new Runner({ ifRunning: 'take-over' }, theOtherIsQuicker());
    const second = await always.started;
    expect(published).toBeGreaterThanOrEqual(3);
    // Everything that the other one has published is there.
    expect(await always.add(1)).toBe(5 + published + 1);
    await expect(first.done).rejects.toMatchObject({ code: 'FENCED' });
    await second.checkpoint();
    expect(await ownerTerm()).toBe(2);

    /** Before each put of a start that has looked at a checkpoint, the other one publishes the next. */
    function theOtherIsQuicker(): Store {
      return shared({
        // Its choice is made when it asks for its own folder; the record that it would put is then late.
        putIfAbsent: async (name, bytes) => {
          if (published < 3) {
            published++;
            await before.add(1);
            await first.checkpoint();
          } else void first.checkpoint().catch(() => undefined);
          return memory.putIfAbsent(name, bytes);
        },
      });
    }
  });

  test('that is refused at each look does not end the other one, however fast that publishes', async () => {
    const before = new Runner();
    const first = await before.started;
    await before.add(5);
    let looks = 0;
    const publishing = shared({
      // The program refuses what it has read; by then there is a newer checkpoint.
      list: async (prefix, options) => {
        if (options?.after !== undefined) {
          looks++;
          await first.checkpoint();
        }
        return memory.list(prefix, options);
      },
    });
    await first.checkpoint();
    const after = new Runner({ ifRunning: 'take-over', mapping: { drop: ['sum'], rename: {} } }, publishing);
    await expect(after.started).rejects.toMatchObject({ code: 'MAPPING_INVALID' });
    expect(looks).toBe(3);
    await first.checkpoint();
    expect(await ownerTerm()).toBe(1);
  });

  test('of nobody is a start like any other', async () => {
    const runner = new Runner({ ifRunning: 'take-over' });
    await runner.started;
    expect(await runner.add(1)).toBe(1);
  });

  test('that is refused leaves the other one alone', async () => {
    const before = new Runner();
    const first = await before.started;
    await before.add(5);
    await first.checkpoint();
    const after = new Runner({ ifRunning: 'take-over', from: 77 });
    await expect(after.started).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    await first.checkpoint();
    expect(await ownerTerm()).toBe(1);
  });

  test('an owner that takes no checkpoint of its own hears of it when it renews its file', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const before = new Runner();
      const first = await before.started;
      const after = new Runner({ ifRunning: 'take-over' });
      await after.started;
      const ended = expect(first.done).rejects.toMatchObject({ code: 'FENCED' });
      await vi.advanceTimersByTimeAsync(5_000);
      await ended;
      expect(await ownerTerm()).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('wait', () => {
  test('of two that wait one goes on, and the other waits for that one', async () => {
    const before = new Runner();
    await before.started;
    await before.add(5);
    const waiting = [new Runner({ ifRunning: 'wait' }), new Runner({ ifRunning: 'wait' })];
    await vi.waitFor(() => expect(waiting.map((each) => each.count('waiting'))).toEqual([1, 1]));
    await (await before.started).stop(true);
    const winner = await Promise.race(waiting.map(async (each) => (await each.started, each)));
    const other = waiting.find((each) => each !== winner)!;
    await vi.waitFor(() => expect(other.count('waiting')).toBe(2), 5_000);
    expect(other.events.at(-1)).toMatchObject({ kind: 'waiting', term: 2 });
    expect(await winner.add(1)).toBe(6);
    await (await winner.started).stop(true);
    await other.started;
    expect(other.events.map(({ kind }) => kind)).toEqual(['waiting', 'waiting', 'term', 'restored']);
    expect(await other.add(1)).toBe(7);
  });

  test('ends when the start is ended', async () => {
    const before = new Runner();
    await before.started;
    const { Engine: EngineClass, parseSchedule } = await import('@tidemark/checkpoint/internal');
    const environment = { ...nodeEnvironment, openStore: () => Promise.resolve<Store>(memory) };
    const events: EngineEvent[] = [];
    const observe = (event: EngineEvent): void => void events.push(event);
    const engine = new EngineClass(engineOptions({ ifRunning: 'wait', observe }), environment, null);
    const started = engine.start(parseSchedule('1h'));
    const failed = expect(started).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    await engine.kill();
    await failed;
  });

  test('a start that meets the begin of another and not yet its file does not push it away', async () => {
    let written: () => void = () => undefined;
    const file = new Promise<void>((resolve) => (written = resolve));
    // Its file is late; its term record is there.
    const first = new Runner(
      {},
      shared({
        replace: async (name, bytes) => {
          await file;
          return memory.replace(name, bytes);
        },
      }),
    );
    await vi.waitFor(async () => expect(await memory.list('main/log/')).toHaveLength(1));
    const second = new Runner();
    const refusal = expect(second.started).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    written();
    await refusal;
    await (await first.started).checkpoint();
  });
});

describe('a store that is away for the moment', () => {
  test('does not end a start', async () => {
    const store = new FragileStore().fail('list', 'retry', 2);
    const runner = new Runner({}, store);
    await runner.started;
    expect(runner.events.map(({ kind }) => kind)).toEqual(['warning', 'term']);
    expect(runner.events[0]).toMatchObject({
      code: 'STORE_IO',
      message: expect.stringMatching(/ tries again, for 20 s/),
    });
    expect(await runner.add(1)).toBe(1);
  });
});

/** The memory that all share, with some calls of one owner's own. */
function shared(own: Partial<Store>): Store {
  const calls: Partial<Store> = {
    put: (...args) => memory.put(...args),
    putIfAbsent: (...args) => memory.putIfAbsent(...args),
    replace: (...args) => memory.replace(...args),
    get: (...args) => memory.get(...args),
    list: (...args) => memory.list(...args),
    delete: (...args) => memory.delete(...args),
    close: () => Promise.resolve(),
  };
  return { url: memory.url, supports: memory.supports, ...calls, ...own } as Store;
}
