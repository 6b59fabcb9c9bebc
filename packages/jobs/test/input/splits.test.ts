import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvParser } from '../../src/input/csv-parser.ts';
import type { InputFormat, InputPlan } from '../../src/input/input-plan.ts';
import { ndjsonParser } from '../../src/input/ndjson-parser.ts';
import type { RowParser } from '../../src/input/row-parser.ts';
import { CsvSeams } from '../../src/input/seams.ts';
import { planSplits, type SplitOptions } from '../../src/input/splits.ts';
import { textParser } from '../../src/input/text-parser.ts';
import { testFolder } from './folder.ts';
import { parseChunked, parseWhole } from './parsing.ts';
import { csvOf, entriesOf, tables } from './tables.ts';

const folder = testFolder();
const counts = fc.integer({ min: 1, max: 12 });

async function planOf(bytes: string | Uint8Array, format: InputFormat, count: number, options?: SplitOptions) {
  const path = folder.file('input');
  await writeFile(path, bytes);
  const plan = await planSplits([path], format, count, options);
  expectWhole(plan);
  return plan;
}

/** Splits follow each other without gaps, to the end of each file. */
function expectWhole({ files, splits }: InputPlan): void {
  for (const [file, { size }] of files.entries()) {
    const own = splits.filter((split) => split.file === file);
    for (const [index, { start, end }] of own.entries()) {
      expect(start).toBeLessThan(end);
      expect(end).toBe(own[index + 1]?.start ?? size);
    }
  }
}

/** The rows of all splits, each read by itself. */
async function readSplits<V>(plan: InputPlan, parser: RowParser<V>): Promise<readonly V[]> {
  const bytes = await Promise.all(plan.files.map(({ path }) => readFile(path)));
  return plan.splits.flatMap(({ file, start, end }) => {
    const parsed = parseChunked(parser, bytes[file].subarray(start, end), 64, 7);
    expect(parsed.bad).toEqual([]);
    return parsed.rows;
  });
}

describe('splits', () => {
  it('of CSV hold each row once', async () => {
    await fc.assert(
      fc.asyncProperty(tables, counts, fc.boolean(), async (table, count, marked) => {
        const { columns, delimiter, rows } = table;
        const plan = await planOf((marked ? '\ufeff' : '') + csvOf(table), 'csv', count, { delimiter });
        expect(plan.files[0].header).toEqual(columns);
        const read = await readSplits(plan, csvParser({ columns, types: {}, delimiter }));
        expect(entriesOf(read, columns)).toEqual(rows.map((row) => columns.map((name, index) => [name, row[index]])));
      }),
      { numRuns: 500 },
    );
  });

  it('of any bytes are read as the whole is, bare and open quotes included', async () => {
    const unit = fc.constantFrom('a', '"', '"', ',', '\n', '\n', '\r', ' ', 'ö');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 120 }), counts, async (text, count) => {
        const plan = await planOf(`a,b\n${text}`, 'csv', count);
        const parser = csvParser({ columns: ['a', 'b'], types: {} });
        const whole = parseWhole(parser, text);
        const bytes = await readFile(plan.files[0].path);
        const parts = plan.splits.map(({ start, end }) => ({
          start,
          ...parseWhole(parser, bytes.subarray(start, end)),
        }));
        expect(parts.flatMap((part) => part.rows)).toEqual(whole.rows);
        const bad = parts.flatMap((part) => part.bad.map((row) => ({ ...row, offset: row.offset + part.start - 4 })));
        expect(bad).toEqual(whole.bad);
      }),
      { numRuns: 1500 },
    );
  });

  it('of CSV do not depend on how the file is read', () => {
    const unit = fc.constantFrom('a', '"', '"', ',', '\n', '\n', '\r');
    const targets = fc.uniqueArray(fc.integer({ min: 1, max: 100 })).map((each) => each.sort((a, b) => a - b));
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 100 }),
        targets,
        fc.integer({ min: 1, max: 9 }),
        (text, wanted, size) => {
          const [whole, pieces] = [new CsvSeams(0, wanted, 44), new CsvSeams(0, wanted, 44)];
          const bytes = Buffer.from(text);
          if (bytes.length > 0) whole.scan(bytes);
          for (let at = 0; at < bytes.length; at += size) pieces.scan(bytes.subarray(at, at + size));
          expect(pieces.seams).toEqual(whole.seams);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('of NDJSON and of text hold each line once', async () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', '"', 'é', '\t'), minLength: 1, maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(lines, counts, fc.boolean(), async (values, count, marked) => {
        const mark = marked ? '\ufeff' : '';
        const text = await planOf(mark + values.join('\n'), 'text', count);
        expect(await readSplits(text, textParser())).toEqual(values);
        const json = await planOf(
          mark + values.map((value) => `${JSON.stringify(value)}\r\n`).join(''),
          'ndjson',
          count,
        );
        expect(await readSplits(json, ndjsonParser())).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });

  it('are of about equal size, over rows longer than what is read at once', async () => {
    const row = `"${'quoted,\n'.repeat(40_000)}",plain\n`;
    const plan = await planOf(`a,b\n${row.repeat(20)}`, 'csv', 5);
    expect(plan.splits.map(({ start, end }) => (end - start) / row.length)).toEqual([4, 4, 4, 4, 4]);
    const lines = await planOf(`${'x'.repeat(200_000)}\n`.repeat(8), 'text', 4);
    expect(lines.splits.map(({ start, end }) => end - start)).toEqual([400_002, 400_002, 400_002, 400_002]);
  });

  it('are shared out over files by their size', async () => {
    const path = folder.file('shared-out');
    await mkdir(path);
    await writeFile(join(path, 'b.csv'), `n\n${'1234567\n'.repeat(900)}`);
    await writeFile(join(path, 'a.csv'), `n\n${'1234567\n'.repeat(50)}`);
    await writeFile(join(path, 'c.csv'), 'n\n');
    await writeFile(join(path, '.hidden'), 'x');
    await mkdir(join(path, 'inner'));
    await symlink(join(path, 'a.csv'), join(path, 'd.csv'));
    const plan = await planSplits([path], 'csv', 10);
    expect(plan.files.map((file) => file.path)).toEqual(
      ['a.csv', 'b.csv', 'c.csv', 'd.csv'].map((name) => join(path, name)),
    );
    expectWhole(plan);
    expect([0, 1, 2, 3].map((file) => plan.splits.filter((split) => split.file === file).length)).toEqual([1, 9, 0, 1]);
  });

  it('of empty files are none', async () => {
    expect((await planOf('', 'text', 4)).splits).toEqual([]);
    expect((await planOf('\ufeff', 'ndjson', 4)).splits).toEqual([]);
  });
});

describe('the header', () => {
  it('may be quoted, span lines and follow empty ones', async () => {
    const { files, splits } = await planOf('\r\n\n"a\nb","c ""d"""\r\n1,2\r\n', 'csv', 1);
    expect(files[0].header).toEqual(['a\nb', 'c "d"']);
    expect(splits).toEqual([{ file: 0, start: 20, end: 25 }]);
  });

  it('may be longer than what is read at once', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `column-${index}`);
    expect((await planOf(names.join(','), 'csv', 1)).files[0].header).toEqual(names);
  });
});
