import { createReadStream } from 'node:fs';
import { lineFeed } from './bytes.ts';
import { seamChunkBytes } from './limits.ts';

/**
 * The line, from 1, that holds the byte at `offset`, as an editor counts. It reads the file up to there: for error
 * messages only. Behind the end of the file it is the last line.
 */
export async function locateRow(path: string, offset: number): Promise<{ readonly line: number }> {
  let line = 1;
  if (offset <= 0) return { line };
  const chunks = createReadStream(path, { end: offset - 1, highWaterMark: seamChunkBytes }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) line++;
  }
  return { line };
}
