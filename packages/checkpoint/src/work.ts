import { WORK_FIELDS } from '@tidemark/actors/internal';

/** What all threads have done since they began. */
export interface WorkDone {
  /** Messages and rows that were handled. */
  readonly records: number;
  /** Of inputs read, and of messages that came from another thread. */
  readonly bytes: number;
}

export const NO_WORK: WorkDone = { records: 0, bytes: 0 };

/** Memory in which each thread counts what it does, and which the host reads. */
export function sharedWork(threads: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * WORK_FIELDS * threads));
}

/** A thread writes its two numbers once a slice: a sum may be a slice old, which is near enough. */
export function workDone(shared: Float64Array): WorkDone {
  let records = 0;
  let bytes = 0;
  for (let at = 0; at < shared.length; at += WORK_FIELDS) {
    records += shared[at];
    bytes += shared[at + 1];
  }
  return { records, bytes };
}
