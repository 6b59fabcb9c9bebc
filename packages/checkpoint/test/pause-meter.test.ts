import { type Clock, systemClock } from '@tidemark/actors/internal';
import { availableParallelism, platform } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, test } from 'vitest';
import { PauseMeter } from '../src/pause-meter.ts';

/** A thread whose time passes where the test says so. */
class HandClock implements Clock {
  nowMs = 0;
  preemptedMs = 0;
  /** Collections that the event loop has told of. */
  told: { readonly from: number; readonly until: number }[] = [];
  /** What the next question to the system waits for a core, before or after it is answered. */
  interrupted: { readonly ms: number; readonly before: boolean } | null = null;
  readonly #soon: (() => void)[] = [];

  now = (): number => this.nowMs;
  monotonic = (): number => this.nowMs;
  after = (): (() => void) => () => undefined;
  soon = (run: () => void): void => void this.#soon.push(run);

  preempted = (): number => {
    const { interrupted } = this;
    this.interrupted = null;
    if (interrupted?.before === true) this.wait(interrupted.ms);
    const answer = this.preemptedMs;
    if (interrupted?.before === false) this.wait(interrupted.ms);
    return answer;
  };

  collected = (from: number, until: number): number =>
    this.told.reduce((sum, each) => sum + Math.max(0, Math.min(until, each.until) - Math.max(from, each.from)), 0);

  work(ms: number): void {
    this.nowMs += ms;
  }

  /** Ready to run, without a core. */
  wait(ms: number): void {
    this.nowMs += ms;
    this.preemptedMs += ms;
  }

  /** The event loop turns. */
  turn(): void {
    for (const run of this.#soon.splice(0)) run();
  }
}

describe('the pause of a cut', () => {
  let clock: HandClock;

  beforeEach(() => {
    clock = new HandClock();
  });

  test('is its longest stretch without what the system gave to other threads meanwhile', () => {
    const meter = new PauseMeter(clock);
    for (const ms of [0.2, 0.4, 0.3]) {
      const from = meter.look();
      clock.work(ms);
      clock.wait(5);
      meter.note(from);
    }
    clock.work(7);
    expect(meter.pauseMs).toBeCloseTo(0.4);
    expect(meter.preemptMs).toBeCloseTo(15);
  });

  test.each([
    ['begins', true],
    ['begins', false],
    ['ends', true],
    ['ends', false],
  ])(
    'does not hold what a thread waits where it asks for the time as a stretch %s (before the answer: %s)',
    (when, before) => {
      const meter = new PauseMeter(clock);
      if (when === 'begins') clock.interrupted = { ms: 4, before };
      const from = meter.look();
      clock.work(0.3);
      if (when === 'ends') clock.interrupted = { ms: 4, before };
      meter.note(from);
      expect(meter.pauseMs).toBeCloseTo(0.3);
    },
  );

  test('does not hold collections of garbage, of which the thread hears later', () => {
    const meter = new PauseMeter(clock);
    let settled = 0;
    clock.work(3);
    meter.note(meter.begun);
    meter.end(() => settled++);
    clock.turn();
    clock.told.push({ from: 1, until: 3.5 });
    expect(settled).toBe(0);
    clock.turn();
    expect(settled).toBe(1);
    expect(meter.pauseMs).toBeCloseTo(1);
  });

  test('is settled at once where no stretch was long', () => {
    const meter = new PauseMeter(clock);
    let settled = 0;
    meter.end(() => settled++);
    expect(settled).toBe(1);
  });
});

describe('the clock of this process', () => {
  test('tells what was collected when the event loop has turned twice', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const clock = systemClock;
    const turn = (): Promise<void> => new Promise((resolve) => clock.soon(resolve));
    clock.collected?.(0, 0);
    await turn();
    const from = clock.monotonic();
    collect();
    const until = clock.monotonic();
    await turn();
    await turn();
    expect(clock.collected?.(from, until)).toBeGreaterThan(0);
    expect(clock.collected?.(from, until)).toBeLessThanOrEqual(until - from);
  });

  test('tells for how long a thread had no core on a busy machine', () => {
    const clock = systemClock;
    const before = clock.preempted?.() ?? 0;
    const others = Array.from({ length: 2 * availableParallelism() }, () => new Worker(SPIN, { eval: true }));
    const until = performance.now() + 300;
    while (performance.now() < until);
    const after = clock.preempted?.() ?? 0;
    for (const other of others) void other.terminate();
    if (platform() === 'linux') expect(after).toBeGreaterThan(before);
    else expect(after).toBe(0);
  });
});

const SPIN = 'for (;;);';
