import { type CheckpointRecord, limits, parseSchedule, readCheckpoint } from '@tidemark/checkpoint/internal';
import { openStoreForReading } from '@tidemark/stores';
import { describe, expect, it, test, vi } from 'vitest';
import { Echo } from './fixtures/actors.mjs';
import { Bench, THREADS } from './support/bench.ts';
import { refused } from './support/scripted-store.ts';
import { Systems } from './support/systems.ts';

vi.setConfig({ testTimeout: 30_000 });

type Told = Required<CheckpointRecord['history']>;

async function historyOf(bench: Bench, position: number): Promise<Told> {
  return (await bench.record(position)).history as Told;
}

const LONG_TURN = 'look for a turn that takes long, or a machine without a core to spare';
const MORE_TIME = "Or give it more time: timeLimit of the schedule, '--time-limit'";

describe('the history of a checkpoint', () => {
  it('tells of each thread when it did what, since the cut began', async () => {
    const bench = await Bench.open();
    await bench.clock.pass(1_000);
    const asked = await bench.ask();
    const began = bench.clock.monotonic();
    const times = { flippedAt: began + 1, markersAt: began + 20, lastMarker: 2, capturedAt: began + 9.5 };
    const counts = { units: 3, messages: 2, frames: 1, bytes: 100 };
    const definitions = [
      { name: 'small', units: 1, bytes: 10 },
      { name: 'large', units: 2, bytes: 80 },
    ];
    bench.part(1, 1, { stats: { ...times, ...counts, definitions, doneAt: began + 21, encodeMs: 2.0004, pauseMs: 1 } });
    bench.part(2, 1, { stats: { flippedAt: began, markersAt: began, capturedAt: began, doneAt: began } });
    await bench.clock.pass(50);
    bench.part(0, 1, { stats: { flippedAt: began, markersAt: began, capturedAt: began, doneAt: began + 50 } });
    await bench.clock.pass(0);
    expect(asked.published).toMatchObject({ position: 2, units: 3, bytes: 100 });
    const { threads } = await historyOf(bench, 2);
    expect(threads.map(({ thread }) => thread)).toEqual([0, 1, 2]);
    expect(threads[1]).toEqual({
      thread: 1,
      flipMs: 1,
      markersMs: 20,
      capturedMs: 9.5,
      doneMs: 21,
      storedMs: 0,
      encodeMs: 2,
      pauseMs: 1,
      collectMs: 0,
      preemptMs: 0,
      ...counts,
      storedBytes: expect.any(Number) as number,
      definitions: [definitions[1], definitions[0]],
    });
  });

  it.each([
    [
      { flippedAt: 80, markersAt: 85, capturedAt: 82, doneAt: 90 },
      { why: 'flip', ms: 80, waitedFor: null },
    ],
    [
      { flippedAt: 5, markersAt: 90, capturedAt: 82, doneAt: 90 },
      { why: 'markers', ms: 85, waitedFor: 2 },
    ],
    [
      { flippedAt: 5, markersAt: 6, capturedAt: 88, doneAt: 90 },
      { why: 'capture', ms: 85, waitedFor: null },
    ],
    [
      { flippedAt: 5, markersAt: 6, capturedAt: 7, doneAt: 10 },
      { why: 'upload', ms: 90, waitedFor: null },
    ],
  ] as const)('tells who was last and why: %j', async (at, why) => {
    const bench = await Bench.open();
    await bench.ask();
    const began = bench.clock.monotonic();
    const stats = Object.fromEntries(Object.entries(at).map(([name, ms]) => [name, began + ms]));
    const early = { flippedAt: began, markersAt: began, capturedAt: began, doneAt: began };
    bench.part(0, 1, { stats: early });
    bench.part(2, 1, { stats: early });
    await bench.clock.pass(100);
    bench.part(1, 1, { stats: { ...stats, lastMarker: 2 } });
    await bench.clock.pass(0);
    expect((await historyOf(bench, 2)).slowest).toEqual({ thread: 1, ...why });
  });

  it('tells of the definitions with the most bytes, so that a record stays small', async () => {
    const bench = await Bench.open();
    await bench.ask();
    const definitions = Array.from({ length: 1_000 }, (_, i) => ({ name: `kind${i}`, units: 1, bytes: i }));
    await bench.parts(1, { stats: { definitions } });
    for (const thread of (await historyOf(bench, 2)).threads) {
      expect(thread.definitions).toHaveLength(limits.DEFINITIONS_TOLD_MAX);
      expect(thread.definitions[0]).toEqual(definitions[999]);
    }
  });

  it('has how long its record took to put in the record after it', async () => {
    const bench = await Bench.open();
    bench.store.next('putIfAbsent', async (carryOut) => {
      bench.clock.advance(70);
      return carryOut();
    });
    for (const cut of [1, 2]) {
      await bench.ask();
      await bench.parts(cut);
    }
    expect((await bench.record(2)).before).toBeNull();
    expect((await bench.record(3)).before).toEqual({ position: 2, publishMs: 70 });
  });
});

describe('failed attempts', () => {
  it('stand in the next record, with their reason, its cause, and the threads that were missing', async () => {
    const bench = await Bench.open({ schedule: parseSchedule({ every: '1h', timeLimit: '5s' }) });
    await bench.ask();
    bench.generator.part(0, { kind: 'flipped', cut: 1 });
    bench.part(1, 1);
    await bench.clock.pass(5_000);
    bench.store.next('putIfAbsent', refused('denied'));
    await bench.ask();
    await bench.parts(2);
    await bench.ask();
    await bench.parts(3);
    expect((await bench.record(2)).failed).toEqual([
      {
        cut: 1,
        code: 'CHECKPOINT_OVERDUE',
        message: `cut 1 was not complete within 5000 ms; worker 2 had not begun it: ${LONG_TURN}. ${MORE_TIME}. The next one is tried`,
        beganAt: '2026-01-01T00:00:00.000Z',
        durationMs: 5_000,
        outside: [2],
        missing: [0, 2],
      },
      expect.objectContaining({ cut: 2, code: 'STORE_DENIED', outside: [], missing: [], durationMs: 0 }),
    ]);
    await bench.ask();
    await bench.parts(4);
    expect((await bench.record(3)).failed).toEqual([]);
  });

  it('are the newest hundred, with texts that are not without end', async () => {
    const bench = await Bench.open({ schedule: parseSchedule({ every: '1h', timeLimit: '1s' }) });
    for (let cut = 1; cut <= 105; cut++) {
      await bench.ask();
      bench.clock.advance(1_000);
    }
    await bench.ask();
    await bench.parts(106);
    const { failed } = await bench.record(2);
    expect(failed).toHaveLength(limits.FAILED_TOLD_MAX);
    expect([failed[0].cut, failed.at(-1)?.cut]).toEqual([6, 105]);
  });
});

const systems = new Systems();

describe.each([
  ['in worker threads', false],
  ['inline', true],
])('a system %s', (_, inline) => {
  test('measures what is told: in order, and adding up', async () => {
    const store = await systems.folder();
    const system = await systems.start({ store, inline, workers: 2 });
    for (let i = 0; i < 200; i++) await system.tell(system.ref(Echo, `key ${i}`)).say(i);
    for (let i = 0; i < 200; i++) await system.ask(system.ref(Echo, `key ${i}`)).heard();
    const { position } = await system.checkpoint();
    await system.checkpoint();
    await system.stop();
    // Another process reads it: it survives every restart.
    const reading = await openStoreForReading(store);
    const { record, publishMs } = await readCheckpoint(reading, { job: 'main', position });
    await reading.close();
    const { threads, slowest, ...all } = record.history as Told;
    expect(threads.map(({ thread }) => thread)).toEqual(Array.from({ length: THREADS }, (__, thread) => thread));
    for (const thread of threads) {
      const { flipMs, markersMs, capturedMs, doneMs, storedMs } = thread;
      expect(flipMs).toBeGreaterThanOrEqual(0);
      expect(Math.min(markersMs, capturedMs)).toBeGreaterThanOrEqual(flipMs);
      expect(doneMs).toBeGreaterThanOrEqual(Math.max(markersMs, capturedMs));
      expect(storedMs).toBeGreaterThanOrEqual(doneMs);
      expect(storedMs).toBeLessThanOrEqual(all.durationMs);
      expect(thread.definitions.reduce((sum, { units }) => sum + units, 0)).toBe(thread.units);
      expect(thread.definitions.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(thread.bytes);
    }
    for (const field of ['units', 'messages', 'frames', 'bytes'] as const) {
      expect(threads.reduce((sum, thread) => sum + thread[field], 0)).toBe(all[field]);
    }
    expect(slowest.thread).toBe(threads.toSorted((a, b) => b.storedMs - a.storedMs)[0].thread);
    expect(publishMs).toBeGreaterThan(0);
    const echo = threads.flatMap(({ definitions }) => definitions).filter(({ name }) => name === Echo.name);
    expect(echo.reduce((sum, { units }) => sum + units, 0)).toBe(200);
  });
});
