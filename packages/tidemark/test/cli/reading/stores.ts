import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Ended, runReal } from '../fixtures/fake-tidemark.ts';

export const REAL: string = fileURLToPath(new URL('../../../bin/tidemark.mjs', import.meta.url));
const BANK = fileURLToPath(new URL('../fixtures/bank-life.mjs', import.meta.url));
export const FLIGHTS: string = fileURLToPath(new URL('../../../../examples/src/flights.ts', import.meta.url));
export const COUNTER: string = fileURLToPath(new URL('../../../../examples/src/counter.ts', import.meta.url));
export const ADD_ONE: string = fileURLToPath(new URL('../../../../examples/src/add-one.ts', import.meta.url));

/** Made once for each test file by the real programs; a test that damages one works on a copy. */
export let folder: string;
export let bank: string;
export let flights: string;
export let addOne: string;

/** Makes the stores before the tests of a file, and removes them after. */
export function makeStores(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-reading-'));
    [bank, flights, addOne] = await Promise.all([runBank(), runFlights(), runAddOne()]);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

/** Two lives of the bank: term 1 at 1, checkpoints 2 to 7; term 2 at 8, checkpoints 9 and 10. */
async function runBank(): Promise<string> {
  const store = join(folder, 'bank');
  await liveBank(store, 6);
  await liveBank(store, 2);
  return store;
}

/** A life of the bank with so many checkpoints. */
export async function liveBank(
  store: string,
  checkpoints: number,
  how: 'fresh' | 'goes-on' = 'goes-on',
): Promise<void> {
  const child = spawn(process.execPath, [BANK, store, String(checkpoints), how], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(errors);
}

/** A job that was stopped in the middle, with many keys, so that its parts are files of their own. */
async function runFlights(): Promise<string> {
  const store = join(folder, 'flights');
  const rows = Array.from(
    { length: 60_000 },
    (_, i) => `2001-01-01,${i % 90},500,${i % 50 === 0 ? 'LAX' : `K${i % 15_000}`},SFO`,
  );
  writeFileSync(join(folder, 'flights.csv'), ['date,delay,distance,origin,destination', ...rows, ''].join('\n'));
  const args = flightsArgs(store);
  const child = spawn(process.execPath, [REAL, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  while (positions(store, 'flights').length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  await ended;
  return store;
}

/** Of a run that takes two seconds at least. */
export function flightsArgs(store: string, rate = 30_000): string[] {
  const input = join(folder, 'flights.csv');
  const pace = ['--workers', '2', '--schedule', '200ms', '--rate', String(rate)];
  return ['run', FLIGHTS, '--input', input, '--store', store, ...pace];
}

async function runAddOne(): Promise<string> {
  const store = join(folder, 'add-one');
  const input = join(folder, 'numbers.ndjson');
  writeFileSync(input, '{"key":"a","value":1}\n{"key":"b","value":2}\n');
  const args = ['run', ADD_ONE, '--input', input, '--output', join(folder, 'out'), '--store', store, '--workers', '2'];
  const { status, stderr } = await runReal(args);
  if (status !== 0) throw new Error(stderr);
  return store;
}

let copies = 0;
export function copyOf(store: string): string {
  const copy = join(folder, `copy-${copies++}`);
  cpSync(store, copy, { recursive: true });
  return copy;
}

export function record(store: string, job: string, position: number): string {
  return join(store, job, 'log', String(position).padStart(20, '0'));
}

export function positions(store: string, job: string): number[] {
  const log = join(store, job, 'log');
  return existsSync(log)
    ? readdirSync(log)
        .filter((name) => /^\d{20}$/.test(name))
        .map(Number)
    : [];
}

export function flipByte(file: string, at?: number): void {
  const bytes = readFileSync(file);
  const where = at ?? bytes.length >> 1;
  bytes[where] ^= 1;
  writeFileSync(file, bytes);
}

/** The newest checkpoint with a part in a file of its own. */
export async function withPartFile(store: string): Promise<{ readonly path: string; readonly position: number }> {
  for (const position of positions(store, 'flights').sort((a, b) => b - a)) {
    const shown = await runReal(['show', String(position), '--store', store, '--json']);
    if (shown.status !== 0) continue;
    const { parts } = JSON.parse(shown.stdout) as { parts: { files: { path: string | null }[] }[] };
    const path = parts.flatMap(({ files }) => files).find((file) => file.path !== null)?.path;
    if (path !== null && path !== undefined) return { path: join(store, 'flights', path), position };
  }
  throw new Error('no checkpoint has a part in a file');
}

// oxlint-disable-next-line no-explicit-any -- JSON as scripts see it
export async function json(args: readonly string[], status = 0): Promise<any> {
  const ended: Ended = await runReal([...args, '--json']);
  expect(ended.status, ended.stderr).toBe(status);
  expect(ended.stdout.endsWith('}\n')).toBe(true);
  return JSON.parse(ended.stdout);
}
