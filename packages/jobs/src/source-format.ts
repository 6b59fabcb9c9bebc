import { JobError } from './errors.ts';
import type { InputFormat, Key } from './formats.ts';
import { csvParser } from './input/csv-parser.ts';
import { ndjsonParser } from './input/ndjson-parser.ts';
import type { RowParser } from './input/row-parser.ts';
import type { InputFile } from './input/input-plan.ts';
import { textParser } from './input/text-parser.ts';

/** What of a row goes on: values whose key is found in them, or pairs. */
export interface RowReader {
  parser(file: InputFile): RowParser<unknown>;
  /** Fields of each value, where all values of a file are flat records with just these. */
  columns(file: InputFile): readonly string[] | null;
  /** Key of a value; null when a row makes pairs instead. */
  readonly keyOf: ((value: unknown) => Key) | null;
  /** Records of a row, where `keyOf` is null. */
  readonly pairs: ((row: unknown) => Iterable<readonly [Key, unknown]>) | null;
}

/**
 * What to do with the rows of an input.
 *
 * @throws JobError `JOB_NO_KEY` when a CSV input has no key column
 */
export function rowReader(format: InputFormat): RowReader {
  switch (format.kind) {
    case 'csv': {
      if (format.key === null) {
        throw new JobError(
          'JOB_NO_KEY',
          'a CSV input needs to know which column holds the key: --key COLUMN, or csv({ key }) in setup()',
        );
      }
      const { types, delimiter } = format;
      return {
        parser: (file) => csvParser({ columns: file.header ?? [], types, delimiter }),
        columns: (file) => file.header ?? null,
        keyOf: keyFinder(format.key),
        pairs: null,
      };
    }
    case 'ndjson':
      return {
        parser: () => ndjsonParser(),
        columns: () => null,
        keyOf: format.key === null ? null : keyFinder(format.key),
        pairs: format.key === null ? keyAndValue : null,
      };
    case 'text':
      return {
        parser: () => textParser(),
        columns: () => null,
        keyOf: null,
        pairs: (row) => format.each(row as string),
      };
  }
}

function keyFinder(key: string | ((value: never) => Key)): (value: unknown) => Key {
  if (typeof key === 'function') return key as (value: unknown) => Key;
  return (value) => (value as Record<string, Key>)[key];
}

function keyAndValue(row: unknown): readonly [readonly [Key, unknown]] {
  const line = row as { readonly key?: Key; readonly value?: unknown } | null;
  return [[line?.key as Key, line?.value]];
}

/** Guesses the format of inputs from the first name. */
export function formatOf(path: string, keyColumn: string | undefined): InputFormat {
  if (/\.(csv|tsv)$/i.test(path)) {
    return { kind: 'csv', key: keyColumn ?? null, types: {}, delimiter: /\.tsv$/i.test(path) ? '\t' : ',' };
  }
  if (/\.txt$/i.test(path)) return { kind: 'text', each: (line) => [[line, 1]] };
  return { kind: 'ndjson', key: keyColumn ?? null };
}
