import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { flightsPrefix } from '../../dist/data/flights-data.js';
import { outputRecords, root } from '../support/cli.ts';
import { type Ended, example } from '../support/place.ts';

/** What the flights job must come to, counted here from the file itself. */
export interface KnownFlights {
  readonly input: string;
  readonly rows: number;
  /** The totals in the words of the job. */
  readonly totals: string;
  /** One for each flight that was more than three hours late, sorted. */
  readonly records: readonly string[];
}

export async function knownFlights(rows: number): Promise<KnownFlights> {
  const input = await flightsPrefix(root, rows);
  const lines = (await readFile(input, 'utf8')).trimEnd().split('\n').slice(1);
  const flights = lines.map((line) => {
    const [date, delay, distance, origin, destination] = line.split(',');
    return { date, delay: Number(delay), distance: Number(distance), origin, destination };
  });
  const late = flights.filter(({ delay }) => delay > 180);
  const minutes = flights.reduce((sum, { delay }) => sum + delay, 0);
  const origins = new Set(flights.map(({ origin }) => origin)).size;
  return {
    input,
    rows: flights.length,
    totals: `${rows.toLocaleString('en')} rows, ${minutes.toLocaleString('en')} minutes of delay, ${origins} origins`,
    records: late.map((value) => JSON.stringify({ key: value.origin, value })).sort(),
  };
}

/** Arguments of a run of the job over them. */
export function flightsArgs(known: KnownFlights, store: string, output: string, schedule = '200ms'): readonly string[] {
  const files = ['--input', known.input, '--store', store, '--output', output];
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
