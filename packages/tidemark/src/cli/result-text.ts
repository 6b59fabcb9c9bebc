import type { RunEvent } from '@tidemark/jobs/internal';
import { toJson } from './json.ts';
import { padEnd, padStart, plain, widest } from './padding.ts';
import type { FlatRow } from './table.ts';
import { numberColumn, tableText } from './table.ts';

type JobResult = Extract<RunEvent, { event: 'finished' }>['result'];

/** A job's result as a person reads it: a table where it is one, else JSON; then the counters. */
export function resultText(result: JobResult): string {
  return paragraphs([collectedText(result.collected), countersText(result.counters)]);
}

/** What a job's `summarize` may give to have more than a bare table. */
interface Report {
  readonly title?: string;
  readonly rows: readonly FlatRow[];
  readonly notes?: string | readonly string[];
}

function collectedText(collected: unknown): string {
  if (isTable(collected)) return tableText(collected);
  if (isReport(collected)) return reportText(collected);
  const json = toJson(collected, 2);
  return NOTHING.has(json) ? '' : json;
}

const NOTHING: ReadonlySet<string> = new Set(['null', '[]', '{}']);

function reportText({ title, rows, notes = [] }: Report): string {
  const foot = typeof notes === 'string' ? [notes] : notes;
  return paragraphs([plain(title ?? ''), tableText(rows), foot.map(plain).join('\n')]);
}

function countersText(counters: JobResult['counters']): string {
  const names = Object.keys(counters).map(plain);
  const values = Object.values(counters).map((value) => numberColumn([value])[0] ?? '');
  const nameWidth = widest(names);
  const valueWidth = widest(values);
  return names.map((name, at) => `${padEnd(name, nameWidth)}  ${padStart(values[at] ?? '', valueWidth)}`).join('\n');
}

function paragraphs(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

function isTable(value: unknown): value is readonly FlatRow[] {
  return Array.isArray(value) && value.length > 0 && value.every(isFlat);
}

function isReport(value: unknown): value is Report {
  if (!isPlainObject(value)) return false;
  const { title, rows, notes, ...rest } = value;
  if (Object.keys(rest).length > 0 || !Array.isArray(rows) || !rows.every(isFlat)) return false;
  const titled = title === undefined || typeof title === 'string';
  const noted = notes === undefined || typeof notes === 'string' || (Array.isArray(notes) && notes.every(isString));
  return titled && noted;
}

function isFlat(value: unknown): value is FlatRow {
  return isPlainObject(value) && Object.values(value).every((each) => each === null || typeof each !== 'object');
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
