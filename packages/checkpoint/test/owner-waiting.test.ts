import { limits, Owner, type Processes } from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { JOB } from './support/job-log.ts';
import { Machine } from './support/machine.ts';
import { Late, refused, ScriptedStore } from './support/scripted-store.ts';

const NAME = `${JOB}/owner.json`;
const LONG_MS = 60_000;

let memory: MemoryStore;
let store: ScriptedStore;
let clock: ManualClock;
let machine: Machine;
let there: Processes;
beforeEach(() => {
  memory = new MemoryStore('owner');
  store = new ScriptedStore(memory);
  clock = new ManualClock();
  machine = new Machine('here', 'boot-1');
  there = new Machine('there', 'boot-2').start(10);
});

async function running(processes: Processes, term = 3): Promise<Owner> {
  const owner = new Owner(store, JOB, clock, processes);
  await owner.own(term);
  return owner;
}

/** One who waits: for whom, and whether it still does. */
interface Waiting {
  readonly told: string[];
  over: boolean;
  error: unknown;
}

function waiting(processes: Processes, ended?: AbortSignal): Waiting {
  const seen: Waiting = { told: [], over: false, error: null };
  new Owner(store, JOB, clock, processes, ended)
    .waitUntilFree(({ host, pid, term }) => seen.told.push(`${host} ${pid} ${term}`))
    .then(
      () => (seen.over = true),
      (error: unknown) => (seen.error = error),
    );
  return seen;
}

async function file(): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(await memory.get(NAME))) as Record<string, unknown>;
}

describe('who waits for an owner', () => {
  it('of nobody goes on at once, and tells nothing', async () => {
    const seen = waiting(machine.start(20));
    await settled();
    expect(seen).toMatchObject({ told: [], over: true });
  });

  it.each(['here', 'there'])('%s tells it once, and waits as long as it lives', async (where) => {
    await running(where === 'here' ? machine.start(10) : there);
    const seen = waiting(machine.start(20));
    await clock.pass(LONG_MS);
    expect(seen).toMatchObject({ told: [`${where} 10 3`], over: false });
  });

  it.each(['here', 'there'])('%s goes on within a second after its release', async (where) => {
    const owner = await running(where === 'here' ? machine.start(10) : there);
    const seen = waiting(machine.start(20));
    await clock.pass(LONG_MS);
    await owner.release();
    await clock.pass(1_000);
    expect(seen.over).toBe(true);
    expect(clock.timersOpen).toBe(0);
  });

  it('goes on soon after the death of its process', async () => {
    const owner = await running(machine.start(10));
    const seen = waiting(machine.start(20));
    await clock.pass(LONG_MS);
    machine.alive.delete(10);
    owner.stop();
    await clock.pass(200);
    expect(seen.over).toBe(true);
  });

  it('goes on when the counter of one on another machine has stood still for ten seconds', async () => {
    const owner = await running(there);
    const seen = waiting(machine.start(20));
    await clock.pass(LONG_MS);
    owner.stop();
    await clock.pass(limits.OWNER_WATCH_MS - limits.OWNER_RENEW_MS);
    expect(seen.over).toBe(false);
    await clock.pass(limits.OWNER_RENEW_MS + 2_000);
    expect(seen.over).toBe(true);
  });

  it('does not take a store that is away for the death of an owner', async () => {
    const owner = await running(there);
    const seen = waiting(machine.start(20));
    await clock.pass(7_000);
    store.always('get', refused('retry'));
    await clock.pass(LONG_MS);
    store.always('get');
    await clock.pass(3_000);
    expect(seen).toMatchObject({ over: false, error: null });
    owner.stop();
    await clock.pass(limits.OWNER_WATCH_MS + 2_000);
    expect(seen.over).toBe(true);
  });

  it('ends when the store refuses for good', async () => {
    await running(there);
    const seen = waiting(machine.start(20));
    await clock.pass(7_000);
    store.always('get', refused('denied'));
    await clock.pass(1_000);
    expect(seen.error).toMatchObject({ kind: 'denied' });
  });

  it('tells of the next owner too, when that was quicker', async () => {
    const owner = await running(machine.start(10));
    const seen = waiting(machine.start(20));
    await clock.pass(1_000);
    await owner.release();
    await running(machine.start(30), 4);
    await clock.pass(LONG_MS);
    expect(seen).toMatchObject({ told: ['here 10 3', 'here 30 4'], over: false });
  });

  it('ends when it is told to, and leaves nothing open', async () => {
    const owner = await running(machine.start(10));
    const ended = new AbortController();
    const seen = waiting(machine.start(20), ended.signal);
    await clock.pass(1_000);
    ended.abort(new Error('no longer wanted'));
    await settled();
    expect(seen.error).toMatchObject({ message: 'no longer wanted' });
    owner.stop();
    expect(clock.timersOpen).toBe(0);
  });
});

describe('an owner whose file names a later one', () => {
  it('says so once, and leaves the file alone', async () => {
    let said = 0;
    const before = new Owner(store, JOB, clock, machine.start(10));
    await before.own(3, () => said++);
    await clock.pass(limits.OWNER_RENEW_MS);
    expect(said).toBe(0);
    const after = await running(machine.start(20), 4);
    await clock.pass(LONG_MS);
    expect(said).toBe(1);
    expect(await file()).toMatchObject({ pid: 20, term: 4, counter: LONG_MS / limits.OWNER_RENEW_MS });
    after.stop();
    expect(clock.timersOpen).toBe(0);
  });

  it('and that has ended meanwhile, says nothing', async () => {
    let said = 0;
    const before = new Owner(store, JOB, clock, machine.start(10));
    await before.own(3, () => said++);
    await running(machine.start(20), 4);
    const look = new Late();
    store.next('get', look.doing);
    await clock.pass(limits.OWNER_RENEW_MS);
    expect(look.called).toBe(true);
    before.stop();
    await look.happen();
    await settled();
    expect(said).toBe(0);
  });
});

describe('who finds the begin of an owner as the newest record', () => {
  const begun = { term: 4, host: 'here', pid: 30 };

  function comes(given = begun): { news: boolean | null } {
    const seen: { news: boolean | null } = { news: null };
    const owner = new Owner(store, JOB, clock, machine.start(20));
    void owner.comes(given).then((news) => (seen.news = news));
    return seen;
  }

  it('waits until its file is there', async () => {
    machine.alive.set(30, '');
    const seen = comes();
    await clock.pass(500);
    expect(seen.news).toBeNull();
    await running(machine.start(30), 4);
    await clock.pass(50);
    expect(seen.news).toBe(true);
  });

  it('waits a second and no longer', async () => {
    machine.alive.set(30, '');
    const seen = comes();
    await clock.pass(limits.OWNER_LATE_MS + 50);
    expect(seen.news).toBe(false);
  });

  it('does not wait when that process is dead', async () => {
    const seen = comes();
    await settled();
    expect(seen.news).toBe(false);
  });

  it('does not wait when the file has told already', async () => {
    const owner = await running(machine.start(30), 4);
    await owner.release();
    const looking = new Owner(store, JOB, clock, machine.start(20));
    await looking.assertFree();
    expect(await looking.comes(begun)).toBe(false);
  });
});
