import { openStore, type Store, MemoryStore } from '@tidemark/stores';
import {
  askSavepoint,
  encodeWish,
  limits,
  listMarks,
  nodeEnvironment,
  pinCheckpoint,
  pinName,
  readCheckpoint,
  type Savepoint,
  Savepoints,
  wishName,
} from '@tidemark/checkpoint/internal';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { Echo } from './fixtures/actors.mjs';
import { ChainOwner } from './support/chain-owner.ts';
import { JOB } from './support/job-log.ts';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();
const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function opened(folder: string): Promise<Store> {
  const store = await openStore(folder);
  stores.push(store);
  return store;
}

describe('a program', () => {
  it('takes a savepoint of what it has told so far, and goes back to it', async () => {
    const folder = await systems.folder();
    const system = await systems.start({ store: folder });
    await system.tell(system.ref(Echo, 'a')).say(1);
    const { position, label } = await system.savepoint('before');
    expect(label).toBe('before');
    await system.tell(system.ref(Echo, 'a')).say(2);
    await system.stop();
    const store = await opened(folder);
    expect((await readCheckpoint(store, { job: JOB, position })).pin).toMatchObject({ by: 'person', label: 'before' });
    const now = await systems.start({ store: folder });
    expect(await now.ask(now.ref(Echo, 'a')).heard()).toBe(2);
    await now.stop();
    const back = await systems.start({ store: folder, from: position, acceptDuplicates: true });
    expect(await back.ask(back.ref(Echo, 'a')).heard()).toBe(1);
  });

  it('is refused a label that cannot be, before a checkpoint is taken, and one that is in use', async () => {
    const kinds: string[] = [];
    const observe = ({ kind }: { kind: string }): void => void kinds.push(kind);
    const system = await systems.start({ store: await systems.folder(), observe });
    await expect(system.savepoint('9')).rejects.toMatchObject({ code: 'LABEL_INVALID' });
    expect(kinds).toEqual(['term']);
    await system.savepoint('one');
    await expect(system.savepoint('one')).rejects.toMatchObject({ code: 'PIN_TAKEN' });
    const { position, label } = await system.savepoint();
    expect(label).toBe(`savepoint-${position}`);
    await system.stop();
    await expect(system.savepoint('late')).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
  });
});

describe('somebody outside', () => {
  it('gets a fresh savepoint of the running system, one for each who asks', async () => {
    const folder = await systems.folder();
    const system = await systems.start({ store: folder });
    await system.tell(system.ref(Echo, 'a')).say(1);
    const { position } = await system.checkpoint();
    const place = { store: await opened(folder), job: JOB, environment: nodeEnvironment };
    const [one, other, third] = await Promise.allSettled([
      askSavepoint(place, 'same'),
      askSavepoint(place, 'same'),
      askSavepoint(place, null),
    ]);
    expect(third).toMatchObject({ status: 'fulfilled', value: { how: 'taken' } });
    const taken = [one, other].flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(taken).toMatchObject([{ how: 'taken', pin: { label: 'same' } }]);
    expect(taken[0].pin.position).toBeGreaterThan(position);
    const refused = [one, other].flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
    expect(refused).toMatchObject([{ code: 'PIN_TAKEN' }]);
    await expect(askSavepoint(place, 'same')).rejects.toMatchObject({ code: 'PIN_TAKEN' });
    expect(await place.store.list(`${JOB}/wish/`)).toEqual([]);
  });

  it('gets the newest checkpoint where nobody runs', async () => {
    const folder = await systems.folder();
    const system = await systems.start({ store: folder });
    await system.tell(system.ref(Echo, 'a')).say(1);
    await system.stop();
    const place = { store: await opened(folder), job: JOB, environment: nodeEnvironment };
    const { pin, how } = await askSavepoint(place, 'at-rest');
    expect(how).toBe('newest');
    expect((await readCheckpoint(place.store, { job: JOB, position: null })).pin).toMatchObject({ label: 'at-rest' });
    await expect(askSavepoint(place, 'again')).rejects.toMatchObject({
      code: 'PIN_TAKEN',
      message: expect.stringContaining(`checkpoint ${pin.position} of job 'main' is pinned already as 'at-rest'`),
    });
    const nowhere = { ...place, store: new MemoryStore('empty') };
    await expect(askSavepoint(nowhere, null)).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
  });

  /** An owner that lives, and does nothing. */
  async function silent(): Promise<{
    store: MemoryStore;
    clock: ManualClock;
    alive: { now: boolean };
    asked: Promise<unknown>;
  }> {
    const store = new MemoryStore('silent');
    const clock = new ManualClock();
    await (await ChainOwner.start(store, clock, { keep: 9, recordsPerPass: 99, fullEvery: 1 })).checkpoint();
    const alive = { now: true };
    const processes = { own: nodeEnvironment.processes.own, isAlive: () => alive.now };
    const { host, bootId, pidNamespace } = processes.own();
    const owner = { ...processes.own(), host, bootId, pidNamespace, term: 1, since: '', counter: 0, released: false };
    await store.replace(`${JOB}/owner.json`, new TextEncoder().encode(JSON.stringify(owner)));
    const environment = { clock, processes, randomId: nodeEnvironment.randomId };
    const asked = askSavepoint({ store, job: JOB, environment }, 'x').catch((error: unknown) => error);
    await settled();
    return { store, clock, alive, asked };
  }

  it('is told when the owner does not answer, and takes the wish back', async () => {
    const { store, clock, asked } = await silent();
    expect(await store.list(`${JOB}/wish/`)).toHaveLength(1);
    await clock.pass(limits.WISH_ANSWER_MS + 500, 250);
    expect(await asked).toMatchObject({ code: 'SAVEPOINT_UNANSWERED' });
    expect(await store.list(`${JOB}/wish/`)).toEqual([]);
    expect(await store.list(`${JOB}/pin/`)).toEqual([]);
  });

  it('gets the newest checkpoint when the owner dies meanwhile', async () => {
    const { store, clock, alive, asked } = await silent();
    await clock.pass(2_000, 250);
    alive.now = false;
    await clock.pass(2_000, 250);
    expect(await asked).toMatchObject({ how: 'newest', pin: { position: 2, label: 'x' } });
    expect(await store.list(`${JOB}/wish/`)).toEqual([]);
  });
});

describe('an owner', () => {
  interface Bench {
    readonly store: MemoryStore;
    readonly clock: ManualClock;
    readonly owner: ChainOwner;
    readonly savepoints: Savepoints;
    readonly warnings: string[];
    fails: boolean;
  }

  async function bench(): Promise<Bench> {
    const store = new MemoryStore('wishes');
    const clock = new ManualClock();
    const owner = await ChainOwner.start(store, clock, { keep: 9, recordsPerPass: 99, fullEvery: 1 });
    const warnings: string[] = [];
    const made: Bench = {
      store,
      clock,
      owner,
      warnings,
      fails: false,
      savepoints: new Savepoints({
        store,
        job: JOB,
        clock,
        checkpoint: async () => {
          if (made.fails) throw new Error('no room');
          return { cut: owner.lastCut + 1, position: await owner.checkpoint() };
        },
        warn: (code, message) => void warnings.push(`${code}: ${message}`),
      }),
    };
    return made;
  }

  const wish = (store: Store, id: string, label: string | null): Promise<unknown> =>
    store.putIfAbsent(wishName(JOB, id), encodeWish({ id, label }));

  it('fulfils what was wished before it began, once, also if it dies before the wish is gone', async () => {
    const { store, clock, savepoints, owner } = await bench();
    await wish(store, '00000001', null);
    savepoints.start();
    await clock.pass(2 * limits.WISH_LOOK_MS, 250);
    expect([...(await listMarks(store, JOB)).pinned]).toEqual([2]);
    expect(await store.list(`${JOB}/wish/`)).toEqual([]);
    // As it would lie there after a crash.
    await wish(store, '00000001', null);
    await clock.pass(2 * limits.WISH_LOOK_MS, 250);
    expect(await store.list(`${JOB}/wish/`)).toEqual([]);
    expect(owner.positions).toEqual([2]);
    savepoints.stop();
  });

  it('tries again what fails, and refuses what cannot be', async () => {
    const made = await bench();
    const { store, clock, savepoints, warnings } = made;
    const taken: Savepoint = await savepoints.take('taken');
    await wish(store, '00000001', 'taken');
    await wish(store, '00000002', '9');
    await wish(store, '00000003', 'good');
    await store.putIfAbsent(wishName(JOB, '00000004'), new TextEncoder().encode('no wish'));
    made.fails = true;
    savepoints.start();
    await clock.pass(1.5 * limits.WISH_LOOK_MS, 250);
    expect(warnings).toContainEqual(
      'SAVEPOINT_UNANSWERED: a savepoint that was wished for was not taken this time: no room',
    );
    made.fails = false;
    await clock.pass(3 * limits.WISH_LOOK_MS, 250);
    expect(await store.list(`${JOB}/wish/`)).toEqual([wishName(JOB, '00000004')]);
    const { pinned } = await listMarks(store, JOB);
    const labels = [];
    for (const position of pinned) labels.push((await readCheckpoint(store, { job: JOB, position })).pin?.label);
    expect(labels).toEqual(['taken', 'good']);
    expect(await store.list(pinName(JOB, taken.position))).toHaveLength(1);
    savepoints.stop();
    const place = { store, job: JOB, now: () => clock.now() };
    await expect(
      pinCheckpoint(place, taken.position, { label: null, wish: null, verify: 'whole' }),
    ).rejects.toMatchObject({ code: 'PIN_TAKEN' });
  });
});
