import type { Store } from '@tidemark/stores';
import { damageOf } from '../damage.ts';
import { CheckpointError } from '../errors.ts';
import type { PartContent } from '../part.ts';
import { readVerifiedPart } from '../part-reading.ts';
import { readRecord } from '../read-record.ts';
import type { CheckpointRecord, PartRef } from '../record.ts';
import { jobInStore } from './jobs-in-store.ts';
import { type LogView, publishMsOf, readLog } from './log-view.ts';
import { type PinNote, readPins } from './pins-view.ts';

/** One part as it was found. */
export type PartView = { readonly ref: PartRef } & (
  | { readonly ok: true; readonly content: PartContent }
  | { readonly ok: false; readonly error: CheckpointError }
);

/** A checkpoint with all that can be read of it. */
export interface CheckpointView {
  readonly job: string;
  readonly record: CheckpointRecord;
  /** sha256 of the record's bytes. */
  readonly hash: string;
  readonly parts: readonly PartView[];
  /** Why it stays, wherever the boundary is; null when nothing says so. */
  readonly pin: PinNote | null;
  /** How long its record took to put, which the next one tells; null when none does. */
  readonly publishMs: number | null;
}

/** Which checkpoint: `job` null for the only one of the store, `position` null for the newest of the log's line. */
export interface WhichCheckpoint {
  readonly job: string | null;
  readonly position: number | null;
}

/**
 * Reads a checkpoint and its parts. A part that is damaged is told, and the others are there all the same.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` when its record cannot be read, `CHECKPOINT_UNKNOWN` when there is none
 */
export async function readCheckpoint(store: Store, which: WhichCheckpoint): Promise<CheckpointView> {
  const job = await jobInStore(store, which.job);
  const position = which.position ?? newestPosition(await readLog(store, job), store.url);
  const found = await readRecord(store, job, position);
  if (!found.ok) throw await unknownOrDamaged(store, job, position, found.error);
  const { record, hash } = found;
  if (record.kind !== 'checkpoint') {
    throw new CheckpointError(
      'CHECKPOINT_UNKNOWN',
      `position ${position} is the begin of term ${record.term}, no checkpoint`,
    );
  }
  const parts = await Promise.all(record.parts.map((ref) => partOf(store, job, record, ref)));
  const { pins } = await readPins(store, job);
  const publishMs = publishMsOf(position, await readRecord(store, job, position + 1));
  return { job, record, hash, parts, pin: pins.get(position) ?? null, publishMs };
}

async function partOf(store: Store, job: string, record: CheckpointRecord, ref: PartRef): Promise<PartView> {
  try {
    return { ref, ok: true, content: await readVerifiedPart(store, job, record, ref) };
  } catch (error) {
    return { ref, ok: false, error: damageOf(error, `part of thread ${ref.thread} of checkpoint ${record.position}`) };
  }
}

/** The newest checkpoint that a start would look at. */
function newestPosition(log: LogView, url: string): number {
  for (const line of log.lines) {
    if (line.standing === 'abandoned' || line.kind === 'term') continue;
    if (line.kind === 'checkpoint') return line.position;
    const what =
      line.kind === 'damaged' ? line.error.message : `record ${line.position} of job '${log.job}' is missing`;
    throw new CheckpointError('CHECKPOINT_DAMAGED', `${what}. Name an older checkpoint by its position.`);
  }
  throw new CheckpointError('CHECKPOINT_UNKNOWN', `there is no checkpoint of job '${log.job}' in ${url} yet`);
}

/** A record that is not there is damage only where one must be. */
export async function unknownOrDamaged(
  store: Store,
  job: string,
  position: number,
  error: CheckpointError,
): Promise<CheckpointError> {
  const { lines } = await readLog(store, job);
  const covers = lines.find((line) => line.position >= position && oldestOf(line) <= position);
  if (covers !== undefined) return error;
  const known = lines.filter((line) => line.kind === 'checkpoint').map((line) => line.position);
  const range = known.length === 0 ? 'there are none' : `there are ${known.at(-1)} to ${known[0]}`;
  return new CheckpointError(
    'CHECKPOINT_UNKNOWN',
    `there is no checkpoint at position ${position} of job '${job}' in ${store.url}; ${range}`,
  );
}

function oldestOf(line: LogView['lines'][number]): number {
  return line.kind === 'missing' ? line.oldest : line.position;
}
