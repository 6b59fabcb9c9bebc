import type { Store } from '@tidemark/stores';
import { damageOf } from './damage.ts';
import { CheckpointError } from './errors.ts';
import { sha256 } from './hash.ts';
import { logName } from './log.ts';
import { decodeRecord, type LogRecord } from './record.ts';

/** A record as it was found, with the hash that its successor must name. */
export type FoundRecord =
  | {
      readonly position: number;
      readonly ok: true;
      readonly record: LogRecord;
      readonly hash: string;
      /** Length of the record itself. */
      readonly bytes: number;
    }
  | { readonly position: number; readonly ok: false; readonly error: CheckpointError };

/** Reads what stands at a position, and verifies it by itself. */
export async function readRecord(store: Store, job: string, position: number): Promise<FoundRecord> {
  const name = logName(job, position);
  try {
    const bytes = await store.get(name);
    const record = decodeRecord(bytes, name);
    if (record.position !== position || record.job !== job) {
      const found = `position ${record.position} of job '${record.job}'`;
      throw new CheckpointError('CHECKPOINT_DAMAGED', `${name} says that it is ${found}: it was moved or copied`);
    }
    return { position, ok: true, record, hash: sha256(bytes), bytes: bytes.length };
  } catch (error) {
    return { position, ok: false, error: damageOf(error, name) };
  }
}
