import type { StoredPart } from './collector.ts';
import { StoreError } from '@tidemark/stores';
import { codeOf } from './errors.ts';
import { DEFINITIONS_TOLD_MAX, DEFINITIONS_TOLD_SUM, FAILED_TEXT_MAX } from './limits.ts';
import type { CutHistory, FailedAttempt, SlowestThread, ThreadHistory } from './record.ts';

/** A part, and when it was durable: monotonic milliseconds. */
export interface TimedPart extends StoredPart {
  readonly storedAt: number;
}

/** How an attempt went whose parts are all durable, for its own record. Times are milliseconds since it began. */
export function cutHistory(beganAt: number, nowMs: number, parts: ReadonlyMap<number, TimedPart>): CutHistory {
  const told = Math.max(1, Math.min(DEFINITIONS_TOLD_MAX, Math.floor(DEFINITIONS_TOLD_SUM / parts.size)));
  const threads = [...parts]
    .sort(([a], [b]) => a - b)
    .map(([thread, part]) => threadHistory(thread, part, beganAt, told));
  const flips = threads.map(({ flipMs }) => flipMs);
  const sum = (field: 'units' | 'messages' | 'frames' | 'bytes'): number =>
    threads.reduce((total, thread) => total + thread[field], 0);
  return {
    durationMs: round(nowMs - beganAt),
    pauseMs: Math.max(...threads.map(({ pauseMs }) => pauseMs)),
    skewMs: round(Math.max(...flips) - Math.min(...flips)),
    units: sum('units'),
    messages: sum('messages'),
    frames: sum('frames'),
    bytes: sum('bytes'),
    slowest: slowest(parts, beganAt),
    threads,
  };
}

/** An attempt that came to nothing, for the next record. */
export function failedAttempt(
  cut: number,
  error: Error,
  { beganAtWall, durationMs }: { readonly beganAtWall: number; readonly durationMs: number },
  got: {
    readonly threads: number;
    readonly flipped: ReadonlySet<number>;
    readonly parts: ReadonlyMap<number, TimedPart>;
  },
): FailedAttempt {
  const all = Array.from({ length: got.threads }, (_, thread) => thread);
  const missing = all.filter((thread) => !got.parts.has(thread));
  return {
    cut,
    code: codeOf(error),
    ...(error.cause instanceof StoreError ? { cause: error.cause.code } : {}),
    message: error.message.slice(0, FAILED_TEXT_MAX),
    beganAt: new Date(beganAtWall).toISOString(),
    durationMs: round(durationMs),
    outside: missing.filter((thread) => !got.flipped.has(thread)),
    missing,
  };
}

function threadHistory(
  thread: number,
  { stats, storedAt, ref }: TimedPart,
  beganAt: number,
  told: number,
): ThreadHistory {
  const { units, messages, frames, bytes, definitions } = stats;
  const since = (at: number): number => round(at - beganAt);
  return {
    thread,
    flipMs: since(stats.flippedAt),
    markersMs: since(stats.markersAt),
    capturedMs: since(stats.capturedAt),
    doneMs: since(stats.doneAt),
    storedMs: since(storedAt),
    encodeMs: round(stats.encodeMs),
    pauseMs: round(stats.pauseMs),
    collectMs: round(stats.collectMs),
    preemptMs: round(stats.preemptMs),
    units,
    messages,
    frames,
    bytes,
    storedBytes: ref.length,
    definitions: [...definitions].sort((a, b) => b.bytes - a.bytes).slice(0, told),
  };
}

/** The thread whose part was durable last, and the longest of its stretches. */
function slowest(parts: ReadonlyMap<number, TimedPart>, beganAt: number): SlowestThread {
  const [thread, { stats, storedAt }] = [...parts].reduce((a, b) => (b[1].storedAt > a[1].storedAt ? b : a));
  const { flippedAt, markersAt, capturedAt, doneAt, lastMarker } = stats;
  const isMarkers = markersAt > capturedAt;
  const stretches = [
    { why: 'flip', ms: flippedAt - beganAt },
    { why: isMarkers ? 'markers' : 'capture', ms: doneAt - flippedAt },
    { why: 'upload', ms: storedAt - doneAt },
  ] as const;
  const { why, ms } = stretches.reduce((a, b) => (b.ms > a.ms ? b : a));
  return { thread, why, ms: round(ms), waitedFor: why === 'markers' ? lastMarker : null };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
