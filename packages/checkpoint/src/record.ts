import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import type { KeepPolicy } from './keep.ts';
import type { TimedTraffic } from './traffic.ts';

/** Version of the record's format that this code writes. It reads this one and all before. */
export const RECORD_FORMAT = 3;

interface RecordHead {
  readonly format: number;
  readonly job: string;
  readonly position: number;
  /** sha256 of the predecessor's bytes as found; null for the first. */
  readonly previous: string | null;
  readonly term: number;
  /** Unique to this put: tells our own record from another's after a lost reply. */
  readonly putId: string;
  /** ISO 8601, for people. */
  readonly createdAt: string;
}

/** An owner begins: put before anything is processed. */
export interface TermRecord extends RecordHead {
  readonly kind: 'term';
  /** Position of the checkpoint that this term goes on from. */
  readonly from: number | 'fresh';
  readonly host: string;
  readonly pid: number;
  /** What the owner keeps, for those who want to know what it will remove. */
  readonly keep?: KeepPolicy;
}

/** One file of a part, or its bytes here. */
export type FileRef = {
  /** The cut that it was written for. */
  readonly cut: number;
  readonly length: number;
  readonly sha256: string;
} & ({ readonly path: string } | { readonly inline: string });

/** One thread's part: a full file, and what has changed since, file by file (C22). */
export interface PartRef {
  readonly thread: number;
  readonly files: readonly FileRef[];
}

/** How an attempt went, up to the put of its record. Times are milliseconds since it began. */
export interface CutHistory {
  readonly durationMs: number;
  readonly pauseMs: number;
  readonly skewMs: number;
  readonly units: number;
  readonly messages: number;
  readonly frames: number;
  readonly bytes: number;
  /** Records of older versions do not tell it. */
  readonly slowest?: SlowestThread;
  readonly threads?: readonly ThreadHistory[];
  /**
   * What the owner has asked of its store since the record before, its put and what retention removed included; not there
   * where the store does not count.
   */
  readonly traffic?: TimedTraffic;
}

/** One thread's share of it. */
export interface ThreadHistory {
  readonly thread: number;
  /** When it entered the cut. */
  readonly flipMs: number;
  /** When the last marker of another thread had come. */
  readonly markersMs: number;
  /** When all units and mailboxes were captured. */
  readonly capturedMs: number;
  /** When its part was complete. */
  readonly doneMs: number;
  /** When its part was durable, or here for the record. */
  readonly storedMs: number;
  /** What it spent on capturing between turns, together; what a turn touches first is captured within that turn. */
  readonly encodeMs: number;
  /** Longest stretch without a turn because of the cut; collections of garbage and time without a core are not counted. */
  readonly pauseMs: number;
  /** Collections of garbage meanwhile, together. */
  readonly collectMs?: number;
  /** For how long the thread was ready and had no core meanwhile, together; 0 where the system does not tell. */
  readonly preemptMs?: number;
  readonly units: number;
  readonly messages: number;
  readonly frames: number;
  readonly bytes: number;
  /** Of the file that it wrote, compressed where parts are. */
  readonly storedBytes: number;
  /** Those that had units, the most bytes first, 20 at most. */
  readonly definitions: readonly DefinitionCount[];
}

export interface DefinitionCount {
  readonly name: string;
  readonly units: number;
  readonly bytes: number;
}

/** Who was last, and what took it longest. */
export interface SlowestThread {
  readonly thread: number;
  /** Until it entered the cut, until all markers had come, until all was captured, or until it was durable. */
  readonly why: 'flip' | 'markers' | 'capture' | 'upload';
  readonly ms: number;
  /** Of `markers`: whose came last. */
  readonly waitedFor: number | null;
}

/** An attempt that came to nothing. */
export interface FailedAttempt {
  readonly cut: number;
  readonly code: string;
  /** What follows, records of older versions do not tell. */
  readonly message?: string;
  /** Code of what was behind it: a store's. */
  readonly cause?: string;
  /** ISO 8601, for people. */
  readonly beganAt?: string;
  readonly durationMs?: number;
  /** Threads that had not entered the cut: as long as one has not, no other can complete its part. */
  readonly outside?: readonly number[];
  /** Threads whose part was not durable. */
  readonly missing?: readonly number[];
}

/** What could not be in the record before this one: how long it took to put. */
export interface PublishedBefore {
  readonly position: number;
  readonly publishMs: number;
}

/** A consistent state of the whole system. */
export interface CheckpointRecord extends RecordHead {
  readonly kind: 'checkpoint';
  readonly cut: number;
  /** Names and versions of the definitions whose units are in the parts. */
  readonly definitions: Readonly<Record<string, number>>;
  readonly parts: readonly PartRef[];
  /** Carries sink batches or answers that this record releases. */
  readonly releases: boolean;
  /** A bounded job has ended with this record. */
  readonly finished: boolean;
  /** What the layer above keeps with it: plan of the inputs, result. */
  readonly app: unknown;
  readonly history: CutHistory;
  /** Attempts since the last record that came to nothing, the newest 100. */
  readonly failed: readonly FailedAttempt[];
  /** Of this term; null for its first record. */
  readonly before?: PublishedBefore | null;
}

/** In a log of copies: what lies between two of them is left out. */
export interface GapRecord extends RecordHead {
  readonly kind: 'gap';
  /** The position after this record. */
  readonly next: number;
}

export type LogRecord = TermRecord | CheckpointRecord | GapRecord;

/** Where the record after this one belongs. */
export function positionAfter(record: LogRecord): number {
  return record.kind === 'gap' ? record.next : record.position + 1;
}

/** A file that a record names. */
export type StoredFile = Extract<FileRef, { readonly path: string }>;

/** All objects that a checkpoint needs beside its record. */
export function storedFiles(record: CheckpointRecord): StoredFile[] {
  return record.parts.flatMap(({ files }) => files.filter((file): file is StoredFile => 'path' in file));
}

/** Their names, below the job's. */
export function filesOf(record: CheckpointRecord): string[] {
  return storedFiles(record).map(({ path }) => path);
}

/** What a caller gives; the log adds the rest. */
export type RecordBody = Omit<TermRecord, keyof RecordHead> | Omit<CheckpointRecord, keyof RecordHead>;

/** JSON, a line feed, the sha256 of what stands before the line feed, a line feed. */
export function encodeRecord(record: LogRecord): Uint8Array {
  const text = JSON.stringify(record);
  return new TextEncoder().encode(`${text}\n${sha256(new TextEncoder().encode(text))}\n`);
}

const TRAILER_BYTES = 1 + 64 + 1;

/**
 * Verifies and reads a record.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` saying what is wrong, `CHECKPOINT_INCOMPATIBLE` for another format
 */
export function decodeRecord(bytes: Uint8Array, name: string): LogRecord {
  const text = bytes.subarray(0, Math.max(0, bytes.length - TRAILER_BYTES));
  const trailer = new TextDecoder('latin1').decode(bytes.subarray(text.length));
  if (bytes.length <= TRAILER_BYTES || trailer !== `\n${sha256(text)}\n`) {
    throw new CheckpointError(
      'CHECKPOINT_DAMAGED',
      `${name}: the sha256 at its end does not fit its ${bytes.length} bytes`,
    );
  }
  const record = JSON.parse(new TextDecoder().decode(text)) as LogRecord;
  // Boundaries and marks are sealed in the same way: one of them in the place of a record is no newer format.
  if (typeof record.format !== 'number') {
    throw new CheckpointError(
      'CHECKPOINT_DAMAGED',
      `${name} holds something that is no record: it was moved or copied`,
    );
  }
  if (record.format === 1) return fromFormat1(record);
  // Format 2 has all but one codec of frames.
  if (record.format === 2 || record.format === RECORD_FORMAT) return record;
  throw new CheckpointError(
    'CHECKPOINT_INCOMPATIBLE',
    `${name} has format ${record.format}; this version of Tidemark reads formats 1 to ${RECORD_FORMAT}`,
  );
}

/** In format 1 a part was one file. */
function fromFormat1(record: LogRecord): LogRecord {
  if (record.kind !== 'checkpoint') return record;
  const { cut } = record;
  const old = record.parts as unknown as readonly ({ readonly thread: number } & FileRef)[];
  return { ...record, parts: old.map(({ thread, ...file }) => ({ thread, files: [{ ...file, cut }] })) };
}
