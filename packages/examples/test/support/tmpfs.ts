import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A small file system in memory, to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives that room back. */
  free(): void;
  unmount(): void;
}

/** Mounts one at `path`; a text says why that cannot be. */
export function smallDisk(path: string, sizeBytes: number): SmallDisk | string {
  if (process.platform !== 'linux') return 'only Linux has tmpfs';
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    return `this user may not mount a tmpfs: ${String(error)}`;
  }
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (let size = 64 * 1024; size > 0; ) if (writeSome(file, size) === 0) size = Math.floor(size / 2);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    unmount: () => void execFileSync('umount', ['--lazy', path], { stdio: 'pipe' }),
  };
}

function writeSome(file: number, sizeBytes: number): number {
  try {
    return writeSync(file, Buffer.alloc(sizeBytes));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return 0;
    throw error;
  }
}
