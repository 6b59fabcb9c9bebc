import type { CheckpointRecord, TermRecord } from '@tidemark/checkpoint/internal';

/** A checkpoint record with what a test says of it. */
export function recordOf(given: Partial<CheckpointRecord> = {}): CheckpointRecord {
  return {
    format: 3,
    kind: 'checkpoint',
    job: 'main',
    position: 1,
    previous: null,
    term: 1,
    putId: 'put',
    createdAt: '2026-01-01T00:00:00.000Z',
    cut: 1,
    definitions: {},
    parts: [],
    releases: false,
    finished: false,
    app: null,
    history: { durationMs: 0, pauseMs: 0, skewMs: 0, units: 0, messages: 0, frames: 0, bytes: 0 },
    failed: [],
    ...given,
  };
}

/** A term record with what a test says of it. */
export function termOf(given: Partial<TermRecord> = {}): TermRecord {
  return {
    format: 3,
    kind: 'term',
    job: 'main',
    position: 1,
    previous: null,
    term: 1,
    putId: 'put',
    createdAt: '2026-01-01T00:00:00.000Z',
    from: 'fresh',
    host: 'somewhere',
    pid: 1,
    ...given,
  };
}
