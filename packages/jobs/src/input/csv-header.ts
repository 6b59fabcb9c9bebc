/** Reads the header of a CSV file: its first row that is not an empty line. */
import { lineEndAt, type TextRow, textRow } from './csv-careful-row.ts';
import type { OpenFile } from './file-access.ts';
import { readUpTo } from './input-files.ts';
import { lineChunkBytes, rowBytesMax } from './limits.ts';

export type CsvHeader =
  | { readonly columns: readonly string[] /** Offset in the file after the header. */; readonly end: number }
  | { readonly missing: string };

/** The header at `start` of the file; `missing` says why there is none. */
export async function readHeader(handle: OpenFile, start: number, delimiter: number): Promise<CsvHeader> {
  for (let sizeBytes = lineChunkBytes; sizeBytes <= 2 * rowBytesMax; sizeBytes *= 2) {
    const bytes = Buffer.allocUnsafe(sizeBytes);
    const end = await readUpTo(handle, bytes, start);
    const last = end < sizeBytes;
    const first = afterEmptyLines(bytes, end, last);
    if (last && first === end) return { missing: 'it is empty' };
    const row = textRow(bytes, first, end, last, delimiter);
    if (row !== undefined) return headerOf(row, start);
  }
  return { missing: `its first row is longer than ${rowBytesMax} bytes` };
}

function headerOf({ texts, next, fault }: TextRow, start: number): CsvHeader {
  if (fault !== undefined) return { missing: fault.reason };
  const repeated = texts.find((name, index) => texts.indexOf(name) !== index);
  if (repeated !== undefined) return { missing: `it names the column ${JSON.stringify(repeated)} twice` };
  return { columns: texts, end: start + next };
}

function afterEmptyLines(bytes: Buffer, end: number, last: boolean): number {
  let at = 0;
  for (let length = lineEndAt(bytes, at, end, last); length > 0; length = lineEndAt(bytes, at, end, last)) at += length;
  return at;
}
