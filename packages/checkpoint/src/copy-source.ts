import { createHash } from 'node:crypto';
import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import { COPY_BYTES } from './limits.ts';
import { logName } from './log.ts';
import { type CheckpointRecord, decodeRecord, type StoredFile, storedFiles } from './record.ts';

/** A checkpoint to copy. */
export interface CopySource {
  readonly record: CheckpointRecord;
  /** The record as it lies in the store. */
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly files: readonly StoredFile[];
  /** The bytes of one of its files, piece by piece; throws at the end when they are not what the record says. */
  read(file: StoredFile): AsyncIterable<Uint8Array>;
}

/** @throws CheckpointError `CHECKPOINT_DAMAGED` */
export async function readSource(store: Store, job: string, position: number): Promise<CopySource> {
  const name = logName(job, position);
  const bytes = await store.get(name);
  const record = decodeRecord(bytes, name);
  if (record.kind !== 'checkpoint') throw new CheckpointError('CHECKPOINT_UNKNOWN', `${name} is no checkpoint`);
  return {
    record,
    bytes,
    hash: sha256(bytes),
    files: storedFiles(record),
    read: (file) => verified(store, job, file),
  };
}

/** In pieces, so that neither memory nor the host's turns suffer from a large file. */
async function* verified(
  store: Store,
  job: string,
  { path, length, sha256: expected }: StoredFile,
): AsyncIterable<Uint8Array> {
  const name = `${job}/${path}`;
  const hash = createHash('sha256');
  for (let offset = 0; offset < length; ) {
    const piece = await store.get(name, { offset, length: Math.min(COPY_BYTES, length - offset) });
    if (piece.length === 0)
      throw new CheckpointError('CHECKPOINT_DAMAGED', `${name} has ${offset} bytes, not ${length}`);
    hash.update(piece);
    offset += piece.length;
    yield piece;
  }
  if (hash.digest('hex') === expected) return;
  throw new CheckpointError('CHECKPOINT_DAMAGED', `${name} has another sha256 than its record says`);
}
