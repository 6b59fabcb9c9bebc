import {
  checkLabel,
  logName,
  type Pin,
  pinCheckpoint,
  pinName,
  readCheckpoint,
  readLog,
  unpinCheckpoint,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner, type ChainOptions } from './support/chain-owner.ts';
import { chosen, JOB } from './support/job-log.ts';

const OPTIONS: ChainOptions = { keep: 2, recordsPerPass: 4, fullEvery: 1 };

let store: MemoryStore;
let clock: ManualClock;
let owner: ChainOwner;

/** A term at 1 and checkpoints 2, 3 and 4. */
beforeEach(async () => {
  store = new MemoryStore('pins');
  clock = new ManualClock();
  owner = await ChainOwner.start(store, clock, OPTIONS);
  await owner.checkpoints(3);
});

function pin(position: number, label: string | null = null): Promise<Pin> {
  return pinCheckpoint({ store, job: JOB, now: () => clock.now() }, position, { label, wish: null, verify: 'whole' });
}

async function damage(name: string, at?: number): Promise<void> {
  const bytes = Uint8Array.from(await store.get(name));
  bytes[at ?? bytes.length >> 1] ^= 1;
  await store.replace(name, bytes);
}

const part = (cut: number, term = 1): string => `${JOB}/part/${term}-${cut}-0-00ff`;

describe('a label', () => {
  it.each(['a', 'before-upgrade', 'v2.1_rc', 'größe', '日本', `a${'9'.repeat(63)}`])('may be %s', (label) => {
    expect(checkLabel(label)).toBe(label);
  });

  it.each(['', '9', '12', '-a', 'a b', 'a/b', 'a\n', `a${'9'.repeat(64)}`])('may not be %j', (label) => {
    expect(() => checkLabel(label)).toThrow(expect.objectContaining({ code: 'LABEL_INVALID' }));
  });

  it('is the same however its letters were typed', async () => {
    await pin(2, 'größe'.normalize('NFD'));
    await expect(pin(3, 'größe'.normalize('NFC'))).rejects.toMatchObject({ code: 'PIN_TAKEN' });
  });
});

describe('pinning refuses', () => {
  it('what is no checkpoint, or is not there', async () => {
    await expect(pin(1)).rejects.toMatchObject({
      code: 'CHECKPOINT_UNKNOWN',
      message: expect.stringContaining('term 1'),
    });
    await expect(pin(9)).rejects.toMatchObject({
      code: 'CHECKPOINT_UNKNOWN',
      message: expect.stringContaining('2 to 4'),
    });
    expect(await store.list(`${JOB}/pin/`)).toEqual([]);
  });

  it('what is damaged, and leaves no pin', async () => {
    await damage(part(2));
    await expect(pin(3)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    await damage(logName(JOB, 2));
    await expect(pin(2)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    expect(await store.list(`${JOB}/pin/`)).toEqual([]);
  });

  it('a second pin, and a label that another has', async () => {
    await pin(2, 'first');
    await expect(pin(2, 'again')).rejects.toMatchObject({
      code: 'PIN_TAKEN',
      message: expect.stringContaining("as 'first'"),
    });
    await expect(pin(3, 'first')).rejects.toMatchObject({
      code: 'PIN_TAKEN',
      message: expect.stringContaining('checkpoint 2'),
    });
    await unpinCheckpoint(store, JOB, 2);
    expect(await pin(3, 'first')).toMatchObject({ position: 3, label: 'first', wish: null });
  });

  it('what lies below the boundary and is still there', async () => {
    const bytes = await store.get(logName(JOB, 2));
    await owner.checkpoints(5);
    await store.put(logName(JOB, 2), bytes);
    await expect(pin(2)).rejects.toMatchObject({ code: 'PIN_REFUSED' });
    expect(await store.list(`${JOB}/pin/`)).toEqual([]);
  });

  it('to unpin what is not pinned, and tells what is', async () => {
    await pin(2);
    await expect(unpinCheckpoint(store, JOB, 3)).rejects.toMatchObject({
      code: 'PIN_UNKNOWN',
      message: expect.stringContaining('pinned: 2'),
    });
  });
});

describe('a pinned checkpoint', () => {
  beforeEach(async () => {
    await pin(3, 'good');
    await owner.checkpoints(13);
  });

  it('is listed, read and verified below the boundary, and nothing else is expected there (C30)', async () => {
    const { lines, first } = await readLog(store, JOB);
    expect(first).toBeGreaterThan(4);
    const below = lines.filter(({ position }) => position < first);
    expect(below).toMatchObject([{ kind: 'checkpoint', position: 3, pin: { by: 'person', label: 'good' } }]);
    expect((await readCheckpoint(store, { job: JOB, position: 3 })).pin).toMatchObject({ label: 'good' });
    expect(await verifyLog(store, JOB, null)).toMatchObject({ findings: [], pins: 1, unnamed: 0 });
    expect(await verifyLog(store, JOB, 3)).toMatchObject({ findings: [], pins: 1, records: 1 });
  });

  it('is missed when it is gone, by every command', async () => {
    await store.delete(logName(JOB, 3));
    const { lines } = await readLog(store, JOB);
    expect(lines.at(-1)).toMatchObject({ kind: 'missing', position: 3, oldest: 3 });
    await expect(readCheckpoint(store, { job: JOB, position: 3 })).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
    });
    expect((await verifyLog(store, JOB, null)).findings).toMatchObject([{ position: 3, object: logName(JOB, 3) }]);
    await expect(chosen(store, { from: 3, acceptDuplicates: true })).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
    });
  });

  it('is verified in every byte: record, part and pin', async () => {
    for (const name of [logName(JOB, 3), part(2), pinName(JOB, 3)]) {
      const whole = await store.get(name);
      for (let at = 0; at < whole.length; at++) {
        await damage(name, at);
        const { findings } = await verifyLog(store, JOB, null);
        expect(findings.length, `byte ${at} of ${name}`).toBeGreaterThan(0);
        expect(findings.every(({ position }) => position === 3)).toBe(true);
        await store.replace(name, whole);
      }
    }
    await store.replace(logName(JOB, 3), await store.get(logName(JOB, owner.log.last)));
    expect((await verifyLog(store, JOB, null)).findings).not.toEqual([]);
  });

  it('is gone back to only by name, and as something after which output was released', async () => {
    expect((await chosen(store)).checkpoint?.record.position).toBe(owner.log.last);
    await expect(chosen(store, { from: 3 })).rejects.toMatchObject({ code: 'DUPLICATES_NOT_ACCEPTED' });
    const choice = await chosen(store, { from: 3, acceptDuplicates: true });
    expect(choice.checkpoint?.record).toMatchObject({ position: 3, cut: 2 });
    // Neither number is used again (C7).
    expect(choice).toMatchObject({ term: 1, cut: 16 });
    await expect(chosen(store, { from: 2, acceptDuplicates: true })).rejects.toMatchObject({
      code: 'CHECKPOINT_UNKNOWN',
    });
  });

  it('that was exchanged for another whole record is damage', async () => {
    const other = new MemoryStore('other');
    const stranger = await ChainOwner.start(other, new ManualClock(0), OPTIONS);
    await stranger.checkpoints(2);
    await store.replace(logName(JOB, 3), await other.get(logName(JOB, 3)));
    await expect(chosen(store, { from: 3, acceptDuplicates: true })).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining('other bytes than its pin says'),
    });
  });

  it('is where the next start goes on, too, if the one that went back has published nothing', async () => {
    await ChainOwner.start(store, clock, { ...OPTIONS, choose: { from: 3, acceptDuplicates: true } });
    expect((await chosen(store)).checkpoint?.record.position).toBe(3);
    const third = await ChainOwner.start(store, clock, OPTIONS);
    expect((await chosen(store)).checkpoint?.record.position).toBe(3);
    // And no pass of the new line, which is too short yet, takes it away.
    await third.checkpoints(1);
    await unpinCheckpoint(store, JOB, 3);
    await third.checkpoints(1);
    expect((await chosen(store)).checkpoint?.record.position).toBe(third.log.last);
    await third.checkpoints(12);
    expect((await readLog(store, JOB)).lines.map(({ position }) => position)).not.toContain(3);
  });

  it('is advised when all that is newer is damaged', async () => {
    for (const name of await store.list(`${JOB}/log/`)) if (name !== logName(JOB, 3)) await damage(name);
    await expect(chosen(store)).rejects.toThrow('--from 3 --accept-duplicates');
    expect((await chosen(store, { from: 3, acceptDuplicates: true })).checkpoint?.record.position).toBe(3);
  });

  it('is removed by the next pass once it is unpinned, with its files', async () => {
    await unpinCheckpoint(store, JOB, 3);
    await owner.checkpoints(4);
    expect(await store.list(`${JOB}/log/`)).not.toContain(logName(JOB, 3));
    expect(await store.list(`${JOB}/part/`)).not.toContain(part(2));
  });

  it('that cannot be read makes passes spare all files, and say so', async () => {
    await damage(logName(JOB, 3));
    const before = await store.list(`${JOB}/part/`);
    await owner.checkpoints(8);
    expect(owner.warnings).toContainEqual(expect.stringMatching(/^RETENTION_FAILED: .*log\/0+3: the sha256/));
    expect(await store.list(`${JOB}/part/`)).toEqual(expect.arrayContaining([...before]));
    expect((await store.list(`${JOB}/log/`)).length).toBeLessThan(9);
    await unpinCheckpoint(store, JOB, 3);
    await owner.checkpoints(4);
    expect(await store.list(`${JOB}/part/`)).not.toContain(before[0]);
  });
});

describe('an abandoned checkpoint', () => {
  it('is chosen by nobody but a person, and is of the line again then (C14)', async () => {
    const second = await ChainOwner.start(store, clock, { ...OPTIONS, choose: { from: 2 } });
    const own = await second.checkpoint();
    expect((await chosen(store)).checkpoint?.record.position).toBe(own);
    expect((await chosen(store, { from: 4 })).checkpoint?.record.position).toBe(4);
    const third = await ChainOwner.start(store, clock, { ...OPTIONS, keep: 10, choose: { from: 4 } });
    expect((await chosen(store)).checkpoint?.record.position).toBe(4);
    await third.checkpoint();
    const standings = (await readLog(store, JOB)).lines.map(({ position, standing }) => `${position} ${standing}`);
    expect(standings).toEqual(['8 line', '7 line', '6 abandoned', '5 abandoned', '4 line', '3 line', '2 line']);
  });
});

describe('a damaged file that many checkpoints need', () => {
  it('does not spoil the spare, and a start names it (C33)', async () => {
    const own = await ChainOwner.start(store, clock, { keep: 2, recordsPerPass: 2, fullEvery: 8 });
    // Two chains of eight, and the third begins.
    await own.checkpoints(21);
    const { lines, first } = await readLog(store, JOB);
    const spare = lines.filter(({ position }) => position < first);
    expect(spare).toMatchObject([{ kind: 'checkpoint', position: own.positions[15], pin: { by: 'retention' } }]);
    await damage(part(own.lastCut - 4, 2));
    await expect(chosen(store)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining(`--from ${own.positions[15]} --accept-duplicates`),
    });
    const choice = await chosen(store, { from: own.positions[15], acceptDuplicates: true });
    expect(choice.checkpoint?.record.position).toBe(own.positions[15]);
  });
});
