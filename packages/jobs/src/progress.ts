import type { Progress } from './run-events.ts';

/** Numbers of one thread in the shared array, in this order: as of now, and as of its last flip. */
const ROWS = 0;
const BAD_ROWS = 1;
const BYTES = 2;
const ROWS_AT_CUT = 3;
const BAD_ROWS_AT_CUT = 4;
const FIELDS = 5;

/** Rows that a checkpoint holds as done. */
export interface RowsDone {
  readonly rows: number;
  readonly badRows: number;
}

/** Memory that `noteProgress` and `noteCut` of the workers write and the host reads. */
export function sharedProgress(workers: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * FIELDS * (workers + 1)));
}

/** What a worker's splits have come to. */
export function noteProgress(shared: Float64Array, thread: number, rows: number, bad: number, bytes: number): void {
  const at = thread * FIELDS;
  shared[at + ROWS] = rows;
  shared[at + BAD_ROWS] = bad;
  shared[at + BYTES] = bytes;
}

/** The worker flips: what it has done now is what the checkpoint of this cut will hold. */
export function noteCut(shared: Float64Array, thread: number): void {
  const at = thread * FIELDS;
  shared[at + ROWS_AT_CUT] = shared[at + ROWS];
  shared[at + BAD_ROWS_AT_CUT] = shared[at + BAD_ROWS];
}

export function progressNow(shared: Float64Array): Omit<Progress, 'bytesTotal'> {
  return { rows: sum(shared, ROWS), badRows: sum(shared, BAD_ROWS), bytesRead: sum(shared, BYTES) };
}

/** Exact while a record is put: all threads have flipped for it, and the next cut has not begun (C7). */
export function rowsAtCut(shared: Float64Array): RowsDone {
  return { rows: sum(shared, ROWS_AT_CUT), badRows: sum(shared, BAD_ROWS_AT_CUT) };
}

function sum(shared: Float64Array, field: number): number {
  let total = 0;
  for (let at = field; at < shared.length; at += FIELDS) total += shared[at];
  return total;
}
