import { charactersIn, utf8Slice } from './bytes.ts';
import { badRowTextMax } from './limits.ts';
import type { BadRow } from './row-parser.ts';

/** Where and why a row stops making sense. */
export interface RowFault {
  /** Of the first byte that is not as it should be. */
  readonly at: number;
  readonly reason: string;
}

/** A bad row of the bytes from `start` to `end`, without its line end. */
export function badRow(bytes: Buffer, start: number, end: number, fault: RowFault): BadRow {
  const text = utf8Slice(bytes, start, Math.min(end, start + badRowTextMax * 4)).slice(0, badRowTextMax);
  return { offset: start, column: charactersIn(bytes, start, fault.at) + 1, reason: fault.reason, text };
}
