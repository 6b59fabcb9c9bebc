import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { delay, LedgerProcess, type RunOptions } from './child.ts';
import { newFolder } from './memory.ts';

/** So few that a pass removes much and reads little. */
const KEEP = 3;
/** Not enough records for a second pass of retention, until a new process counts those that it finds. */
const BEFORE_PASS = 119;
/** The checkpoints whose parts are files: the first ones, and some that the second pass removes. */
const isHeavy = (checkpoint: number): boolean => checkpoint < 4 || (checkpoint >= 62 && checkpoint < 66);

/** What a process does while its calls are traced. */
export interface Phase {
  readonly name: 'beginning' | 'checkpoint' | 'retention' | 'recovery';
  /** Checkpoints that lie in the store before. */
  readonly before: number;
  readonly options: Omit<RunOptions, 'store'>;
  /** Resolves when all that is to be traced has happened, or the process is gone. */
  readonly run: (child: LedgerProcess, folder: string) => Promise<void>;
}

export const PHASES: readonly Phase[] = [
  { name: 'beginning', before: 0, options: { gate: true }, run: begin },
  { name: 'checkpoint', before: 4, options: {}, run: takeTwo },
  { name: 'retention', before: BEFORE_PASS, options: { keep: KEEP }, run: removeOld },
  { name: 'recovery', before: 4, options: { gate: true }, run: begin },
];

async function begin(child: LedgerProcess): Promise<void> {
  child.say('go');
  await child.hear('ready', 'ended');
}

async function takeTwo(child: LedgerProcess): Promise<void> {
  // The first one also makes sure of the folders.
  if ((await child.checkpoint()) !== null) await child.checkpoint();
}

/** One checkpoint, and the pass after it: its last call removes the former boundary. */
async function removeOld(child: LedgerProcess, folder: string): Promise<void> {
  const boundaries = join(folder, 'main/gc');
  const [former] = readdirSync(boundaries);
  const acked = await child.checkpoint();
  if (acked === null || acked === false) return;
  while (!child.isGone && child.warnings.length === 0 && existsSync(join(boundaries, former ?? ''))) await delay(2);
}

/** Folders of a test, and the stores that it begins with: each is made once, by a process that was killed. */
export class Stores {
  readonly #root = newFolder('faults');
  readonly #templates = new Map<number, Promise<string>>();
  #made = 0;

  /** A new folder with so many checkpoints in it. */
  async with(checkpoints: number): Promise<string> {
    const folder = join(this.#root, `store-${++this.#made}`);
    if (checkpoints === 0) return folder;
    const made = this.#templates.get(checkpoints) ?? this.#make(checkpoints);
    this.#templates.set(checkpoints, made);
    cpSync(await made, folder, { recursive: true });
    return folder;
  }

  file(name: string): string {
    return join(this.#root, name);
  }

  remove(folder = this.#root): void {
    rmSync(folder, { recursive: true, force: true });
  }

  async #make(checkpoints: number): Promise<string> {
    const store = join(this.#root, `template-${checkpoints}`);
    const child = new LedgerProcess({ store, keep: KEEP });
    await child.hearSurely('ready');
    for (let i = 0; i < checkpoints; i++) await child.checkpoint(isHeavy(i) ? 'checkpoint' : 'light');
    await child.quiet();
    await child.kill();
    return store;
  }
}
