import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { flightsPrefix } from '../../dist/data/flights-data.js';
import { type CliRun, outputRecords, root } from '../support/cli.ts';
import { type Ended, example } from '../support/place.ts';

/** What the flights job must come to, counted here from the file itself. */
export interface KnownFlights {
  readonly input: string;
  /** Column whose value is the key: `origin` has few, `date` has many, so that parts become objects of their own. */
  readonly key: 'origin' | 'date';
  readonly rows: number;
  /** The totals in the words of the job. */
  readonly totals: string;
  /** One for each flight that was more than three hours late, sorted. */
  readonly records: readonly string[];
}

export async function knownFlights(rows: number, key: KnownFlights['key'] = 'origin'): Promise<KnownFlights> {
  const input = await flightsPrefix(root, rows);
  const lines = (await readFile(input, 'utf8')).trimEnd().split('\n').slice(1);
  const flights = lines.map((line) => {
    const [date, delay, distance, origin, destination] = line.split(',');
    return { date, delay: Number(delay), distance: Number(distance), origin, destination };
  });
  const late = flights.filter(({ delay }) => delay > 180);
  const minutes = flights.reduce((sum, { delay }) => sum + delay, 0);
  const keys = new Set(flights.map((flight) => flight[key])).size;
  return {
    input,
    key,
    rows: flights.length,
    totals: `${rows.toLocaleString('en')} rows, ${minutes.toLocaleString('en')} minutes of delay, ${keys} origins`,
    records: late.map((value) => JSON.stringify({ key: value[key], value })).sort(),
  };
}

/** Arguments of a run of the job over them. */
export function flightsArgs(known: KnownFlights, store: string, output: string, schedule = '200ms'): readonly string[] {
  const files = ['--input', known.input, '--key', known.key, '--store', store, '--output', output];
  return [example('flights.ts'), ...files, '--schedule', schedule, '--workers', '2', '--json'];
}

/** Nothing was lost and nothing doubled: the totals and every record are the known ones. */
export async function expectKnown(known: KnownFlights, ended: Ended, output: string): Promise<void> {
  if (ended.status !== 0) expect.fail(`status ${String(ended.status)}: ${ended.stderr}`);
  const finished = ended.last('finished') as { rows: number; result: { summary: { notes: string[] } } } | undefined;
  expect(finished?.rows).toBe(known.rows);
  expect(JSON.stringify(finished?.result)).toContain(known.totals);
  expect(await outputRecords(output)).toEqual(known.records);
}

/** What was said so far of checkpoints that do not come. */
function complaints(run: CliRun): number {
  return run.count('checkpoint-failed') + run.count('warning');
}

/** Does something that the job must notice, and waits until it says so. */
export async function untilNoticed(run: CliRun, work: () => Promise<void>): Promise<void> {
  const before = complaints(run);
  await work();
  await run.until(() => complaints(run) > before, 'it said that no checkpoint comes');
}

/** Undoes it, and waits for a checkpoint that was begun after that. */
export async function untilCheckpoints(run: CliRun, work: () => Promise<void>): Promise<void> {
  await work();
  await run.event('checkpoint', run.count('checkpoint') + 2);
}

/** All that was said on stderr says that the job goes on, of which store, and what to look at. */
export function expectWarnings({ stderr }: Ended): void {
  for (const line of stderr.trimEnd().split('\n')) {
    if (line !== '') expect(line).toMatch(WARNING);
  }
}

const WARNING = /^WARNING: .*[A-Z_]{6,}: .{30,}/;

/** That a checkpoint was given up, or is waited for. */
export const NOTICED: RegExp =
  /^WARNING: (?:A checkpoint failed, and the job goes on: [A-Z_]+: |CHECKPOINT_WAITS: record )/m;
