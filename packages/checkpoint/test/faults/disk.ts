import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newFolder } from './memory.ts';

const OUTER_BYTES = 128 * 1024 * 1024;
const INNER_BYTES = 48 * 1024 * 1024;
/** Programs of the machine, not of a package. */
const MAKE_FILE_SYSTEM = 'mkfs.ext4';
const PROGRAMS = [MAKE_FILE_SYSTEM, 'mount', 'umount', 'losetup', 'fsfreeze', 'cp'];

/**
 * An ext4 file system whose disk can lose its power: an image inside another file system. To freeze the outer one holds
 * back every write to the inner disk, at whatever point of whatever call, so that a copy of the image is what a disk
 * holds at one instant.
 *
 * All of it (mounts, loop devices, files) is given back by a process of its own that waits for our end, however it comes.
 */
export class Disk {
  /** Where the file system with the power cuts is mounted. */
  readonly folder: string;
  readonly #root: string;
  readonly #keeper: ChildProcess;

  constructor() {
    this.#root = newFolder('power');
    for (const name of ['outer', 'inner', 'copy']) mkdirSync(join(this.#root, name));
    this.folder = join(this.#root, 'inner');
    this.#keeper = spawn('sh', ['-c', KEEP, 'keeper', this.#root], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    makeFileSystem(join(this.#root, 'outer.img'), OUTER_BYTES, join(this.#root, 'outer'));
    makeFileSystem(this.#image, INNER_BYTES, this.folder);
  }

  /**
   * Copies the disk as it is at one instant. Answers what `look` sees while nothing can reach the disk: what was
   * acknowledged by then must be in the copy.
   */
  async cut<T>(look: () => T): Promise<T> {
    const outer = join(this.#root, 'outer');
    await system('fsfreeze', ['-f', outer]);
    try {
      await system('cp', ['--sparse=always', this.#image, join(this.#root, 'copy.img')]);
      return look();
    } finally {
      await system('fsfreeze', ['-u', outer]);
    }
  }

  /** Mounts the copy, as a machine does that has its power back, and looks at it. */
  async afterCut<T>(look: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.#root, 'copy');
    await system('mount', ['-o', 'loop', join(this.#root, 'copy.img'), folder]);
    try {
      return await look(folder);
    } finally {
      await system('umount', [folder]);
    }
  }

  async release(): Promise<void> {
    const gone = once(this.#keeper, 'close');
    this.#keeper.stdin?.end();
    await gone;
  }

  get #image(): string {
    return join(this.#root, 'outer', 'inner.img');
  }
}

/** Waits until nobody holds its stdin any more. A lazy unmount also works while somebody still has a file open there. */
const KEEP =
  'cat; fsfreeze -u "$1/outer"; for at in copy inner outer; do umount -l "$1/$at"; done; rm -rf --one-file-system "$1"';

/** A small journal: it comes round often, also within a short test. */
function makeFileSystem(image: string, bytes: number, folder: string): void {
  writeFileSync(image, '');
  truncateSync(image, bytes);
  execFileSync(MAKE_FILE_SYSTEM, ['-q', '-J', 'size=4', image], { stdio: 'pipe' });
  execFileSync('mount', ['-o', 'loop', image, folder], { stdio: 'pipe' });
}

/** Runs a program of the machine, not of a package. */
const system = promisify(execFile);

/** Why no disk can be made here; null when it can. */
export function reasonNotToMount(): string | null {
  if (process.platform !== 'linux') return 'system: loop mounts are of Linux';
  if (process.getuid?.() !== 0) return 'system: only root may mount';
  const missing = PROGRAMS.filter((program) => !succeeds('sh', ['-c', `command -v ${program}`]));
  if (missing.length > 0) return `system: not installed: ${missing.join(', ')}`;
  return succeeds('losetup', ['-f']) ? null : 'system: no loop device is free';
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
