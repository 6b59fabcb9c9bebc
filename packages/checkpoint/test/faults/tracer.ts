import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of the machine, not of a package. */
const TRACER = 'strace';

/** All that a thread can ask of files. Not every kind of processor has each of them. */
const CALLS =
  `open openat creat close read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 fsync fdatasync
  sync_file_range link linkat rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat getdents getdents64 stat lstat fstat
  newfstatat statx access faccessat faccessat2 ftruncate truncate chmod fchmod fchmodat copy_file_range symlink symlinkat readlink`
    .split(/\s+/)
    .map((call) => `?${call}`)
    .join(',');

/** What becomes of the `nth` call of a name, or of all. */
export interface Injection {
  readonly call: string;
  readonly nth: number | '1+';
  /** As strace has it: `signal=KILL`, `error=EIO`. */
  readonly what: string;
}

/** strace at one thread of a process, or at all of them. */
export class Tracer {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = once(child, 'close');
  }

  /** Resolves when it is attached: whatever the thread does from now on is in the log. */
  static async attach(thread: number, log: string, injection: Injection | null, all = false): Promise<Tracer> {
    const inject = injection === null ? [] : ['-e', `inject=${injection.call}:${injection.what}:when=${injection.nth}`];
    const args = [...(all ? ['-f'] : []), '-y', '-s', '0', '-o', log, '-e', `trace=${CALLS}`, ...inject];
    const child = spawn(TRACER, [...args, '-p', String(thread)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (text: Buffer) => {
        said += text.toString();
        if (said.includes('attached')) resolve();
      });
      child.on('error', reject);
      child.on('close', () => reject(new Error(`strace did not attach: ${said}`)));
    });
    return new Tracer(child);
  }

  /** Lets the thread go on alone; the log is whole when this resolves. */
  async detach(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#gone;
  }

  /** Waits until the traced process is gone. */
  async end(): Promise<void> {
    await this.#gone;
  }
}

/** Why nothing can be traced here; null when it can. */
export function reasonNotToTrace(): string | null {
  if (process.platform !== 'linux') return 'system: strace is of Linux';
  if (process.getuid?.() !== 0) return 'system: only root may attach strace to a running process';
  try {
    execFileSync(TRACER, ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `system: strace cannot trace here (${String(error).split('\n')[0]})`;
  }
}
