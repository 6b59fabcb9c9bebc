import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../fixtures/ledger-run.mjs', import.meta.url));
const POOL_THREAD = fileURLToPath(new URL('../fixtures/pool-thread.cjs', import.meta.url));

/** A process that says nothing for so long hangs. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 10;
/** Looks one after the other at which its thread for files did nothing. */
const QUIET_LOOKS = 4;

export interface RunOptions {
  readonly store: string;
  /** Checkpoints to keep. */
  readonly keep?: number;
  readonly compression?: 'gzip';
  readonly gate?: boolean;
  /** Name of the machine on which it says that it is. */
  readonly elsewhere?: string;
  /** Holds every other process for dead. */
  readonly blind?: boolean;
  /** Folder for a file for each checkpoint that it released. */
  readonly out?: string;
}

export interface Acked {
  readonly position: number;
  readonly notes: number;
}

export interface Fault {
  readonly code: string;
  readonly text: string;
}

/** `ledger-run.mjs` as a process of its own. What it acknowledged is known as soon as it said so. */
export class LedgerProcess {
  readonly acks: Acked[] = [];
  readonly warnings: string[] = [];
  /** Its number as an owner; 0 until it is one. */
  term = 0;
  /** Position that it went on from; 0 when from nothing. */
  from = 0;
  /** Positions of its term that were published, with those that nobody asked for. */
  readonly published: number[] = [];
  /** Why checkpoints were declined. */
  readonly declines: (readonly Fault[])[] = [];
  /** Why it ended. */
  ended: readonly Fault[] | null = null;
  /** The thread that makes all its calls to files. */
  pool = 0;
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #isGone = false;
  #errors = '';
  readonly #lines: string[] = [];
  #wake: () => void = () => undefined;

  constructor(options: RunOptions) {
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' };
    this.#child = spawn(process.execPath, ['--require', POOL_THREAD, PROGRAM, JSON.stringify(options)], { env });
    this.#child.stderr?.on('data', (text: Buffer) => (this.#errors += text.toString()));
    this.#child.stdin?.on('error', () => undefined);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#heard(line));
    this.#gone = once(this.#child, 'close').then(() => {
      this.#isGone = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get status(): number | null {
    return this.#child.exitCode;
  }

  get signal(): string | null {
    return this.#child.signalCode;
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Its next line that begins so; null when it is gone, or has ended, before it said that. */
  async hear(...words: readonly string[]): Promise<string | null> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        if (words.some((word) => line === word || line?.startsWith(`${word} `))) return line;
      }
      if (this.#isGone || this.ended !== null) return null;
      if (performance.now() > until) throw new Error(`it never said ${words.join(' or ')}: ${this.#errors}`);
      await this.#news();
    }
  }

  /** Waits for a word that must come. */
  async hearSurely(word: string): Promise<void> {
    if ((await this.hear(word)) !== null) return;
    throw new Error(`it ended before it said ${word}: ${JSON.stringify(this.ended)} ${this.#errors}`);
  }

  /** Takes one checkpoint; null when it ended instead, false when it was declined. */
  async checkpoint(how: 'checkpoint' | 'light' = 'checkpoint'): Promise<Acked | false | null> {
    this.say(how);
    const line = await this.hear('acked', 'declined', 'ended');
    if (line?.startsWith('acked')) return this.acks.at(-1) ?? null;
    return line?.startsWith('declined') ? false : null;
  }

  /** Waits until its thread for files has nothing to do. */
  async quiet(): Promise<void> {
    for (let [last, same] = [-1, 0]; same < QUIET_LOOKS && !this.#isGone; ) {
      const now = callsOf(this.pid, this.pool);
      same = now === last ? same + 1 : 0;
      last = now;
      await delay(LOOK_MS);
    }
  }

  stopForNow(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** Waits for its end; one that does not come is a failure of its own. */
  async end(): Promise<void> {
    const impatient = setTimeout(() => {
      this.#errors += 'it did not end by itself';
      this.#child.kill('SIGKILL');
    }, PATIENCE_MS);
    await this.#gone;
    clearTimeout(impatient);
  }

  #heard(line: string): void {
    const [word, ...rest] = line.split(' ');
    const said = rest.join(' ');
    if (word === 'pool') this.pool = Number(said);
    if (word === 'acked') this.acks.push({ position: Number(rest[0]), notes: Number(rest[1]) });
    if (word === 'term') [this.term, this.from] = rest.map(Number);
    if (word === 'published') this.published.push(Number(said));
    if (word === 'declined') this.declines.push(JSON.parse(said) as Fault[]);
    if (word === 'ended') this.ended = JSON.parse(said) as Fault[];
    if (word === 'warning') this.warnings.push(said);
    this.#lines.push(line);
    this.#wake();
  }

  /** Resolves at its next word, at its end, or after a while. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** System calls that a thread has made for reading and writing. */
function callsOf(pid: number, thread: number): number {
  try {
    const io = readFileSync(`/proc/${pid}/task/${thread}/io`, 'utf8');
    const count = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(io)?.[1] ?? 0);
    return count('syscr') + count('syscw');
  } catch {
    return -1;
  }
}
