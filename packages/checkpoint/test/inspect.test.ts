import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeenThread, System, SystemView } from '@tidemark/checkpoint';
import { describe, expect, test, vi } from 'vitest';
import { Echo, Receiver, Sender, Teller, Till } from './fixtures/actors.mjs';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();

function seen({ threads }: SystemView): readonly SeenThread[] {
  return threads.filter((each) => each.answered);
}

/** Sends from every sender to every receiver, and waits until all has come. */
async function chatter(system: System, senders: number, receivers: number, each: number): Promise<number> {
  for (let sender = 0; sender < senders; sender++) {
    await system.tell(system.ref(Sender, String(sender))).send(receivers, each);
  }
  const all = Array.from({ length: receivers }, (_, key) => system.ref(Receiver, String(key)));
  let asked = 0;
  for (let taken = 0; taken < senders * receivers * each; asked += receivers) {
    const reports = await Promise.all(all.map((receiver) => system.ask(receiver).report()));
    taken = reports.reduce((sum, report) => sum + report.taken, 0);
  }
  return asked;
}

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('inspect() of a system %s', (_, inline) => {
  test('counts every message once, over all threads', async () => {
    const system = await systems.start({ workers: 3, inline });
    const asked = await chatter(system, 6, 5, 400);
    const view = await system.inspect();
    // Six tells and what they bring about.
    const all = 6 + 6 * 5 * 400 + asked;
    expect(view.messages).toEqual({ sent: all, restored: 0, handled: all, waiting: 0, dead: 0, dropped: 0 });
    expect(view).toMatchObject({ generation: 1, state: 'running', fullest: [], asks: { open: 0, oldest: [] } });
    expect(seen(view).map(({ thread }) => thread)).toEqual([0, 1, 2, 3]);
    const live = seen(view).flatMap(({ actors }) => Object.entries(actors));
    const of = (type: string): number => live.reduce((sum, [name, count]) => sum + (name === type ? count : 0), 0);
    expect([of('sender'), of('receiver')]).toEqual([6, 5]);
  });

  test('shows what each thread uses', async () => {
    const system = await systems.start({ workers: 2, inline });
    for (const { resources } of seen(await system.inspect())) {
      expect(resources?.utilization).toBeGreaterThanOrEqual(0);
      expect(resources?.utilization).toBeLessThanOrEqual(1);
      expect(resources?.heapUsedBytes).toBeGreaterThan(1_000_000);
      expect(resources?.heapTotalBytes).toBeGreaterThanOrEqual(resources!.heapUsedBytes);
      expect(resources?.externalBytes).toBeGreaterThanOrEqual(resources!.arrayBuffersBytes);
    }
  });

  test('names the most active actors since the last look', async () => {
    const system = await systems.start({ workers: 2, inline });
    for (let i = 0; i < 50; i++) await system.ask(system.ref(Echo, 'busy')).say(i);
    await system.ask(system.ref(Echo, 'seldom')).say(0);
    const { busiest } = await system.inspect();
    expect(busiest).toMatchObject([
      { type: 'echo', key: 'busy', turns: 50 },
      { type: 'echo', key: 'seldom', turns: 1 },
    ]);
    expect((await system.inspect()).busiest).toEqual([]);
  });
});

test('inspect() of a system that was started again counts what was restored', async () => {
  const store = await systems.folder();
  const before = await systems.start({ store });
  // To an actor on the host, so that the cut finds it in a mailbox; and on its way from there.
  for (let i = 0; i < 10; i++) void before.tell(before.ref(Teller, 'host')).pay();
  await before.stop();
  const system = await systems.start({ store });
  let got = 0;
  for (let i = 0; i < 200 && got < 20; i++) got = await system.ask(system.ref(Till, 'till')).got();
  const { messages } = await system.inspect();
  expect(messages.restored).toBeGreaterThan(0);
  expect(messages.sent + messages.restored).toBe(messages.handled);
});

describe('inspect()', () => {
  test('waits for no worker that is in a long turn, and tells what the app waits for', async () => {
    const system = await systems.start({ workers: 2 });
    const file = join(await systems.folder(), 'go on');
    const answer = system.ask(system.ref(Echo, 'a'), { timeoutMs: 20_000 }).spinUntil(file);
    let view = await system.inspect();
    while (view.threads.every(({ answered }) => answered)) view = await system.inspect();
    expect(view.threads.map(({ answered }) => answered).sort()).toEqual([false, true, true]);
    expect(view.asks).toMatchObject({ open: 1, oldest: [{ what: 'echo/a spinUntil' }] });
    expect(view.asks.oldest[0].ageMs).toBeGreaterThan(0);
    await writeFile(file, '');
    await answer;
    expect(seen(await system.inspect())).toHaveLength(3);
  });

  test('finds the mailbox that is full', async () => {
    const system = await systems.start({ workers: 2 });
    for (let i = 0; i < 400; i++) void system.tell(system.ref(Echo, 'full')).spin(1);
    let fullest: SystemView['fullest'] = [];
    while (fullest.length === 0) ({ fullest } = await system.inspect());
    expect(fullest).toMatchObject([{ type: 'echo', key: 'full' }]);
    expect(fullest[0].messages).toBeGreaterThan(100);
    expect(fullest[0].thread).toBeGreaterThan(0);
  });

  test('begins to count anew after a rollback, and tells that the system goes back', async () => {
    const system = await systems.start({ store: await systems.folder(), workers: 2 });
    await system.ask(system.ref(Echo, 'a')).say(1);
    await system.checkpoint();
    const views: Promise<SystemView>[] = [];
    system.on('rolled-back', () => void views.push(system.inspect()));
    const lost = await system
      .ask(system.ref(Echo, 'a'))
      .exit(0)
      .catch(({ code }: { code: string }) => code);
    expect(lost).toBe('ROLLED_BACK');
    await system.ask(system.ref(Echo, 'a')).say(2);
    const [during] = await Promise.all(views);
    expect(during).toMatchObject({ generation: 2, state: 'going-back', messages: { sent: 0 } });
    expect(during.threads.every(({ answered }) => !answered)).toBe(true);
    const after = await system.inspect();
    expect(after).toMatchObject({ generation: 2, state: 'running', messages: { sent: 1, handled: 1 } });
  });

  test('SYSTEM_STOPPED: of a system that has ended rejects, and one that is under way ends', async () => {
    const system = await systems.start({ workers: 2 });
    const spinning = system.ask(system.ref(Echo, 'a')).spin(1_500);
    const told = expect(spinning).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
    const looking = system.inspect({ timeoutMs: 2 ** 30 });
    await system.stop();
    await told;
    expect((await looking).threads).toHaveLength(3);
    await expect(system.inspect()).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
  });
});
