import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RemoteError } from '@tidemark/actors';
import { decodeValue, unpackMessages } from '@tidemark/actors/internal';
import {
  type CheckpointRecord,
  decodeRecord,
  mergeFiles,
  type PartContent,
  type PartRef,
  readPart,
} from '@tidemark/checkpoint/internal';
import { describe, expect, test, vi } from 'vitest';
import { Echo, Receiver, Sender, Teller, Till } from './fixtures/actors.mjs';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 30_000 });

const systems = new Systems();
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('a system %s', (_, inline) => {
  test('runs what it is told, at every worker, and answers what it is asked', async () => {
    const system = await systems.start({ workers: 3, inline });
    for (const key of KEYS) await system.tell(system.ref(Echo, key)).say(1);
    const values = [
      5,
      'text',
      null,
      new Map([['a', [1n]]]),
      new Date(7),
      Uint8Array.of(1, 2),
      { ref: system.ref(Echo, 'a') },
    ];
    for (const [i, value] of values.entries()) {
      expect(await system.ask(system.ref(Echo, KEYS[i % KEYS.length])).say(value)).toEqual(value);
    }
    expect(await system.ask(system.ref(Echo, 'a')).heard()).toBe(3);
    expect(await system.ask(system.ref(Echo, 'a')).word('x')).toBe(1);
    expect(await system.ask(system.ref(Teller, 'host')).left()).toBe(100);
  });

  test('gives a Refusal to whoever asked, by its code', async () => {
    const system = await systems.start({ inline });
    const error = await system
      .ask(system.ref(Echo, 'a'))
      .refuse()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ code: 'NO_WAY', message: 'not today' });
    expect(await system.ask(system.ref(Echo, 'a')).say('on')).toBe('on');
  });

  test('goes on where it was, also with other numbers of workers', async () => {
    const store = await systems.folder();
    for (const [round, workers] of [3, 1, 2, 4].entries()) {
      const system = await systems.start({ store, workers, inline });
      for (const key of KEYS) {
        expect(await system.ask(system.ref(Echo, key)).word('again')).toBe(round + 1);
        await system.tell(system.ref(Echo, key)).say('unanswered');
      }
      await system.stop();
    }
    const system = await systems.start({ store, inline });
    for (const key of KEYS) expect(await system.ask(system.ref(Echo, key)).heard()).toBe(4);
    expect(systems.events.filter(({ kind }) => kind === 'restored')).toHaveLength(4);
  });

  test('begins anew when it is told to', async () => {
    const store = await systems.folder();
    const before = await systems.start({ store, inline });
    await before.tell(before.ref(Echo, 'a')).say(1);
    await before.stop();
    const system = await systems.start({ store, inline, fresh: true });
    expect(await system.ask(system.ref(Echo, 'a')).heard()).toBe(0);
    await system.stop();
    const again = await systems.start({ store, inline });
    expect(await again.ask(again.ref(Echo, 'a')).heard()).toBe(0);
  });

  test('A9, A3: keeps the order from every sender to every receiver, over 100,000 messages', async () => {
    const system = await systems.start({ workers: 3, inline });
    const [senders, receivers, each] = [10, 10, 1_000];
    for (let sender = 0; sender < senders; sender++) {
      await system.tell(system.ref(Sender, String(sender))).send(receivers, each / 2);
      await system.tell(system.ref(Sender, String(sender))).send(receivers, each / 2);
    }
    const all = Array.from({ length: receivers }, (__, key) => system.ref(Receiver, String(key)));
    let reports: { taken: number; wrong: number }[] = [];
    for (let taken = 0; taken < senders * receivers * each; ) {
      reports = await Promise.all(all.map((receiver) => system.ask(receiver).report()));
      taken = reports.reduce((sum, report) => sum + report.taken, 0);
    }
    expect(reports).toEqual(all.map(() => ({ taken: senders * each, wrong: 0 })));
  });
});

describe('an ask', () => {
  test('ASK_TIMEOUT: of an actor that is busy rejects in time, and the actor goes on', async () => {
    const system = await systems.start();
    const echo = system.ref(Echo, 'a');
    const enough = join(await systems.folder(), 'enough');
    const asked = system.ask(echo, { timeoutMs: 50 }).spinUntil(enough);
    await expect(asked).rejects.toMatchObject({
      code: 'ASK_TIMEOUT',
      message: 'echo/a spinUntil has not answered within 50 ms; it may still run',
    });
    await writeFile(enough, '');
    expect(await system.ask(echo).say('on')).toBe('on');
  });
});

describe('a checkpoint that is asked for', () => {
  test('holds everything up to now, and each has a position and a cut of its own', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store });
    await system.tell(system.ref(Till, 'till')).take(1);
    const first = await system.checkpoint();
    const [second, third] = await Promise.all([system.checkpoint(), system.checkpoint()]);
    expect([first, second, third]).toMatchObject([{ position: 2 }, { position: 3 }, { position: 4 }]);
    expect(third.cut).toBeGreaterThan(second.cut);
    expect(moneyOf(await partsAt(store, 2)).inTill).toBe(1);
  });

  test('C1: in the middle of a turn never flips inside it', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store });
    let asked: Promise<{ readonly position: number }> | undefined;
    Object.assign(globalThis, { inTurn: () => (asked ??= system.checkpoint()) });
    await system.tell(system.ref(Teller, 'host')).pay();
    await system.ask(system.ref(Teller, 'host')).left();
    const { position } = await asked!;
    const { left, inTill } = moneyOf(await partsAt(store, position));
    expect(left + inTill).toBe(100);
  });
});

describe('stop()', () => {
  test('takes a last checkpoint of everything that was told, resolves `done`, and may be called again', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store });
    for (let i = 0; i < 1_000; i++) await system.tell(system.ref(Till, 'till')).take(1);
    const stopping = system.stop();
    expect(system.stop()).toBe(stopping);
    await stopping;
    await system.done;
    const again = await systems.start({ store });
    // What the cut found on its way runs after the restore.
    let got = 0;
    for (let i = 0; i < 200 && got < 1_000; i++) got = await again.ask(again.ref(Till, 'till')).got();
    expect(got).toBe(1_000);
  });

  test('SYSTEM_STOPPED: nothing enters from then on, not even while the last checkpoint is taken', async () => {
    const system = await systems.start({ store: await systems.folder() });
    const stopping = system.stop();
    const stopped = { code: 'SYSTEM_STOPPED' };
    await expect(system.tell(system.ref(Echo, 'a')).say(1)).rejects.toMatchObject(stopped);
    await stopping;
    await expect(system.ask(system.ref(Echo, 'a')).say(1)).rejects.toMatchObject(stopped);
    await expect(system.checkpoint()).rejects.toMatchObject(stopped);
  });

  test('SYSTEM_STOPPED: a checkpoint that would come after the last one is none', async () => {
    const system = await systems.start({ store: await systems.folder() });
    const stopping = system.stop();
    const late = system.checkpoint().then(
      ({ position }) => position,
      (error: { code: string }) => error.code,
    );
    await stopping;
    expect(await late).toBe('SYSTEM_STOPPED');
  });

  test('SYSTEM_STOPPED: an ask that is open when the system ends is told', async () => {
    const system = await systems.start();
    const open = system.ask(system.ref(Echo, 'a')).spin(300);
    const told = expect(open).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
    await system.stop();
    await told;
  });

  test('is what `await using` calls', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store });
    await system.tell(system.ref(Till, 'till')).take(5);
    await system[Symbol.asyncDispose]();
    const again = await systems.start({ store });
    expect(await again.ask(again.ref(Till, 'till')).got()).toBe(5);
  });

  test('does not wait for ever for a worker that is in a turn without end', { timeout: 30_000 }, async () => {
    const system = await systems.start();
    const spinning = system.ask(system.ref(Echo, 'a'), { timeoutMs: 200 }).spin(1_000_000);
    await expect(spinning).rejects.toMatchObject({ code: 'ASK_TIMEOUT' });
    await system.stop();
    await system.done;
  });
});

describe('an observer', () => {
  test('is told of the term, of what was restored and of each checkpoint', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store });
    await system.checkpoint();
    await system.stop();
    await systems.start({ store });
    expect(systems.events).toMatchObject([
      { kind: 'term', term: 1, from: null },
      { kind: 'checkpoint', cut: 1, position: 2, releases: false },
      { kind: 'checkpoint', cut: 2, position: 3 },
      { kind: 'term', term: 2, from: 3 },
      { kind: 'restored', cut: 2, position: 3 },
    ]);
  });

  test('that throws ends the system with its error, and nobody waits in vain', async () => {
    const broken = new Error('the observer is broken');
    const system = await systems.start({
      store: await systems.folder(),
      observe: ({ kind }) => {
        if (kind === 'checkpoint') throw broken;
      },
    });
    const asked = system.checkpoint();
    await expect(system.done).rejects.toBe(broken);
    // It was published before anybody could be told.
    expect(await asked).toMatchObject({ position: 2 });
    await expect(system.stop()).rejects.toBe(broken);
  });
});

/** All parts of the checkpoint at a position, from its files. */
async function partsAt(store: string, position: number): Promise<PartContent[]> {
  const name = String(position).padStart(20, '0');
  expect(await readdir(join(store, 'main/log'))).toContain(name);
  const record = decodeRecord(await readFile(join(store, 'main/log', name)), name) as CheckpointRecord;
  const contentOf = async ({ files }: PartRef): Promise<PartContent> => {
    const bytes = files.map(async (file) =>
      'path' in file ? readFile(join(store, 'main', file.path)) : Buffer.from(file.inline, 'base64'),
    );
    return mergeFiles((await Promise.all(bytes)).map((each) => readPart(each)));
  };
  return Promise.all(record.parts.map(contentOf));
}

function moneyOf(parts: readonly PartContent[]): { left: number; inTill: number } {
  let [left, inTill] = [0, 0];
  for (const { units, mail, channels, outboxes } of parts) {
    for (const { type, value } of units) {
      const state = decodeValue(value) as { left?: number; got?: number };
      if (type === 'teller') left += state.left ?? 0;
      if (type === 'till') inTill += state.got ?? 0;
    }
    const messages = [...mail, ...channels, ...outboxes].flatMap((frame) => unpackMessages(frame));
    inTill += messages.filter(({ type }) => type === 'till').reduce((sum, { args }) => sum + (args[0] as number), 0);
  }
  return { left, inTill };
}
