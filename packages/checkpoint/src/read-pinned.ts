import type { Store } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';
import { logName } from './log.ts';
import { pinAt, type Pin } from './pin.ts';
import { type FoundRecord, readRecord } from './read-record.ts';
import type { CheckpointRecord } from './record.ts';

/** A marked checkpoint's record, which its pin vouches for; or what is wrong with either. */
export type FoundPinned =
  | (Extract<FoundRecord, { readonly ok: true }> & { readonly record: CheckpointRecord; readonly pin: Pin })
  | Extract<FoundRecord, { readonly ok: false }>;

/** Reads a marked checkpoint's record. Below the boundary the chain of records is broken: the hash in the pin takes its place. */
export async function readPinned(store: Store, job: string, position: number): Promise<FoundPinned> {
  const found = await readRecord(store, job, position);
  if (!found.ok) return found;
  const pin = await pinAt(store, job, position);
  const name = logName(job, position);
  const damage = (what: string): FoundPinned => {
    return { position, ok: false, error: new CheckpointError('CHECKPOINT_DAMAGED', `${name} ${what}`) };
  };
  if (pin === null) return damage('is not pinned any more');
  if ('error' in pin) return { position, ok: false, error: pin.error };
  if (pin.pin.hash !== found.hash) return damage('has other bytes than its pin says');
  if (found.record.kind !== 'checkpoint') return damage('is pinned, and no checkpoint');
  return { ...found, record: found.record, pin: pin.pin };
}
