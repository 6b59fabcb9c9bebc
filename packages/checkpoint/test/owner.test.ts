import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { limits, nodeEnvironment, Owner, type Processes } from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { JOB } from './support/job-log.ts';
import { Machine } from './support/machine.ts';
import { carriedOut, Late, refused, replyLost, ScriptedStore } from './support/scripted-store.ts';

const NAME = `${JOB}/owner.json`;
const SINCE = '2026-01-01T00:00:00.000Z';
const LOOK_MS = 1_000;

let memory: MemoryStore;
let store: ScriptedStore;
let clock: ManualClock;
let machine: Machine;
beforeEach(() => {
  memory = new MemoryStore('owner');
  store = new ScriptedStore(memory);
  clock = new ManualClock();
  machine = new Machine('here', 'boot-1');
});

/** An owner that has its job since SINCE. */
async function running(processes: Processes, term = 3): Promise<Owner> {
  const owner = new Owner(store, JOB, clock, processes);
  await owner.own(term);
  return owner;
}

/** What a newcomer finds, while it looks. */
function looking(processes: Processes): { free: boolean | null; error: unknown } {
  const seen: ReturnType<typeof looking> = { free: null, error: null };
  new Owner(store, JOB, clock, processes).assertFree().then(
    () => (seen.free = true),
    (error: unknown) => Object.assign(seen, { free: false, error }),
  );
  return seen;
}

async function file(): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(await memory.get(NAME))) as Record<string, unknown>;
}

describe('a job is free', () => {
  it('when nobody ever had it', async () => {
    const seen = looking(machine.start(20));
    await settled();
    expect(seen.free).toBe(true);
  });

  it('when its owner has released it, though it still lives', async () => {
    const owner = await running(machine.start(10));
    await owner.release();
    expect(await file()).toMatchObject({ pid: 10, released: true });
    const seen = looking(machine.start(20));
    await settled();
    expect(seen.free).toBe(true);
    expect(clock.timersOpen).toBe(0);
  });

  it('when its owner is dead, or its pid is another process by now', async () => {
    await running(machine.start(10));
    machine.alive.delete(10);
    expect(await free()).toBe(true);
    machine.start(10);
    expect(await free()).toBe(true);
  });

  it.each([
    ['empty', ''],
    ['torn', '{"host":"here","bootId":"boot-1","pi'],
    ['no object', 'null'],
  ])('when its file is %s: the log decides', async (_, text) => {
    await memory.replace(NAME, new TextEncoder().encode(text));
    expect(await free()).toBe(true);
  });

  async function free(): Promise<boolean | null> {
    const seen = looking(machine.start(20));
    await settled();
    return seen.free;
  }
});

it('a file that the store would not give tells something: the start ends', async () => {
  store.next('get', refused('retry'));
  const seen = looking(machine.start(20));
  await settled();
  expect(seen.error).toMatchObject({ name: 'StoreError', kind: 'retry' });
});

describe('an owner on this machine', () => {
  it('that lives is told at once: host, pid, since when', async () => {
    await running(machine.start(10));
    const seen = looking(machine.start(20));
    await settled();
    expect(seen.error).toMatchObject({
      code: 'ALREADY_RUNNING',
      message: `this job runs already: host here, pid 10, since ${SINCE} (term 3, memory:owner)`,
    });
  });

  it('whose parent is gone has three seconds to end', async () => {
    await running(machine.start(10, 9));
    machine.alive.delete(9);
    const seen = looking(machine.start(20));
    await clock.pass(1_000);
    expect(seen.free).toBeNull();
    machine.alive.delete(10);
    await clock.pass(50);
    expect(seen.free).toBe(true);
  });

  it('whose parent is gone, and that does not end, is told', async () => {
    const owner = await running(machine.start(10, 9));
    machine.alive.delete(9);
    const seen = looking(machine.start(20));
    await clock.pass(limits.OWNER_ORPHAN_MS - 100);
    expect(seen.free).toBeNull();
    await clock.pass(200);
    expect(seen.error).toMatchObject({ code: 'ALREADY_RUNNING' });
    owner.stop();
    expect(clock.timersOpen).toBe(0);
  });
});

describe('an owner on another machine, or in a container of its own', () => {
  const elsewhere = (): Processes => new Machine('there', 'boot-2').start(10);

  it('whose counter moves is told', async () => {
    await running(elsewhere());
    const seen = looking(machine.start(10));
    await clock.pass(limits.OWNER_RENEW_MS - LOOK_MS);
    expect(seen.free).toBeNull();
    await clock.pass(2 * LOOK_MS);
    expect(seen.error).toMatchObject({
      code: 'ALREADY_RUNNING',
      message: expect.stringContaining('host there, pid 10'),
    });
  });

  it('whose counter stands still for ten seconds is gone', async () => {
    const owner = await running(elsewhere());
    owner.stop();
    const seen = looking(machine.start(10));
    await clock.pass(limits.OWNER_WATCH_MS - LOOK_MS);
    expect(seen.free).toBeNull();
    await clock.pass(2 * LOOK_MS);
    expect(seen.free).toBe(true);
  });

  it('that releases meanwhile is waited for no longer', async () => {
    const owner = await running(elsewhere());
    const seen = looking(machine.start(10));
    await clock.pass(2_500);
    await owner.release();
    await clock.pass(LOOK_MS);
    expect(seen.free).toBe(true);
  });

  it('that is followed by another one meanwhile is told', async () => {
    const owner = await running(elsewhere());
    owner.stop();
    const seen = looking(machine.start(10));
    await clock.pass(1_500);
    await running(new Machine('third', 'boot-3').start(10), 4);
    await clock.pass(LOOK_MS);
    expect(seen.error).toMatchObject({ code: 'ALREADY_RUNNING' });
  });

  it.each([
    ['in another container of the same machine', 'boot-1', 'pid:[2]'],
    ['on a system that gives no boot id', '', 'pid:[1]'],
  ])('%s: its pid says nothing, so its counter is watched', async (_, bootId, pidNamespace) => {
    const machines = new Machine('here', bootId);
    const owner = await running(machines.start(10, 1, pidNamespace));
    owner.stop();
    machines.alive.delete(10);
    const seen = looking(machines.start(20));
    await clock.pass(limits.OWNER_WATCH_MS - LOOK_MS);
    expect(seen.free).toBeNull();
    await clock.pass(2 * LOOK_MS);
    expect(seen.free).toBe(true);
  });
});

describe('the file of an owner', () => {
  it('is renewed every five seconds, until it stops', async () => {
    const owner = await running(machine.start(10));
    expect(await file()).toMatchObject({ term: 3, counter: 0, released: false, since: SINCE });
    await clock.pass(3 * limits.OWNER_RENEW_MS);
    expect(await file()).toMatchObject({ counter: 3, since: SINCE });
    owner.stop();
    await clock.pass(3 * limits.OWNER_RENEW_MS);
    expect(await file()).toMatchObject({ counter: 3, released: false });
  });

  it('is politeness: a store that does not take it harms nothing', async () => {
    store.next('replace', refused('retry'), replyLost, refused('fatal'));
    const owner = await running(machine.start(10));
    await clock.pass(3 * limits.OWNER_RENEW_MS);
    expect(await file()).toMatchObject({ counter: 3 });
    store.next('replace', refused('retry'));
    await owner.release();
  });

  it('says "released" last, also when a renewal is under way', async () => {
    const owner = await running(machine.start(10));
    const renewal = new Late();
    store.next('replace', renewal.doing, carriedOut);
    await clock.pass(limits.OWNER_RENEW_MS);
    const released = owner.release();
    await settled();
    await renewal.happen();
    await released;
    expect(await file()).toMatchObject({ released: true });
    expect(clock.timersOpen).toBe(0);
  });

  it('of a later owner is not released by the one before it', async () => {
    const before = await running(machine.start(10), 3);
    await running(new Machine('other', 'boot-2').start(20), 4);
    await before.release();
    expect(await file()).toMatchObject({ term: 4, released: false });
  });

  it('of a start that never owned is not written', async () => {
    const owner = new Owner(store, JOB, clock, machine.start(10));
    await owner.release();
    expect(store.calls).toEqual([]);
  });
});

describe('a real process', () => {
  const { processes } = nodeEnvironment;
  const linux = process.platform === 'linux';

  it('knows itself, and that it lives', () => {
    const own = processes.own();
    expect(own).toMatchObject({ pid: process.pid, parentPid: process.ppid });
    expect(processes.isAlive(own.pid, own.startTicks)).toBe(true);
    if (linux) expect([own.bootId, own.pidNamespace, own.startTicks].every((text) => text !== '')).toBe(true);
  });

  it('is not taken for a later one with its pid', (context) => {
    if (!linux) context.skip('only Linux tells when a process began');
    const own = processes.own();
    expect(processes.isAlive(own.pid, String(Number(own.startTicks) - 1))).toBe(false);
  });

  it('that was killed is dead', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    expect(processes.isAlive(pidOf(child), '')).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processes.isAlive(pidOf(child), '')).toBe(false);
  });

  it('that was killed is dead, though its parent has not taken notice', async (context) => {
    if (!linux) context.skip('only Linux tells when a process began');
    // The shell becomes a program that never looks after the child which the shell had.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [output] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(output.toString());
      const ticks = (await readFile(`/proc/${pid}/stat`, 'latin1')).split(' ')[21];
      expect(processes.isAlive(pid, ticks)).toBe(true);
      process.kill(pid, 'SIGKILL');
      // It dies when the kernel gets to it.
      await vi.waitFor(() => expect(processes.isAlive(pid, ticks)).toBe(false), { timeout: 30_000 });
      expect(await readFile(`/proc/${pid}/stat`, 'latin1')).toContain(') Z ');
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('no process was started');
  return pid;
}
