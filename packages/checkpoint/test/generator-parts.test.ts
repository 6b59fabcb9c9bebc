import { limits, type PartBlock } from '@tidemark/checkpoint/internal';
import { beforeEach, describe, expect, it } from 'vitest';
import { settled } from '../../actors/test/support/manual-clock.ts';
import { Bench, block, done, fileOf, TERM } from './support/bench.ts';
import { JOB } from './support/job-log.ts';
import { framed, sha256 } from './support/parts.ts';
import { type Doing, Late, refused, storeError } from './support/scripted-store.ts';

const LARGE = { sizeBytes: limits.INLINE_BYTES_MAX + 1 };
/** A payload that makes a file of just the bytes that fit into a record. */
const FITS = limits.INLINE_BYTES_MAX - (fileOf(1, 65_000).length - 65_000);
const path = (cut: number, thread: number): string => `part/${TERM}-${cut}-${thread}-00ff`;

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});

const bytesOf = (cut: number, thread: number, sizeBytes: number): Uint8Array => fileOf(cut, sizeBytes, thread);

describe('C8: a record names parts that are durable', () => {
  it('small ones lie in it, larger ones in files that it names', async () => {
    await bench.ask();
    bench.part(0, 1, { sizeBytes: FITS });
    bench.part(1, 1, LARGE);
    bench.part(2, 1, { sizeBytes: 10 });
    await settled();
    const [small, large, third] = (await bench.record(2)).parts;
    const inline = bytesOf(1, 0, FITS);
    expect(inline.length).toBe(limits.INLINE_BYTES_MAX);
    expect(small).toEqual({
      thread: 0,
      files: [
        { cut: 1, length: inline.length, sha256: sha256(inline), inline: Buffer.from(inline).toString('base64') },
      ],
    });
    const stored = await bench.memory.get(`${JOB}/${path(1, 1)}`);
    expect(Buffer.compare(stored, bytesOf(1, 1, LARGE.sizeBytes))).toBe(0);
    expect(large).toEqual({
      thread: 1,
      files: [{ cut: 1, length: stored.length, sha256: sha256(stored), path: path(1, 1) }],
    });
    expect(third).toMatchObject({ thread: 2, files: [{ length: bytesOf(1, 2, 10).length }] });
  });

  it('a file is written while its part still comes, block by block, in order', async () => {
    await bench.ask();
    const blocks = Array.from({ length: 8 }, (_, n) => ({
      bytes: new Uint8Array(40_000).fill(n),
      entries: 0,
      holds: [],
    }));
    for (const each of blocks) {
      bench.generator.part(1, { kind: 'block', cut: 1, block: each });
      await settled();
    }
    expect(bench.store.calls).toContain(`put ${JOB}/${path(1, 1)}`);
    bench.generator.part(1, done(1));
    bench.part(0, 1);
    bench.part(2, 1);
    await settled();
    const stored = await bench.memory.get(`${JOB}/${path(1, 1)}`);
    expect(Buffer.compare(stored, framed(blocks, 1))).toBe(0);
    const file = { length: stored.length, sha256: sha256(stored) };
    expect((await bench.record(2)).parts[1].files).toMatchObject([file]);
  });

  it('memory of its blocks goes back to their thread when they are stored, and only then', async () => {
    const spent: [number, readonly ArrayBuffer[]][] = [];
    const own = await Bench.open({ spent: (thread, buffers) => void spent.push([thread, buffers]) });
    const large = (n: number): PartBlock => ({
      bytes: new Uint8Array(limits.BLOCK_CAPACITY).fill(n).subarray(0, limits.BLOCK_BYTES_MAX),
      entries: 0,
      holds: [],
    });
    const blocks = [large(1), large(2)];
    const upload = new Late();
    own.store.next('put', upload.doing);
    await own.ask();
    for (const each of blocks) own.generator.part(1, { kind: 'block', cut: 1, block: each });
    own.generator.part(1, block(1, 10));
    own.generator.part(1, done(1));
    own.part(0, 1);
    await settled();
    expect(spent).toEqual([]);
    await upload.happen();
    await settled();
    // The small one has no memory that is worth it, and the part that lies in the record neither.
    expect(spent).toEqual([[1, blocks.map(({ bytes }) => bytes.buffer)]]);
    expect(blocks.map(({ bytes }) => (spent[0]?.[1] ?? []).includes(bytes.buffer as ArrayBuffer))).toEqual([
      true,
      true,
    ]);
  });

  it('memory of blocks whose file was not stored stays where it is: the store may still read it', async () => {
    const spent: unknown[] = [];
    const own = await Bench.open({ spent: (...given) => void spent.push(given) });
    own.store.next('put', refused('lost'));
    await own.ask();
    own.generator.part(1, {
      kind: 'block',
      cut: 1,
      block: { bytes: new Uint8Array(limits.BLOCK_CAPACITY), entries: 0, holds: [] },
    });
    own.generator.part(1, done(1));
    await settled();
    expect(own.failures).toMatchObject([{ cut: 1, code: 'PART_NOT_STORED' }]);
    expect(spent).toEqual([]);
  });

  it('it is not put before the last file is there', async () => {
    const upload = new Late();
    bench.store.next('put', upload.doing);
    await bench.ask();
    await bench.parts(1, LARGE);
    await bench.clock.pass(1_000);
    expect(await bench.positions()).toEqual([1]);
    await upload.happen();
    await settled();
    expect(await bench.positions()).toEqual([1, 2]);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
  });
});

describe('a part that cannot be stored', () => {
  it('costs the attempt: it is told, and the next one has a new number', async () => {
    bench.store.next('put', refused('retry'));
    const asked = await bench.ask();
    bench.part(1, 1, LARGE);
    await settled();
    expect(bench.told).toEqual(['begin 1 after 0', 'abandon 1']);
    expect(asked.error).toMatchObject({ code: 'PART_NOT_STORED', cause: { kind: 'retry' } });
    expect(bench.failures).toEqual([
      { cut: 1, code: 'PART_NOT_STORED', message: `cut 1: ${JOB}/${path(1, 1)}: STORE_BUSY: as told: retry` },
    ]);
    await bench.ask();
    await bench.parts(2, LARGE);
    expect(bench.told.slice(2)).toEqual(['begin 2 after 0', 'release 2 at 2']);
    expect((await bench.record(2)).failed).toEqual([
      {
        cut: 1,
        code: 'PART_NOT_STORED',
        cause: 'STORE_BUSY',
        message: expect.stringContaining('STORE_BUSY') as string,
        beganAt: '2026-01-01T00:00:00.000Z',
        durationMs: 0,
        outside: [0, 1, 2],
        missing: [0, 1, 2],
      },
    ]);
  });

  it('for good ends the system', async () => {
    bench.store.next('put', refused('fatal'));
    const asked = await bench.ask();
    bench.part(1, 1, LARGE);
    await settled();
    expect(bench.ended).toMatchObject({ code: 'PART_NOT_STORED', cause: { kind: 'fatal' } });
    expect(asked.error).toBe(bench.ended);
    expect(bench.told).toEqual(['begin 1 after 0', 'end']);
  });

  it('ends the uploads of the others, whose failures are no news', async () => {
    const ends: unknown[] = [];
    const late = new Late();
    const watched: Doing = async (carryOut) => {
      try {
        return await carryOut();
      } catch (error) {
        ends.push(error);
        throw error;
      }
    };
    bench.store.next('put', watched, late.doing, refused('retry'));
    await bench.ask();
    // These two wait for blocks that never come, and for the store.
    bench.generator.part(0, block(1, LARGE.sizeBytes));
    bench.generator.part(2, block(1, LARGE.sizeBytes));
    await settled();
    expect(ends).toEqual([]);
    bench.part(1, 1, LARGE);
    await settled();
    expect(ends).toMatchObject([{ code: 'CHECKPOINT_ABANDONED' }]);
    late.fail(storeError('fatal'));
    await settled();
    expect(bench.failures).toHaveLength(1);
    expect(bench.ended).toBeNull();
    expect(await bench.memory.list(`${JOB}/part/`)).toEqual([]);
  });
});

describe('a cut that is overdue', () => {
  it('says which threads have begun it and not stored their part, and what to do', async () => {
    const asked = await bench.ask();
    for (const thread of [0, 1, 2]) bench.generator.part(thread, { kind: 'flipped', cut: 1 });
    bench.part(1, 1);
    await bench.clock.pass(limits.CUT_OVERDUE_MS, 10_000);
    expect(asked.error).toMatchObject({
      message:
        'cut 1 was not complete within 60000 ms; what the host and worker 2 had to store was not stored: look whether the store is slow. ' +
        "Or give it more time: timeLimit of the schedule, '--time-limit'. The next one is tried",
    });
  });

  it('is abandoned and told, and a part that comes later belongs to nothing (C10)', async () => {
    const asked = await bench.ask();
    bench.part(0, 1);
    bench.part(1, 1);
    await bench.clock.pass(limits.CUT_OVERDUE_MS - 1, 10_000);
    expect(bench.told).toEqual(['begin 1 after 0']);
    await bench.clock.pass(1);
    expect(bench.told).toEqual(['begin 1 after 0', 'abandon 1']);
    expect(asked.error).toMatchObject({
      code: 'CHECKPOINT_OVERDUE',
      message: expect.stringContaining('; worker 2 had not begun it: look for a turn that takes long'),
    });
    expect(bench.failures).toMatchObject([{ cut: 1, code: 'CHECKPOINT_OVERDUE' }]);
    bench.part(2, 1);
    await settled();
    await bench.ask();
    for (const thread of [0, 1, 2]) bench.part(thread, 1);
    await settled();
    expect(await bench.positions()).toEqual([1]);
    await bench.parts(2);
    expect((await bench.record(2)).parts.map(({ files }) => files[0].sha256)).toEqual(
      [0, 1, 2].map((thread) => sha256(bytesOf(2, thread, 100))),
    );
  });

  it('does not lend the next one a file that was stored late', async () => {
    const upload = new Late();
    bench.store.next('put', upload.doing);
    await bench.ask();
    await bench.parts(1, LARGE);
    await bench.clock.pass(limits.CUT_OVERDUE_MS, 10_000);
    await bench.ask();
    bench.part(0, 2);
    bench.part(1, 2);
    // A store may carry out a put whose caller has given it up: the bytes were sent.
    upload.answer(undefined);
    await settled();
    bench.part(2, 2);
    await settled();
    expect((await bench.record(2)).parts.map(({ files }) => files[0].sha256)).toEqual(
      [0, 1, 2].map((thread) => sha256(bytesOf(2, thread, 100))),
    );
  });

  it('is not overdue any more once it is published or put', async () => {
    await bench.ask();
    await bench.parts(1);
    await bench.clock.pass(2 * limits.CUT_OVERDUE_MS, 10_000);
    expect(bench.told).toEqual(['begin 1 after 0', 'release 1 at 2']);
  });
});

it('a thread that reports a cut of which nobody asked is not heard', async () => {
  await bench.parts(1);
  await bench.ask();
  await bench.parts(2);
  await bench.parts(0);
  expect(bench.told).toEqual(['begin 1 after 0']);
  expect(await bench.positions()).toEqual([1]);
});
