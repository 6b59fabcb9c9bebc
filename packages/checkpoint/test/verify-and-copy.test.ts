import {
  boundaryName,
  copyCheckpoint,
  encodeBoundary,
  encodeRecord,
  logName,
  readCheckpoint,
  type Verified,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { chosen, JOB, JobLog } from './support/job-log.ts';
import { sha256 } from './support/parts.ts';
import { termOf } from './support/records.ts';

let job: JobLog;
beforeEach(async () => {
  job = await JobLog.open();
});

const record = (position: number): string => logName(JOB, position);

async function damage(name: string): Promise<void> {
  const bytes = Uint8Array.from(await job.store.get(name));
  bytes[bytes.length >> 1] ^= 1;
  await job.store.replace(name, bytes);
}

async function boundaryAt(position: number, given: { readonly hash?: string } = {}): Promise<void> {
  const hash = given.hash ?? sha256(await job.store.get(record(position)));
  await job.store.putIfAbsent(boundaryName(JOB, position), encodeBoundary({ position, hash, term: 1, cut: 1 }));
}

describe('verifying finds', () => {
  const verify = (position: number | null = null): Promise<Verified> => verifyLog(job.store, JOB, position);
  const found = async (position: number | null = null): Promise<string[]> =>
    (await verify(position)).findings.map(({ object, message }) => `${object} ${message}`);

  beforeEach(async () => {
    await job.term('fresh');
    for (let i = 0; i < 3; i++) await job.checkpoint();
  });

  it('nothing in what is whole', async () => {
    await boundaryAt(3);
    expect(await verify()).toMatchObject({
      records: 4,
      parts: 3,
      boundaries: 1,
      units: 3,
      messages: 0,
      findings: [],
      unnamed: 0,
    });
    expect(await verify(3)).toMatchObject({ records: 1, parts: 1, findings: [], unnamed: null });
  });

  it('every byte of a record, a part and a boundary that was changed', async () => {
    await boundaryAt(3);
    for (const name of [record(4), `${JOB}/part/1-3-0-00ff`, boundaryName(JOB, 3)]) {
      const whole = await job.store.get(name);
      for (let at = 0; at < whole.length; at++) {
        const bytes = Uint8Array.from(whole);
        bytes[at] ^= 1;
        await job.store.replace(name, bytes);
        expect(await found(), `byte ${at} of ${name}`).toHaveLength(1);
      }
      await job.store.replace(name, new Uint8Array([...whole, 10]));
      expect(await found()).toHaveLength(1);
      await job.store.replace(name, whole);
    }
    expect(await found()).toEqual([]);
  });

  it('what is missing', async () => {
    await job.store.delete(`${JOB}/part/1-2-0-00ff`);
    expect(await found()).toEqual([expect.stringMatching(/^main\/part\/1-2-0-00ff checkpoint 3: .* is missing$/)]);
    expect(await found(3)).toHaveLength(1);
    expect(await found(2)).toEqual([]);
    await job.store.delete(record(3));
    expect(await found()).toEqual([`${record(3)} is missing`]);
    await expect(verify(3)).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
  });

  it('a record that is whole, and not the one that was there', async () => {
    await job.store.replace(record(1), encodeRecord(termOf({ pid: 2 })));
    expect(await found()).toEqual([expect.stringMatching('is not the record that its successor was written after')]);
    expect(await found(1)).toHaveLength(1);
    await boundaryAt(4, { hash: sha256(new Uint8Array()) });
    // Below the boundary nothing counts any more.
    expect(await found()).toEqual([expect.stringMatching('names other bytes than those of its record')]);
  });

  it('no damage in a boundary that is replaced meanwhile', async () => {
    await boundaryAt(2);
    const { store } = job;
    const list = store.list.bind(store);
    let listings = 0;
    store.list = async (prefix, options) => {
      const names = await list(prefix, options);
      // The second listing is that of the verification itself.
      if (prefix === `${JOB}/gc/` && ++listings === 2) {
        await boundaryAt(3);
        await store.delete(boundaryName(JOB, 2));
      }
      return names;
    };
    expect(await found()).toEqual([]);
    expect(listings).toBe(2);
  });

  it('parts that no record names, which are no damage', async () => {
    await job.store.put(`${JOB}/part/1-9-1-0000`, new Uint8Array());
    expect(await verify()).toMatchObject({ findings: [], unnamed: 1 });
  });
});

describe('a copy', () => {
  const copy = async (to: MemoryStore, position: number | null = null) =>
    copyCheckpoint(await readCheckpoint(job.store, { job: null, position }), job.store, to);

  beforeEach(async () => {
    await job.term('fresh');
    for (let i = 0; i < 3; i++) await job.checkpoint();
  });

  it('holds one checkpoint under its own position, and a start goes on from it', async () => {
    const to = new MemoryStore('copy');
    expect(await copy(to, 3)).toMatchObject({ job: JOB, position: 3, parts: 1 });
    expect(await to.list('')).toEqual([boundaryName(JOB, 3), record(3), `${JOB}/part/1-2-0-00ff`]);
    expect((await verifyLog(to, JOB, null)).findings).toEqual([]);
    const { checkpoint, cut, term } = await chosen(to);
    expect({ position: checkpoint?.record.position, cut, term }).toEqual({ position: 3, cut: 2, term: 1 });
  });

  it('that was interrupted anywhere is finished by copying again', async () => {
    const whole = new MemoryStore('whole');
    await copy(whole);
    const names = await whole.list('');
    for (let puts = 0; puts <= 3; puts++) {
      const to = new MemoryStore(`after-${puts}`);
      const put = to.putIfAbsent.bind(to);
      let left = puts;
      to.putIfAbsent = (name, bytes) => (left-- > 0 ? put(name, bytes) : Promise.reject(new Error('the end')));
      await copy(to).catch(() => undefined);
      to.putIfAbsent = put;
      await copy(to);
      expect(await to.list('')).toEqual(names);
    }
  });

  it('does not come into a log of another', async () => {
    const to = new MemoryStore('copy');
    await copy(to, 3);
    await expect(copy(to, 4)).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' });
    await expect(copy(job.store, 4)).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' });
  });

  it('is not made of what is damaged', async () => {
    await damage(`${JOB}/part/1-3-0-00ff`);
    const to = new MemoryStore('copy');
    await expect(copy(to)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    expect(await to.list('')).toEqual([]);
  });
});
