import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = join('/', 'dev', 'shm');

/**
 * A new folder in memory where there is such a place, else on the disk. To the folder store the calls are the same, and
 * thousands of fsyncs do not keep everybody else on the machine waiting.
 */
export function newFolder(name: string): string {
  return mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), `tidemark-${name}-`));
}
