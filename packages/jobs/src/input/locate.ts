import { closeSync, openSync, readSync } from 'node:fs';
import { lineFeed } from './bytes.ts';
import { seamChunkBytes } from './limits.ts';

/**
 * The line, from 1, that holds the byte at `offset`, as an editor counts. It reads the file up to there, and waits for it:
 * for error messages only. Behind the end of the file it is the last line.
 */
export function locateRow(path: string, offset: number): { readonly line: number } {
  const chunk = Buffer.allocUnsafe(seamChunkBytes);
  const file = openSync(path, 'r');
  let line = 1;
  try {
    for (let position = 0; position < offset; ) {
      const read = readSync(file, chunk, 0, Math.min(chunk.length, offset - position), position);
      if (read === 0) break;
      const bytes = chunk.subarray(0, read);
      for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) line++;
      position += read;
    }
  } finally {
    closeSync(file);
  }
  return { line };
}
