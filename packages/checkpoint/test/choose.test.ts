import {
  boundaryName,
  encodeBoundary,
  encodeRecord,
  logName,
  mergeFiles,
  readPart,
} from '@tidemark/checkpoint/internal';
import { beforeEach, describe, expect, it } from 'vitest';
import { chosen, JOB, JobLog } from './support/job-log.ts';
import { sha256 } from './support/parts.ts';
import { recordOf } from './support/records.ts';
import { carriedOut, refused, ScriptedStore } from './support/scripted-store.ts';

let job: JobLog;
beforeEach(async () => {
  job = await JobLog.open();
});

/** Position of the checkpoint that a start goes on from. */
async function choice(options: Parameters<typeof chosen>[1] = {}): Promise<number | null> {
  return (await chosen(job.store, options)).checkpoint?.record.position ?? null;
}

/** Changes one byte of an object. */
async function damage(name: string): Promise<void> {
  const bytes = Uint8Array.from(await job.store.get(name));
  bytes[bytes.length >> 1] ^= 1;
  await job.store.replace(name, bytes);
}

const record = (position: number): string => logName(JOB, position);
/** The only part of a checkpoint of `JobLog`: term 1 unless said. */
const part = (cut: number, term = 1): string => `${JOB}/part/${term}-${cut}-0-00ff`;

describe('C14: a start goes on from', () => {
  it('nothing, when there is nothing', async () => {
    expect(await chosen(job.store)).toEqual({ term: 0, cut: 0, checkpoint: null, begun: null, warnings: [] });
  });

  it('nothing, after a term that took no checkpoint', async () => {
    await job.term('fresh');
    expect(await chosen(job.store)).toMatchObject({ term: 1, cut: 0, checkpoint: null });
  });

  it('the newest checkpoint, with all its parts in the order of its record', async () => {
    await job.term('fresh');
    await job.checkpoint();
    const parts = [await job.part(21), await job.part(22)].map((ref, thread) => ({ ...ref, thread }));
    const newest = await job.checkpoint({ parts });
    const { term, cut, checkpoint } = await chosen(job.store);
    expect({ term, cut, position: checkpoint?.record.position }).toEqual({ term: 1, cut: 2, position: newest });
    const stored = await Promise.all([21, 22].map((each) => job.store.get(part(each))));
    expect(checkpoint?.parts).toEqual(stored.map((bytes) => mergeFiles([readPart(bytes)])));
  });

  it('the checkpoint that the last term went on from, over terms that took none', async () => {
    await job.term('fresh');
    const taken = await job.checkpoint();
    await job.term(taken);
    await job.term(taken);
    expect(await chosen(job.store)).toMatchObject({ term: 3, cut: 1, checkpoint: { record: { position: taken } } });
  });

  it('the line of the last term only: what lies between is abandoned for ever, its numbers are not used again', async () => {
    await job.term('fresh');
    const second = await job.checkpoint();
    await job.checkpoint();
    await job.checkpoint();
    await job.term(second);
    expect(await chosen(job.store)).toMatchObject({ term: 2, cut: 3, checkpoint: { record: { position: second } } });
    const sixth = await job.checkpoint();
    await job.term(sixth);
    await job.term('fresh');
    const fresh = await chosen(job.store);
    expect(fresh).toMatchObject({ term: 4, cut: 4, checkpoint: null, warnings: [] });
    expect(fresh.begun).toMatchObject({ kind: 'term', term: 4, position: 8 });
    const again = await job.checkpoint();
    await job.term(again);
    expect(await choice()).toBe(again);
  });

  it('nothing when asked for --fresh, whatever is there, damaged or not; no number is used again', async () => {
    await job.term('fresh');
    await job.checkpoint({ releases: true });
    await job.checkpoint({ releases: true });
    await damage(record(3));
    expect(await chosen(job.store, { fresh: true })).toMatchObject({ term: 2, cut: 2, checkpoint: null });
    for (const position of [1, 2]) await damage(record(position));
    expect(await chosen(job.store, { fresh: true })).toMatchObject({ term: 3, cut: 3, checkpoint: null });
  });
});

describe('C15: damage of the newest checkpoint', () => {
  it.each([
    ['a part that is damaged', (name: string) => damage(name), 'has another sha256 than its record says'],
    ['a part that is gone', (name: string) => job.store.delete(name), 'is missing'],
    ['a part that is empty', (name: string) => job.store.replace(name, new Uint8Array(0)), 'has 0 bytes, not'],
  ])('that released nothing, %s: the older one is taken, and it is told', async (_, harm, what) => {
    await job.term('fresh');
    const older = await job.checkpoint({ releases: true });
    await job.checkpoint();
    await job.checkpoint();
    await harm(part(2));
    await harm(part(3));
    const { checkpoint, warnings } = await chosen(job.store);
    expect(checkpoint?.record.position).toBe(older);
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`^CHECKPOINT_DAMAGED: checkpoint 4: ${part(3)} ${what}.*older checkpoint 2 `)),
    ]);
  });

  it('that released something: the start ends, naming the file and the command', async () => {
    await job.term('fresh');
    const older = await job.checkpoint();
    await job.checkpoint({ releases: true });
    await damage(part(2));
    await expect(chosen(job.store)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringMatching(
        new RegExp(`${part(2)} has another sha256.* tidemark run --from ${older} --accept-duplicates$`),
      ),
    });
    expect(await choice({ from: older, acceptDuplicates: true })).toBe(older);
  });

  it('below one that released nothing and is damaged, too: the start ends', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await job.checkpoint({ releases: true });
    await job.checkpoint();
    await damage(part(2));
    await damage(part(3));
    await expect(chosen(job.store)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining(part(2)),
    });
  });

  it('and no older one is there: the start ends, it does not begin again by itself', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await damage(part(1));
    await expect(chosen(job.store)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining('No older checkpoint is there: --fresh begins again.'),
    });
    expect(await choice({ fresh: true })).toBeNull();
  });

  it('is passed over along the line, not into what was abandoned', async () => {
    await job.term('fresh');
    const second = await job.checkpoint();
    await job.checkpoint();
    await job.term(second);
    await job.checkpoint();
    await damage(part(3, 2));
    expect(await choice()).toBe(second);
  });

  it('a part that the store does not give is no damage', async () => {
    await job.term('fresh');
    await job.checkpoint();
    for (const kind of ['retry', 'denied', 'fatal'] as const) {
      const store = new ScriptedStore(job.store);
      // The record is read twice: for its numbers, and for the choice.
      store.next('get', carriedOut, carriedOut, refused(kind));
      await expect(chosen(store)).rejects.toMatchObject({ name: 'StoreError', kind });
    }
  });
});

describe('C15: damage of a record', () => {
  it.each([
    ['a checkpoint', 3],
    ['a term', 4],
  ])('of %s that is the newest: the start ends, and only a person may go back', async (_, newest) => {
    await job.term('fresh');
    const older = await job.checkpoint();
    await job.checkpoint();
    if (newest === 4) await job.term(3);
    await damage(record(newest));
    const told = expect.objectContaining({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining(`${record(newest)}: the sha256 at its end does not fit`),
    });
    await expect(chosen(job.store)).rejects.toEqual(told);
    await expect(chosen(job.store)).rejects.toThrow(`--from ${newest - 1} --accept-duplicates`);
    await expect(chosen(job.store, { from: older })).rejects.toEqual(told);
    const back = await chosen(job.store, { from: older, acceptDuplicates: true });
    expect(back.checkpoint?.record.position).toBe(older);
    // What cannot be read may have used a number more of each.
    expect(back).toMatchObject(newest === 3 ? { term: 2, cut: 2 } : { term: 2, cut: 3 });
  });

  it('that is gone from the middle of the line: the start ends', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await job.checkpoint();
    await damage(part(2));
    await job.store.delete(record(2));
    await expect(chosen(job.store)).rejects.toThrow(`${record(2)} is missing`);
  });

  it('that was put back to an earlier one: the start ends', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await job.checkpoint();
    await job.store.replace(record(2), encodeRecord(recordOf({ position: 2, putId: 'stale' })));
    await damage(part(2));
    await expect(chosen(job.store)).rejects.toThrow(
      `${record(2)} is not the record that its successor was written after`,
    );
  });

  it('of a newer version is none: CHECKPOINT_INCOMPATIBLE, without the advice to go back', async () => {
    await job.term('fresh');
    await job.checkpoint();
    const newer = encodeRecord(recordOf({ format: 4, position: 3, previous: sha256(await job.store.get(record(2))) }));
    await job.store.put(record(3), newer);
    await expect(chosen(job.store)).rejects.toMatchObject({
      code: 'CHECKPOINT_INCOMPATIBLE',
      message: `${record(3)} has format 4; this version of Tidemark reads formats 1 to 3`,
    });
  });
});

describe('a position that a person named', () => {
  it('is taken, be it the newest, an older one, or one that was abandoned', async () => {
    await job.term('fresh');
    const positions = [await job.checkpoint(), await job.checkpoint()];
    await job.term(positions[0]);
    positions.push(await job.checkpoint());
    for (const from of positions) expect(await choice({ from })).toBe(from);
  });

  it('with output released after it is taken only if duplicates are accepted', async () => {
    await job.term('fresh');
    const named = await job.checkpoint({ releases: true });
    await job.checkpoint();
    expect(await choice({ from: named })).toBe(named);
    const released = await job.checkpoint({ releases: true });
    await job.term(named);
    await job.checkpoint();
    await expect(chosen(job.store, { from: named })).rejects.toMatchObject({
      code: 'DUPLICATES_NOT_ACCEPTED',
      message: expect.stringMatching(
        new RegExp(`^checkpoint ${released} has released.* tidemark run --from ${named} --accept-duplicates$`),
      ),
    });
    expect(await choice({ from: named, acceptDuplicates: true })).toBe(named);
  });

  it.each([true, false])('that is damaged is never replaced by another one (accept duplicates: %s)', async (accept) => {
    await job.term('fresh');
    await job.checkpoint();
    const named = await job.checkpoint();
    await job.checkpoint();
    await damage(part(2));
    await expect(chosen(job.store, { from: named, acceptDuplicates: accept })).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining(part(2)),
    });
  });

  it('whose record is damaged ends the start', async () => {
    await job.term('fresh');
    await job.checkpoint();
    await damage(record(2));
    const options = { from: 2, acceptDuplicates: true };
    await expect(chosen(job.store, options)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });

  it('that is no checkpoint is CHECKPOINT_UNKNOWN', async () => {
    const unknown = (from: number): object => ({
      code: 'CHECKPOINT_UNKNOWN',
      message: `there is no checkpoint at position ${from} of job 'main' in memory:test`,
    });
    await expect(chosen(job.store, { from: 1 })).rejects.toMatchObject(unknown(1));
    await job.term('fresh');
    await job.checkpoint({ releases: true });
    await job.term(2);
    for (const from of [-1, 0, 1, 3, 4, 99]) {
      for (const acceptDuplicates of [true, false]) {
        await expect(chosen(job.store, { from, acceptDuplicates })).rejects.toMatchObject(unknown(from));
      }
    }
  });
});

describe('C16: "nothing" is believed', () => {
  it('only if the listing succeeded', async () => {
    for (const calls of [[], [carriedOut]]) {
      const store = new ScriptedStore(job.store);
      store.next('list', ...calls, refused('retry'));
      await expect(chosen(store)).rejects.toMatchObject({ name: 'StoreError', kind: 'retry' });
    }
  });

  it('not if the record that the log leads to is gone', async () => {
    await job.term('fresh');
    const taken = await job.checkpoint();
    await job.term(taken);
    await job.store.delete(record(taken));
    await expect(chosen(job.store)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });
});

describe('C21: below a boundary', () => {
  /** A boundary at a position, with everything below it gone. */
  async function boundary(position: number): Promise<void> {
    const hash = sha256(await job.store.get(record(position)));
    await job.store.put(boundaryName(JOB, position), encodeBoundary({ position, hash, term: 1, cut: 2 }));
    for (let gone = 1; gone < position; gone++) await job.store.delete(record(gone));
  }

  it('nothing is looked for: the newest checkpoint at or above it is taken', async () => {
    await job.term('fresh');
    await job.checkpoint();
    const third = await job.checkpoint();
    await job.term(third);
    await boundary(third);
    expect(await chosen(job.store)).toMatchObject({ term: 2, cut: 2, checkpoint: { record: { position: third } } });
  });

  it('what the log leads to is damage, not "nothing"', async () => {
    await job.term('fresh');
    const second = await job.checkpoint();
    const third = await job.checkpoint();
    await job.term(second);
    await boundary(third);
    await expect(chosen(job.store)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining(`leads below its boundary ${third}`),
    });
    expect(await choice({ fresh: true })).toBeNull();
    await expect(chosen(job.store, { from: second })).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
  });

  it('a job that began again above it begins again', async () => {
    await job.term('fresh');
    await job.checkpoint();
    const third = await job.checkpoint();
    await job.term('fresh');
    await boundary(third);
    expect(await choice()).toBeNull();
  });

  it('no older checkpoint is offered instead of a damaged one', async () => {
    await job.term('fresh');
    await job.checkpoint();
    const third = await job.checkpoint();
    await boundary(third);
    await damage(part(2));
    await expect(chosen(job.store)).rejects.toThrow('No older checkpoint is there: --fresh begins again.');
  });
});
