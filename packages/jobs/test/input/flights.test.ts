import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { flightsTotals, prepareFlights } from '../../../examples/src/data/flights-data.ts';
import { type CsvRow, csvParser } from '../../src/input/csv-parser.ts';
import { readUpTo } from '../../src/input/input-files.ts';
import type { BadRow } from '../../src/input/row-parser.ts';
import { planSplits } from '../../src/input/splits.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

it('the flights file gives all its rows, split by split', async () => {
  const path = await prepareFlights(root);
  const { files, splits } = await planSplits([path], 'csv', 16);
  const parser = csvParser({ columns: files[0].header ?? [], types: { delay: 'number', distance: 'number' } });
  const handle = await open(path);
  const bad: BadRow[] = [];
  const airports = new Map<unknown, number>();
  let count = 0;
  let sumOfDelay = 0;
  for (const { start, end } of splits) {
    const bytes = Buffer.allocUnsafe(end - start);
    await readUpTo(handle, bytes, start);
    const rows: CsvRow[] = [];
    for (let at = 0; at < bytes.length; rows.length = 0) {
      at = parser.parse(bytes, at, bytes.length, true, 512, rows, bad);
      count += rows.length;
      for (const row of rows) {
        sumOfDelay += row['delay'] as number;
        airports.set(row['origin'], (airports.get(row['origin']) ?? 0) + 1);
      }
    }
  }
  await handle.close();
  expect(splits.length).toBe(16);
  expect(bad).toEqual([]);
  expect([count, sumOfDelay, airports.size]).toEqual([flightsTotals.rows, flightsTotals.sumOfDelay, 229]);
});
