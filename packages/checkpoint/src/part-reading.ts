import type { FileBytes } from '@tidemark/actors/internal';
import { StoreError, type Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import { mergeFiles, type PartContent, type PartFileContent, readPart } from './part.ts';
import type { CheckpointRecord, FileRef, PartRef } from './record.ts';

/** The bytes of a file, if this process has them. */
export type InMemory = (ref: FileRef) => FileBytes | undefined;

const NOTHING: InMemory = () => undefined;

/** Reads and verifies all parts of a checkpoint, in parallel. */
export async function readParts(store: Store, job: string, record: CheckpointRecord): Promise<PartContent[]> {
  return Promise.all(record.parts.map((part) => readVerifiedPart(store, job, record, part)));
}

/**
 * Reads and verifies the files of one part, and puts them together (C22). The store is not asked for those in memory.
 *
 * @throws CheckpointError `CHECKPOINT_DAMAGED` saying what is wrong with which file, `COMPRESSION_UNAVAILABLE`
 */
export async function readVerifiedPart(
  store: Store,
  job: string,
  record: CheckpointRecord,
  part: PartRef,
  inMemory: InMemory = NOTHING,
): Promise<PartContent> {
  const files = await Promise.all(
    part.files.map(async (ref) => {
      // What never left this process need not be verified again.
      const bytes = inMemory(ref);
      return bytes === undefined ? readVerifiedFile(store, job, record, part.thread, ref) : readPart(bytes, true);
    }),
  );
  for (const [i, { base }] of files.entries()) assertBuildsOn(job, record, part, i, base);
  return mergeFiles(files);
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` when a file builds on another than the one that the record names before it */
export function assertBuildsOn(job: string, record: CheckpointRecord, part: PartRef, i: number, base: number): void {
  const expected = i === 0 ? 0 : part.files[i - 1].cut;
  if (base === expected) return;
  const what = base === 0 ? 'is a full file' : `builds on cut ${base}`;
  const name = fileName(job, record, part.thread, part.files[i]);
  throw damaged(record, name, `${what}, and the record names the file of cut ${expected} before it`);
}

/** Name of the object that holds a file, for messages too. */
export function fileName(job: string, record: CheckpointRecord, thread: number, ref: FileRef): string {
  return 'path' in ref ? `${job}/${ref.path}` : `part of thread ${thread} in record ${record.position}`;
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` saying what is wrong with the file, `COMPRESSION_UNAVAILABLE` */
export async function readVerifiedFile(
  store: Store,
  job: string,
  record: CheckpointRecord,
  thread: number,
  ref: FileRef,
): Promise<PartFileContent> {
  const name = fileName(job, record, thread, ref);
  let bytes: Uint8Array;
  try {
    bytes = 'path' in ref ? await store.get(name) : Buffer.from(ref.inline, 'base64');
  } catch (cause) {
    if (cause instanceof StoreError && cause.kind === 'absent') throw damaged(record, name, 'is missing', cause);
    throw cause;
  }
  if (bytes.length !== ref.length) throw damaged(record, name, `has ${bytes.length} bytes, not ${ref.length}`);
  if (sha256(bytes) !== ref.sha256) throw damaged(record, name, 'has another sha256 than its record says');
  try {
    return readPart(bytes, true);
  } catch (cause) {
    // Not damage: it is whole, and cannot be read here.
    if (cause instanceof CheckpointError) throw cause;
    throw damaged(record, name, 'cannot be read', cause);
  }
}

function damaged(record: CheckpointRecord, name: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError('CHECKPOINT_DAMAGED', `checkpoint ${record.position}: ${name} ${what}`, { cause });
}
