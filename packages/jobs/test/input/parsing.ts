/** Ways to run a parser, for its tests. */
import type { BadRow, RowParser } from '../../src/input/row-parser.ts';

/** What lies in a buffer behind the bytes to parse: a parser that looks at it will read something else. */
const bytesBeyond = '"\n,';

export interface Parsed<V> {
  readonly rows: readonly V[];
  readonly bad: readonly BadRow[];
}

export function bytesOf(text: string | Uint8Array): Buffer {
  return Buffer.from(text);
}

/** All rows, from one call. */
export function parseWhole<V>(parser: RowParser<V>, input: string | Uint8Array): Parsed<V> {
  const bytes = bytesOf(input);
  const rows: V[] = [];
  const bad: BadRow[] = [];
  const end = parser.parse(bytes, 0, bytes.length, true, Infinity, rows, bad);
  if (end !== bytes.length) throw new Error(`The parser stopped at ${end} of ${bytes.length}.`);
  return { rows, bad };
}

/**
 * All rows, read as a worker does: a chunk at a time, with what is left of the chunk before moved to the front of the
 * same buffer, so that a parser that kept hold of bytes would be found out. Offsets of bad rows are those in the input.
 */
export function parseChunked<V>(
  parser: RowParser<V>,
  input: string | Uint8Array,
  chunkBytes: number,
  rowsMax: number,
): Parsed<V> {
  const bytes = bytesOf(input);
  const buffer = Buffer.alloc(bytes.length + chunkBytes, bytesBeyond);
  const rows: V[] = [];
  const bad: BadRow[] = [];
  let base = 0;
  let end = 0;
  for (let read = 0; read < bytes.length || end > 0; ) {
    const copied = bytes.copy(buffer, end, read, Math.min(read + chunkBytes, bytes.length));
    read += copied;
    end += copied;
    const last = read === bytes.length;
    let at = 0;
    for (;;) {
      const before = rows.length + bad.length;
      const found: BadRow[] = [];
      const next = parser.parse(buffer, at, end, last, rowsMax, rows, found);
      bad.push(...found.map((row) => ({ ...row, offset: row.offset + base })));
      if (rows.length + bad.length - before > rowsMax)
        throw new Error('The parser took more rows than it was asked for.');
      if (next === at) break;
      at = next;
    }
    if (last && at < end) throw new Error(`The parser left ${end - at} bytes at the end.`);
    buffer.copy(buffer, 0, at, end);
    buffer.fill(bytesBeyond, end - at, end);
    base += at;
    end -= at;
    if (last) break;
  }
  return { rows, bad };
}
