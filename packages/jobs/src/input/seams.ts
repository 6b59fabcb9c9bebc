/**
 * Finds where a file may be cut: offsets at which a row begins.
 *
 * In CSV a line feed within quotes is no row's end, and no byte tells by itself whether it lies within quotes: that
 * depends on all quotes before it. So the file is read once, at the speed of a search for one byte. Counting quotes and
 * cutting where their number is even would not do: a bare quote in an unquoted field, as in `5" pipe,2`, makes all that
 * follows odd. The search here follows the grammar of csv-careful-row.ts instead, in which such a quote is text.
 */
import { lineFeed, quote } from './bytes.ts';
import type { OpenFile } from './file-access.ts';
import { readUpTo } from './input-files.ts';
import { lineChunkBytes, seamChunkBytes } from './limits.ts';

/** Where it is searched: rows from `start` to `end` of a file, wanted in about `count` pieces. */
export interface SeamSearch {
  readonly handle: OpenFile;
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Seams of a file in which each line is a row: the first at or after each `count`-th of the bytes. */
export async function lineSeams({ handle, start, end, count }: SeamSearch): Promise<readonly number[]> {
  const seams: number[] = [];
  const bytes = Buffer.allocUnsafe(lineChunkBytes);
  for (const target of targetsOf(start, end, count)) {
    if (target <= (seams.at(-1) ?? start)) continue;
    // The line feed may be the byte before the target, which is then itself a seam.
    for (let at = target - 1; at < end; at += bytes.length) {
      const have = await readUpTo(handle, bytes, at);
      const found = bytes.subarray(0, have).indexOf(lineFeed);
      if (found < 0 && have > 0) continue;
      if (found >= 0 && at + found + 1 < end) seams.push(at + found + 1);
      break;
    }
  }
  return seams;
}

/** Seams of a CSV file. Reads from `start`, where a row begins, to the last seam. */
export async function csvSeams(
  { handle, start, end, count }: SeamSearch,
  delimiter: number,
): Promise<readonly number[]> {
  const search = new CsvSeams(start, targetsOf(start, end, count), delimiter);
  const bytes = Buffer.allocUnsafe(seamChunkBytes);
  for (let at = start; at < end && !search.done; ) {
    const have = await readUpTo(handle, bytes, at);
    if (have === 0) break;
    search.scan(bytes.subarray(0, have));
    at += have;
  }
  return search.seams.filter((seam) => seam < end);
}

function targetsOf(start: number, end: number, count: number): readonly number[] {
  return Array.from({ length: count - 1 }, (_, index) => start + Math.round(((index + 1) * (end - start)) / count));
}

/** The search itself, on chunks of any size: takes the first seam at or after each of the ascending `targets`. */
export class CsvSeams {
  readonly seams: number[] = [];
  readonly #targets: readonly number[];
  readonly #delimiter: number;
  #nextTarget = 0;
  /** Offset in the file of the chunk being scanned. */
  #base: number;
  #inQuotes = false;
  /** Offset in the file of the quote that closed a field last. A quote right behind it makes it the first of two. */
  #closedAt = -1;
  /** Of the byte before the chunk. */
  #byteBefore = lineFeed;

  constructor(start: number, targets: readonly number[], delimiter: number) {
    this.#base = start;
    this.#targets = targets;
    this.#delimiter = delimiter;
  }

  get done(): boolean {
    return this.#nextTarget >= this.#targets.length;
  }

  scan(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.done; ) {
      const found = chunk.indexOf(quote, at);
      const end = found < 0 ? chunk.length : found;
      if (!this.#inQuotes) this.#unquoted(chunk, at, end);
      if (found >= 0) this.#quote(chunk, found);
      at = end + 1;
    }
    this.#byteBefore = chunk[chunk.length - 1];
    this.#base += chunk.length;
  }

  /** Takes the seams of a stretch of bytes outside of quotes. */
  #unquoted(chunk: Buffer, start: number, end: number): void {
    while (!this.done) {
      const target = this.#targets[this.#nextTarget];
      const from = Math.max(start, target - 1 - this.#base);
      if (from >= end) return;
      const found = chunk.subarray(from, end).indexOf(lineFeed);
      if (found < 0) return;
      const seam = this.#base + from + found + 1;
      this.seams.push(seam);
      while (this.#targets[this.#nextTarget] <= seam) this.#nextTarget++;
    }
  }

  #quote(chunk: Buffer, at: number): void {
    const offset = this.#base + at;
    if (this.#inQuotes) {
      this.#inQuotes = false;
      this.#closedAt = offset;
      return;
    }
    const before = at === 0 ? this.#byteBefore : chunk[at - 1];
    this.#inQuotes =
      before === lineFeed || before === this.#delimiter || (this.#closedAt === offset - 1 && this.#closedAt >= 0);
  }
}
