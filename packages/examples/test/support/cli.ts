import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../../../../', import.meta.url));
const bin = join(root, 'packages/tidemark/bin/tidemark.mjs');

export interface CliEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Instead of `tidemark run`. */
  readonly program?: string;
  /** Number of the user and of the group that run it; only root may choose. */
  readonly uid?: number;
}

/** A `tidemark run` as a real process of its own group, and what it says. */
export class CliRun {
  readonly process: ChildProcess;
  readonly events: CliEvent[] = [];
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
  stdout = '';
  stderr = '';
  readonly #watching = new Set<() => void>();

  constructor(args: readonly string[], options: CliOptions = {}) {
    const { cwd = root, env, uid, program } = options;
    this.process = spawn(process.execPath, [...(program === undefined ? [bin, 'run'] : [program]), ...args], {
      cwd,
      env: { ...process.env, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{"event":')) this.events.push(JSON.parse(line) as CliEvent);
      this.#look();
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#look();
    });
    this.ended = new Promise((resolve) => {
      this.process.on('close', (status, signal) => {
        resolve({ status, signal });
        this.#look();
      });
    });
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  count(event: string): number {
    return this.events.filter((each) => each.event === event).length;
  }

  last(event: string): CliEvent | undefined {
    return this.events.findLast((each) => each.event === event);
  }

  /** Waits for the `nth` event of a name; rejects when the process ends before. */
  async event(name: string, nth = 1): Promise<CliEvent> {
    await this.until(() => this.count(name) >= nth, `event ${name} number ${nth}`);
    return this.events.filter((each) => each.event === name)[nth - 1];
  }

  /** Waits for a text on stderr; rejects when the process ends before. */
  async saysOnStderr(text: RegExp): Promise<void> {
    await this.until(() => text.test(this.stderr), String(text));
  }

  /** Looks at `condition` whenever the process says something; rejects when it ends before. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (condition()) {
          this.#watching.delete(look);
          resolve();
        } else if (!this.running) {
          this.#watching.delete(look);
          reject(new Error(`the run ended before ${what}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`));
        }
      };
      this.#watching.add(look);
      look();
    });
  }

  /** `kill -9` of the supervisor, of its runtime, or of the whole group. */
  kill9(who: 'group' | 'supervisor' | 'runtime'): void {
    const pid = who === 'runtime' ? Number(this.last('started')?.['pid']) : this.process.pid!;
    try {
      process.kill(who === 'group' ? -pid : pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  /** Ends whatever is left of the group. */
  sweep(): void {
    try {
      process.kill(-this.process.pid!, 'SIGKILL');
    } catch {
      // Nothing is left.
    }
  }

  #look(): void {
    for (const look of this.#watching) look();
  }
}

/** Any command of `tidemark`, until its end. */
export async function tidemark(args: readonly string[]): Promise<Commanded> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

export interface Commanded {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** All records of an output folder, sorted: only names of the form that the reader's rule allows. */
export async function outputRecords(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{20}-\d+\.ndjson$/.test(name)).sort();
  const records: string[] = [];
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    if (!text.endsWith('\n')) throw new Error(`${name} is cut short`);
    records.push(...text.slice(0, -1).split('\n'));
  }
  return records.sort();
}

/** Small, seeded, good enough to choose moments: mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
