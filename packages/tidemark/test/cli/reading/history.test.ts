import type { CutHistory, FailedAttempt } from '@tidemark/checkpoint/internal';
import { describe, expect, it } from 'vitest';
import { definitionRows, failedJson, failedText, slowestText, threadRows } from '../../../dist/cli/reading/history.js';

const ALL = { durationMs: 12, pauseMs: 1, skewMs: 2, units: 3, messages: 4, frames: 5, bytes: 6 };

describe('who was last', () => {
  it.each([
    ['flip', 2, null, 'worker 2: 85 ms until it entered the cut, as in a long turn'],
    ['markers', 1, 0, 'worker 1: 85 ms until host had entered the cut'],
    ['capture', 0, null, 'host: 85 ms until all its units were captured'],
    ['upload', 3, null, 'worker 3: 85 ms until the store had its part'],
  ] as const)('is said with its reason: %s', (why, thread, waitedFor, text) => {
    expect(slowestText({ ...ALL, slowest: { thread, why, ms: 85, waitedFor } })).toBe(text);
  });

  it('is not said where the record does not tell', () => {
    expect(slowestText(ALL)).toBeNull();
    expect(threadRows(ALL)).toEqual([]);
    expect(definitionRows(ALL)).toEqual([]);
  });
});

describe('the threads of a checkpoint', () => {
  const history: CutHistory = {
    ...ALL,
    threads: [
      {
        thread: 1,
        flipMs: 1,
        markersMs: 2,
        capturedMs: 30,
        doneMs: 31,
        storedMs: 40,
        encodeMs: 5,
        pauseMs: 0.5,
        units: 10,
        messages: 3,
        frames: 1,
        bytes: 2_000,
        storedBytes: 500,
        definitions: [{ name: 'account', units: 10, bytes: 1_500 }],
      },
    ],
  };

  it('have their stretches in the order in which they come, and what they wrote', () => {
    expect(threadRows(history)).toEqual([
      {
        thread: 'worker 1',
        flip: '1.00 ms',
        markers: '2.00 ms',
        captured: '30 ms',
        complete: '31 ms',
        stored: '40 ms',
        encoding: '5.00 ms',
        pause: '0.50 ms',
        gc: null,
        'no core': null,
        units: 10,
        'in flight': 3,
        size: '2.0 kB',
        file: '500 B',
      },
    ]);
    expect(definitionRows(history)).toEqual([{ thread: 'worker 1', definition: 'account', units: 10, size: '1.5 kB' }]);
  });
});

describe('a failed attempt', () => {
  const attempt: FailedAttempt = { cut: 7, code: 'CHECKPOINT_OVERDUE', durationMs: 60_000 };

  it.each([
    [
      { ...attempt, outside: [2], missing: [0, 1, 2] },
      'CHECKPOINT_OVERDUE, worker 2 had not entered the cut. Look for',
    ],
    [
      { ...attempt, outside: [], missing: [0, 1] },
      'CHECKPOINT_OVERDUE, host, worker 1 had not stored its part. Look for',
    ],
    [{ ...attempt, outside: [1, 2, 3, 4, 5] }, '5 threads had not entered the cut'],
    [
      { cut: 7, code: 'PART_NOT_STORED', cause: 'STORE_FULL' },
      'cut 7 failed: PART_NOT_STORED (STORE_FULL). Free space.',
    ],
    [{ cut: 7, code: 'STORE_OUTCOME_UNKNOWN' }, 'See docs/errors.md, STORE_OUTCOME_UNKNOWN.'],
  ])('says for whom it failed, why, and what to do: %j', (given, text) => {
    expect(failedText(given)).toContain(text);
  });

  it('has what to do for scripts, too, whatever its record told', () => {
    expect(failedJson([{ cut: 1, code: 'CHECKPOINT_ABANDONED' }])).toEqual([
      { cut: 1, code: 'CHECKPOINT_ABANDONED', remedy: 'Nothing: the next attempt follows.' },
    ]);
  });
});
