import type { Store } from '@tidemark/stores';
import { type Boundary, boundaryName, boundaryPositions, decodeBoundary } from '../boundary.ts';
import { damageOf, isAbsent } from '../damage.ts';
import { CheckpointError } from '../errors.ts';
import { READ_AT_ONCE } from '../limits.ts';
import { logName } from '../log.ts';
import { type FoundRecord, readRecord } from '../read-record.ts';
import { type CheckpointRecord, positionAfter, type TermRecord } from '../record.ts';
import { type PinNote, type PinsView, readPins } from './pins-view.ts';

/**
 * Whether a start would come by a record: `line`, or whether a later term has gone on from before it: `abandoned`
 * (C14). `unknown` below a record that cannot be read: it may have been a term that left this out.
 */
export type Standing = 'line' | 'abandoned' | 'unknown';

interface LineHead {
  readonly position: number;
  readonly standing: Standing;
}

/** A term record, or what a list of checkpoints shows of one; the bytes of its parts are not kept. */
export type LogLine =
  | (LineHead & { readonly kind: 'term'; readonly record: TermRecord })
  | (LineHead & {
      readonly kind: 'checkpoint';
      readonly record: Omit<CheckpointRecord, 'parts' | 'app'>;
      /** How long its record took to put, which the next one tells; null when none does. */
      readonly publishMs: number | null;
      /** Of all parts, in bytes. */
      readonly bytes: number;
      readonly workers: number;
      /** Why it stays, wherever the boundary is; null when nothing says so. */
      readonly pin: PinNote | null;
    })
  | (LineHead & { readonly kind: 'damaged'; readonly error: CheckpointError })
  /** Records that should be there: from `oldest` to `position`. */
  | (LineHead & { readonly kind: 'missing'; readonly oldest: number });

/** A log as it lies in a store. */
export interface LogView {
  readonly job: string;
  /** Below it records may be gone; null when none was ever removed. */
  readonly boundary: Boundary | null;
  /** What is wrong with the highest boundary; null when nothing is. */
  readonly boundaryError: CheckpointError | null;
  /** What is wrong with pins. */
  readonly pinErrors: readonly CheckpointError[];
  /** Oldest position from which on all must be there; below it only what is pinned. */
  readonly first: number;
  /** Newest first. */
  readonly lines: readonly LogLine[];
}

/**
 * Reads all records of a log, damaged ones included. Reads no parts.
 *
 * @param look is given each record as it is read, newest first, and waited for
 * @throws StoreError when the store cannot be read; a record that is wrong is a line of its own
 */
export async function readLog(store: Store, job: string, look: LookAtRecord = nothing): Promise<LogView> {
  const bare: BareLine[] = [];
  const seen = new Set<number>();
  let above: FoundRecord | null = null;
  for await (const found of recordsOf(store, job)) {
    // Removed since it was listed, or lost: the gap tells.
    if (!found.ok && isAbsent(found.error)) continue;
    // What copies leave out is not missed.
    const oldest = found.ok ? positionAfter(found.record) : found.position + 1;
    if (above !== null && above.position > oldest) bare.push({ kind: 'missing', position: above.position - 1, oldest });
    const broken = above !== null && breaksChain(found, above);
    await look(found, broken);
    if (broken) bare.push({ kind: 'damaged', position: found.position, error: chainError(job, found.position) });
    else bare.push(...lineOf(found, publishMsOf(found.position, above)));
    above = found;
    seen.add(found.position);
  }
  // Looked at last: what a running owner removes meanwhile lies below it (C19).
  const { boundary, boundaryError, first } = await highestBoundary(store, job);
  const hadRecords = boundary !== null || boundaryError !== null;
  const lowest = above?.position ?? (hadRecords ? first + 1 : first);
  if (lowest > first) bare.push({ kind: 'missing', position: lowest - 1, oldest: first });
  const { pins, errors: pinErrors } = await readPins(store, job);
  const lines = bare.flatMap((line) => expected(line, first)).map((line) => withPin(line, pins));
  for (const position of pins.keys()) {
    if (position < first && !seen.has(position)) lines.push({ kind: 'missing', position, oldest: position });
  }
  lines.sort((a, b) => b.position - a.position);
  return { job, boundary, boundaryError, pinErrors, first, lines: withStanding(lines) };
}

function withPin(line: BareLine, pins: PinsView['pins']): BareLine {
  return line.kind === 'checkpoint' ? { ...line, pin: pins.get(line.position) ?? null } : line;
}

/** Is told of a record, and whether its successor names other bytes. */
export type LookAtRecord = (found: FoundRecord, brokenChain: boolean) => Promise<void>;

async function nothing(): Promise<void> {}

/** All records that lie in the log, newest first, some read at once. */
async function* recordsOf(store: Store, job: string): AsyncGenerator<FoundRecord> {
  const positions = await positionsIn(store, job);
  for (let end = positions.length; end > 0; end -= READ_AT_ONCE) {
    const some = positions.slice(Math.max(0, end - READ_AT_ONCE), end).toReversed();
    yield* await Promise.all(some.map((position) => readRecord(store, job, position)));
  }
}

/** Whether a successor names other bytes than those that are there. */
export function breaksChain(found: FoundRecord, successor: FoundRecord): boolean {
  if (!found.ok || !successor.ok || successor.position !== found.position + 1) return false;
  // A record that comes after a gap was written after another one, which is left out here.
  if (found.record.kind === 'gap') return false;
  return successor.record.previous !== null && successor.record.previous !== found.hash;
}

export function chainError(job: string, position: number): CheckpointError {
  const name = logName(job, position);
  return new CheckpointError('CHECKPOINT_DAMAGED', `${name} is not the record that its successor was written after`);
}

async function positionsIn(store: Store, job: string): Promise<number[]> {
  const names = await store.list(`${job}/log/`);
  return names.flatMap((name) => (/\/\d{20}$/.test(name) ? Number(name.slice(-20)) : []));
}

async function highestBoundary(
  store: Store,
  job: string,
): Promise<Pick<LogView, 'boundary' | 'boundaryError' | 'first'>> {
  const first = (await boundaryPositions(store, job)).at(-1);
  if (first === undefined) return { boundary: null, boundaryError: null, first: 1 };
  const name = boundaryName(job, first);
  try {
    return { boundary: decodeBoundary(await store.get(name), name), boundaryError: null, first };
  } catch (error) {
    return { boundary: null, boundaryError: damageOf(error, name), first };
  }
}

type WithoutStanding<T> = T extends LogLine ? Omit<T, 'standing'> : never;
type BareLine = WithoutStanding<LogLine>;

/** None for what copies leave out. */
function lineOf(found: FoundRecord, publishMs: number | null): readonly BareLine[] {
  const { position } = found;
  if (!found.ok) return [{ kind: 'damaged', position, error: found.error }];
  if (found.record.kind === 'gap') return [];
  if (found.record.kind === 'term') return [{ kind: 'term', position, record: found.record }];
  const { parts, app: _app, ...record } = found.record;
  // What this checkpoint has written: its newest file of each part.
  const bytes = parts.reduce((total, { files }) => total + (files.at(-1)?.length ?? 0), 0);
  // The host is a thread with a part, and no worker.
  return [{ kind: 'checkpoint', position, record, publishMs, bytes, workers: parts.length - 1, pin: null }];
}

/** How long the record at a position took to put, as its successor tells; null when that one does not. */
export function publishMsOf(position: number, successor: FoundRecord | null): number | null {
  if (successor?.ok !== true || successor.record.kind !== 'checkpoint') return null;
  const { before } = successor.record;
  return before?.position === position ? before.publishMs : null;
}

/** Below the boundary a record may be gone; what lies there still is shown. */
function expected(line: BareLine, first: number): readonly BareLine[] {
  if (line.kind !== 'missing') return [line];
  return line.position < first ? [] : [{ ...line, oldest: Math.max(line.oldest, first) }];
}

function withStanding(lines: readonly BareLine[]): LogLine[] {
  let next = lines[0]?.position ?? 0;
  let sure = true;
  return lines.map((line): LogLine => {
    if (line.position > next) return { ...line, standing: sure ? 'abandoned' : 'unknown' };
    const standing = sure ? 'line' : 'unknown';
    if (line.kind === 'term') next = line.record.from === 'fresh' ? 0 : line.record.from;
    else next = (line.kind === 'missing' ? line.oldest : line.position) - 1;
    if (line.kind === 'damaged' || line.kind === 'missing') sure = false;
    return { ...line, standing };
  });
}
