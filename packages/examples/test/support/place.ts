import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { type CliEvent, type CliOptions, CliRun } from './cli.ts';

/** A run that has ended, as a user saw it. */
export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly CliEvent[];
  last(event: string): CliEvent | undefined;
}

/** A folder of its own for the tests of one file; what still runs at their end is killed. */
export interface Place {
  readonly path: string;
  /** Path of a name in it. */
  at(...names: readonly string[]): string;
  /** Starts `tidemark run` with these arguments. */
  start(args: readonly string[], options?: CliOptions): CliRun;
  /** Starts it and waits for its end. */
  run(args: readonly string[], options?: CliOptions): Promise<Ended>;
}

export function testPlace(name: string): Place {
  const runs: CliRun[] = [];
  let path = '';
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), `tidemark-${name}-`));
  });
  afterAll(async () => {
    for (const run of runs) run.sweep();
    await Promise.all(runs.map((run) => run.ended));
    await rm(path, { recursive: true, force: true });
  });
  const start = (args: readonly string[], options: CliOptions = {}): CliRun => {
    const run = new CliRun(args, { cwd: path, ...options });
    runs.push(run);
    return run;
  };
  return {
    get path() {
      return path;
    },
    at: (...names) => join(path, ...names),
    start,
    run: (args, options) => endOf(start(args, options)),
  };
}

export async function endOf(run: CliRun): Promise<Ended> {
  const { status, signal } = await run.ended;
  const { stdout, stderr, events } = run;
  return { status, signal, stdout, stderr, events, last: (event) => run.last(event) };
}

/** Path of a job that only tests use. */
export function fixture(file: string): string {
  return fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url));
}

/** Path of one of the examples. */
export function example(file: string): string {
  return fileURLToPath(new URL(`../../src/${file}`, import.meta.url));
}

/** Every file and folder in a folder with what it holds: equal before and after when nothing was changed. */
export async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    contents[name] = entry.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'folder';
  }
  return contents;
}

export interface Numbers {
  readonly path: string;
  /** What `value + 1` makes of them, sorted, as lines of an output. */
  readonly plusOne: readonly string[];
}

/** Writes `count` lines `{"key": …, "value": …}` with all values different, over `keys` keys. */
export async function writeNumbers(path: string, count: number, keys: number): Promise<Numbers> {
  const key = (value: number): string => `key ${value % keys}`;
  const values = Array.from({ length: count }, (_, value) => value);
  await writeFile(path, values.map((value) => `${JSON.stringify({ key: key(value), value })}\n`).join(''));
  return { path, plusOne: values.map((value) => JSON.stringify({ key: key(value), value: value + 1 })).sort() };
}
