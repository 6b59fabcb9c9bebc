import type { RunEvent } from '@tidemark/jobs/internal';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/cli/error-text.ts';
import { toJson } from '../../src/cli/json.ts';
import { figureTexts, lineText } from '../../src/cli/live-line.ts';
import { bytes, counted, duration, grouped } from '../../src/cli/numbers.ts';
import { resultText } from '../../src/cli/result-text.ts';
import { RowRate } from '../../src/cli/row-rate.ts';
import { placeText, sayEvent } from '../../src/cli/say.ts';
import { tableText } from '../../src/cli/table.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [-1234567, '-1,234,567'],
    [20003603, '20,003,603'],
    [Number.NaN, 'NaN'],
  ])('grouped(%d) is %s', (value, text) => expect(grouped(value)).toBe(text));

  it('have units that are easy to read', () => {
    expect([0.4, 999, 1_900, 59_949, 60_000, 125_000, 7_260_000].map(duration)).toEqual([
      '0 ms',
      '999 ms',
      '1.9 s',
      '59.9 s',
      '1 min 0 s',
      '2 min 5 s',
      '2 h 1 min',
    ]);
    expect([12, 1_234, 999_949, 999_950, 1_234_567, 5e12].map(bytes)).toEqual([
      '12 B',
      '1.2 kB',
      '999.9 kB',
      '1.0 MB',
      '1.2 MB',
      '5,000.0 GB',
    ]);
    expect([counted(1, 'row'), counted(0, 'row')]).toEqual(['1 row', '0 rows']);
  });
});

describe('the row rate', () => {
  it('is that of the last second', () => {
    const rate = new RowRate();
    expect(rate.sample(0, 0)).toBe(0);
    expect(rate.sample(500, 500)).toBe(1_000);
    expect(rate.sample(1_000, 1_000)).toBe(1_000);
    for (let atMs = 1_200; atMs <= 3_000; atMs += 200) rate.sample(atMs, 1_000);
    expect(rate.sample(3_200, 1_000)).toBe(0);
    expect(rate.sample(4_200, 3_000)).toBe(2_000);
  });
});

describe('the live line', () => {
  const checkpoint = {
    event: 'checkpoint',
    cut: 18,
    position: 17,
    durationMs: 12.4,
    pauseMs: 0,
    skewMs: 0,
    bytes: 2_500_000,
  } as const;
  const progress = { rows: 1_234_567, badRows: 2, bytesRead: 50, bytesTotal: 200 };
  const texts = figureTexts({ job: 'flights', progress, rowsPerSecond: 1_012_345.6, checkpoint });

  it('has rows, share, rate, the last checkpoint, and bad rows', () => {
    expect(lineText(texts, 200)).toBe(
      'flights · 1,234,567 rows · 25 % · 1.01 M rows/s · checkpoint 17: 12 ms, 2.5 MB · 2 bad rows',
    );
  });

  it('leaves out what does not fit, and a share of what has no end', () => {
    expect(lineText(texts, 60)).toBe('1,234,567 rows · 25 % · 1.01 M rows/s');
    const endless = figureTexts({
      job: 'j',
      progress: { ...progress, bytesTotal: 0, badRows: 0 },
      rowsPerSecond: 0,
      checkpoint: null,
    });
    expect(endless).toEqual(['j', '1,234,567 rows', '0 rows/s']);
  });
});

describe('tables', () => {
  it('align numbers to the right and texts to the left', () => {
    const rows = [
      { airport: 'ORD', flights: 166341, mean: 7.5, big: 12345678901234567890n },
      { airport: 'Zürich', flights: -5, mean: 12, big: null, hub: true },
    ];
    expect(tableText(rows)).toBe(
      [
        'airport  flights   mean                         big  hub',
        '───────  ───────  ─────  ──────────────────────────  ────',
        'ORD      166,341   7.50  12,345,678,901,234,567,890',
        'Zürich        -5  12.00                              true',
      ].join('\n'),
    );
  });

  it('show no control characters', () => {
    expect(tableText([{ 'na\nme': '\u001B[31mred' }])).not.toContain('\u001B');
  });
});

describe('a result', () => {
  const show = (collected: unknown, counters = {}): string => resultText({ collected, counters });

  it('that is a report has a title, a table and notes', () => {
    expect(show({ title: 'Busiest', rows: [{ a: 1 }], notes: ['first', 'second'] })).toBe(
      'Busiest\n\na\n─\n1\n\nfirst\nsecond',
    );
    expect(show({ rows: [{ a: 'x' }], notes: 'only' })).toBe('a\n─\nx\n\nonly');
  });

  it('that is anything else is JSON', () => {
    expect(show({ a: { b: 1 } })).toBe('{\n  "a": {\n    "b": 1\n  }\n}');
    expect(show([[1, 2]])).toMatch(/^\[/);
    expect(show([{ deep: {} }])).toMatch(/^\[/);
    expect(show({ rows: [1] })).toMatch(/^\{/);
    expect(show(new Map([['k', 1n]]))).toBe('[\n  [\n    "k",\n    "1"\n  ]\n]');
    expect(show('done')).toBe('"done"');
  });

  it('that is nothing shows only the counters', () => {
    for (const nothing of [undefined, null, [], {}]) {
      expect(show(nothing)).toBe('');
      expect(show(nothing, { dropped: 24, missing: 2836 })).toBe('dropped     24\nmissing  2,836');
    }
  });

  it('is JSON on one line for programs', () => {
    expect(toJson({ a: [1, { b: null }] })).toBe('{"a":[1,{"b":null}]}');
  });
});

describe('messages', () => {
  const context = { elapsedMs: 1_900, cwd: '/srv/me' };
  const finished = {
    event: 'finished',
    position: 31,
    already: false,
    rows: 3_000_000,
    badRows: 0,
    result: { counters: {}, collected: null },
  } as const;
  const started = {
    event: 'started',
    job: 'flights',
    term: 1,
    workers: 2,
    store: '/srv/me/cp',
    from: null,
    pid: 1,
  } as const;

  it.each<[RunEvent, string | null]>([
    [started, 'Began a new run of flights in ./cp (2 workers)'],
    [{ ...started, from: 17 }, null],
    [
      { event: 'restored', cut: 20, position: 17, rows: 1_234_567, durationMs: 3 },
      'Going on from checkpoint 17 (1,234,567 rows done)',
    ],
    [finished, 'Finished: 3,000,000 rows in 1.9 s'],
    [{ ...finished, badRows: 12 }, 'Finished: 3,000,000 rows (12 bad rows left out) in 1.9 s'],
    [{ ...finished, already: true }, 'This job has finished already (checkpoint 31). --fresh begins again.'],
    [
      { event: 'stopped', position: 4, rows: 1 },
      'Stopped at checkpoint 4 (1 row done). The same command goes on from there.',
    ],
    [{ event: 'stopped', position: null, rows: 0 }, 'Stopped before there was anything to keep'],
    [{ event: 'warning', code: 'X', message: 'y' }, 'X: y'],
    [{ event: 'first-record', sinceStartMs: 3 }, null],
  ])('%j', (event, text) => {
    expect(sayEvent(event, context)?.text ?? null).toBe(text);
  });

  it('show places as a person would write them', () => {
    expect(placeText('file:///srv/me/my%20cp', '/srv/me')).toBe('./my cp');
    expect(placeText('/srv/melissa/cp', '/srv/me')).toBe('/srv/melissa/cp');
    expect(placeText('s3://bucket/cp', '/srv/me')).toBe('s3://bucket/cp');
    expect(placeText('./cp', '/srv/me')).toBe('./cp');
  });
});

describe('errors', () => {
  const coded = (code: string, message: string, cause?: unknown): Error =>
    Object.assign(new Error(message, { cause }), { code });

  it('of ours are a code and a message, with their causes', () => {
    const error = coded('STORE_FULL', 'no space', coded('ENOSPC', 'write failed'));
    expect(errorText(error, 'short')).toMatch(
      /^tidemark: STORE_FULL: no space\n {2}because: write failed( \(at .*\))?$/,
    );
    expect(errorText(coded('FENCED', 'lost'), 'with-stacks')).toMatch(/^tidemark: FENCED: lost\n {4}at /);
  });

  it('do not say twice what a cause says too, only where', () => {
    const cause = new TypeError('x is undefined');
    cause.stack = 'TypeError: x is undefined\n    at node:fs:1:1\n    at Mine.process (file:///mine/job.mjs:4:9)';
    const error = coded('PROCESS_THREW', 'process of key "k" threw: TypeError: x is undefined', cause);
    expect(errorText(error, 'short')).toBe(
      'tidemark: PROCESS_THREW: process of key "k" threw: TypeError: x is undefined\n  at Mine.process (file:///mine/job.mjs:4:9)',
    );
    cause.stack = undefined;
    expect(errorText(error, 'short')).not.toContain('\n');
  });

  it('that crossed a thread keep the name that they had there', () => {
    const cause = Object.assign(new Error('x is undefined'), { code: 'TypeError', name: 'RemoteError' });
    expect(errorText(coded('TURN_THREW', 'add-one threw', cause), 'short')).toMatch(
      'because: TypeError: x is undefined',
    );
    expect(errorText(cause, 'short')).toMatch(/^tidemark: UNEXPECTED: TypeError: x is undefined\n {4}at /);
  });

  it('end a circle of causes', () => {
    const error = coded('FENCED', 'a');
    error.cause = error;
    expect(errorText(error, 'short').split('\n').length).toBeLessThan(4);
  });

  it.each([undefined, null, 'text', Symbol('s'), Object.create(null)])('may be anything', (thrown: unknown) => {
    expect(errorText(thrown, 'short')).toMatch(/^tidemark: UNEXPECTED: something that is not an Error was thrown/);
  });
});
