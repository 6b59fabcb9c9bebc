import {
  boundaryName,
  type CheckpointRecord,
  encodeBoundary,
  limits,
  PartCache,
  RestorePoint,
} from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { beforeEach, describe, expect, test } from 'vitest';
import { JOB } from './support/job-log.ts';
import { fileRef, inlineRef, sha256, type WrittenPart, writePart } from './support/parts.ts';
import { recordOf } from './support/records.ts';
import { ScriptedStore } from './support/scripted-store.ts';

let memory: MemoryStore;
let store: ScriptedStore;
beforeEach(() => {
  memory = new MemoryStore('restore-point');
  store = new ScriptedStore(memory);
});

/** A part file that holds one unit of that key; stored where its record says. */
async function file(
  key: string,
  cut: number,
): Promise<Pick<WrittenPart, 'bytes' | 'frames'> & { readonly path: string }> {
  const { bytes, frames } = writePart((writer) => writer.unit('a', key, '', null, { n: 1 }), cut);
  const path = `part/${key}`;
  await memory.put(`${JOB}/${path}`, bytes);
  return { bytes, frames, path };
}

const keysIn = async (point: RestorePoint): Promise<string[]> =>
  (await point.parts()).flatMap(({ units }) => units.map(({ key }) => key));

describe('the checkpoint to go back to', () => {
  test('is the one that the term began with, then the newest that it has published', async () => {
    const [first, second] = [await file('first', 1), await file('second', 2)];
    const began = recordOf({ position: 4, parts: [fileRef(first.path, first.bytes)] });
    const point = new RestorePoint(store, JOB, new PartCache(), began);
    expect([point.record?.position, await keysIn(point)]).toEqual([4, ['first']]);
    point.published(recordOf({ position: 6, cut: 2, parts: [fileRef(second.path, second.bytes)] }));
    expect([point.record?.position, await keysIn(point)]).toEqual([6, ['second']]);
    expect(await keysIn(new RestorePoint(store, JOB, new PartCache(), null))).toEqual([]);
  });

  test('is read from memory as far as it is there, and from the store where it is not', async () => {
    const files = [await file('kept', 1), await file('too-large', 1)];
    const cache = new PartCache(files[0].bytes.length);
    for (const { bytes, frames } of files) cache.add(sha256(bytes), frames);
    const small = writePart((writer) => writer.unit('a', 'inline', '', null, {})).bytes;
    const parts = [...files.map(({ path, bytes }, thread) => fileRef(path, bytes, thread)), inlineRef(small, 2)];
    const point = new RestorePoint(store, JOB, cache, recordOf({ parts }));
    expect(await keysIn(point)).toEqual(['kept', 'too-large', 'inline']);
    expect(store.calls).toEqual([`get ${JOB}/${files[1].path}`]);
  });

  test('CHECKPOINT_DAMAGED: a file that is not what its record says is never loaded', async () => {
    const { path, bytes } = await file('k', 1);
    const record: CheckpointRecord = recordOf({ parts: [fileRef(path, bytes)] });
    await memory.replace(
      `${JOB}/${path}`,
      bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
    );
    await expect(new RestorePoint(store, JOB, new PartCache(), record).parts()).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
    });
  });
});

test('FENCED: files that are gone because a later owner has removed them are no damage', async () => {
  const { path, bytes } = await file('k', 1);
  const point = new RestorePoint(store, JOB, new PartCache(), recordOf({ position: 4, parts: [fileRef(path, bytes)] }));
  await memory.delete(`${JOB}/${path}`);
  await expect(point.parts()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  const boundary = { position: 9, hash: sha256(bytes), term: 2, cut: 7 };
  await memory.put(boundaryName(JOB, 9), encodeBoundary(boundary));
  await expect(point.parts()).rejects.toMatchObject({
    code: 'FENCED',
    message: expect.stringContaining(`${boundaryName(JOB, 9)} was put by a later owner`),
  });
});

describe('files in memory', () => {
  const bytes = (size: number): Uint8Array[] => [new Uint8Array(size), new Uint8Array(size)];

  test('never take more than the bound, and make room when nobody names them any more', () => {
    const cache = new PartCache(100);
    cache.add('a', bytes(20));
    cache.add('b', bytes(40));
    expect([cache.room, cache.get('a'), cache.get('b')]).toEqual([60, bytes(20), undefined]);
    cache.add('c', bytes(30));
    expect(cache.room).toBe(0);
    cache.keepOnly(new Set(['c']));
    expect([cache.room, cache.get('a'), cache.get('c')]).toEqual([40, undefined, bytes(30)]);
    cache.add('c', bytes(20));
    expect(cache.room).toBe(40);
  });

  test('nobody names any more lend their memory to the next, unless somebody was given them', () => {
    const cache = new PartCache();
    const block = (n: number): Uint8Array => new Uint8Array(limits.BLOCK_BYTES_MAX).fill(n);
    const [kept, given, declined] = [1, 2, 3].map((n) => cache.copy(block(n)));
    cache.add('kept', [kept]);
    cache.add('given', [given]);
    expect(cache.get('given')).toEqual([given]);
    cache.letGo([declined]);
    cache.keepOnly(new Set());
    const next = [4, 5, 6].map((n) => cache.copy(block(n)));
    expect(next).toEqual([4, 5, 6].map(block));
    expect(next.map(({ buffer }) => [kept, given, declined].findIndex((one) => one.buffer === buffer))).toEqual([
      0, 2, -1,
    ]);
    // One that is small takes what it needs.
    expect(cache.copy(block(7).subarray(0, 100)).buffer.byteLength).toBe(100);
  });
});
