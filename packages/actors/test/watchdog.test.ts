import { Watchdog, type Watched } from '@tidemark/actors/internal';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from './support/manual-clock.ts';

const LIMIT_MS = 1_600;
const LOOK_MS = 100;

/** A thread whose beats and waits a test moves by hand. */
class Thread implements Watched {
  readonly thread: number;
  count = 1;
  waited = 0;
  readonly beats = (): number => this.count;
  readonly waitedMs = (): number => this.waited;

  constructor(thread: number) {
    this.thread = thread;
  }
}

let clock: ManualClock;
let threads: Thread[];
let told: string[];
let debugged: boolean;
let sleptMs: number;
let watchdog: Watchdog;

beforeEach(() => {
  clock = new ManualClock();
  threads = [new Thread(1), new Thread(2)];
  told = [];
  debugged = false;
  sleptMs = 0;
  watchdog = new Watchdog({
    limitMs: LIMIT_MS,
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic() + sleptMs,
      after: (delayMs, run) => clock.after(delayMs, run),
      soon: (run) => clock.soon(run),
    },
    threads: () => threads,
    debugged: () => debugged,
    silent: (thread, ms) => told.push(`${thread} silent for ${ms}`),
    stuck: (thread, ms) => told.push(`${thread} stuck for ${ms}`),
  });
  watchdog.start();
});

/** So many looks on time; before each, `between` says what the threads have done. */
function looks(count: number, between: () => void = () => undefined): void {
  for (let look = 0; look < count; look++) {
    between();
    clock.advance(LOOK_MS);
  }
}

describe('a thread that does not come back to its event loop', () => {
  test('is told once, and is stuck within the limit; another one is not', () => {
    looks(16, () => threads[1].count++);
    expect(told).toEqual(['1 silent for 600', '1 stuck for 1200']);
  });

  test('is not stuck before three quarters of the limit', () => {
    looks(1 + 11);
    threads[0].count++;
    threads[1].count++;
    looks(1 + 5);
    expect(told).toEqual(['1 silent for 600', '2 silent for 600']);
  });

  test('is watched anew when another thread takes its place', () => {
    looks(10, () => threads[1].count++);
    threads[0] = new Thread(1);
    looks(6, () => threads[1].count++);
    expect(told).toEqual(['1 silent for 600']);
  });
});

describe('what does not count (A18)', () => {
  test('time in which a thread waited for a core', () => {
    looks(40, () => {
      threads[0].waited += 0.9 * LOOK_MS;
      threads[1].count++;
    });
    expect(told).toEqual([]);
    looks(10, () => threads[1].count++);
    // A tenth of 39 looks, and then all.
    expect(told).toEqual(['1 silent for 690', '1 stuck for 1290']);
  });

  test('time in which the host itself did not look: blocked, or asleep with the machine', () => {
    looks(2);
    sleptMs += 3_600_000;
    looks(1);
    expect(told).toEqual([]);
    sleptMs += 3_600_000;
    looks(1);
    expect(told).toEqual([]);
    threads[0].count++;
    threads[1].count++;
    looks(3);
    expect(told).toEqual([]);
  });

  test('time with a debugger', () => {
    debugged = true;
    looks(100);
    expect(told).toEqual([]);
  });

  test('time before the first beat: a start has its own limit', () => {
    threads[0].count = 0;
    threads[1].count = 0;
    looks(100);
    expect(told).toEqual([]);
  });

  test('time after the end', () => {
    watchdog.stop();
    looks(100);
    expect([told, clock.timersOpen]).toEqual([[], 0]);
  });
});
