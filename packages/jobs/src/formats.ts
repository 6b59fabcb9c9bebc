import { JobError } from './errors.ts';
import { delimiterByte } from './input/csv-format.ts';

/** How a job's input is read: what `setInput` takes. Values, so that every worker makes the same of them. */

export type Key = string | number;

export interface CsvFormat<V = Record<string, string | number | null>> {
  readonly kind: 'csv';
  readonly key: string | ((row: V) => Key) | null;
  readonly types: Readonly<Record<string, 'string' | 'number'>>;
  readonly delimiter: string;
}

export interface NdjsonFormat<V = unknown> {
  readonly kind: 'ndjson';
  /** Field or function that gives the key of a whole line; null: lines are `{"key": …, "value": …}`. */
  readonly key: string | ((value: V) => Key) | null;
}

export interface TextFormat {
  readonly kind: 'text';
  readonly each: (line: string) => Iterable<readonly [Key, unknown]>;
}

// oxlint-disable-next-line no-explicit-any -- a job's row type is its own affair; the engine only hands rows on
export type InputFormat = CsvFormat<any> | NdjsonFormat<any> | TextFormat;

/**
 * CSV with a header row, quotes as in RFC 4180. A row is an object of its columns; those of type `number` are numbers,
 * or null where they are empty.
 *
 * @example
 * this.setInput(csv({ key: 'origin', types: { delay: 'number' } }));
 */
export function csv<V extends object = Record<string, string | number | null>>(options: {
  readonly key?: string | ((row: V) => Key);
  readonly types?: Readonly<Record<string, 'string' | 'number'>>;
  readonly delimiter?: string;
}): CsvFormat<V> {
  assertDelimiter(options.delimiter);
  return { kind: 'csv', key: options.key ?? null, types: options.types ?? {}, delimiter: options.delimiter ?? ',' };
}

/** One JSON value a line: `{"key": …, "value": …}`, or with `key` any value that has its key inside. */
export function ndjson<V = unknown>(options: { readonly key?: string | ((value: V) => Key) } = {}): NdjsonFormat<V> {
  return { kind: 'ndjson', key: options.key ?? null };
}

/**
 * Plain text, line by line; `each` makes of a line any number of records.
 *
 * @example
 * this.setInput(text({ each: (line) => line.split(' ').map((word) => [word, 1]) }));
 */
export function text(options: { readonly each: (line: string) => Iterable<readonly [Key, unknown]> }): TextFormat {
  return { kind: 'text', each: options.each };
}

function assertDelimiter(delimiter: string | undefined): void {
  try {
    delimiterByte(delimiter);
  } catch (cause) {
    throw new JobError('CONFIG_INVALID', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
