import { holdsMessages, unpackBatch } from '@tidemark/actors/internal';
import { messagesTo, unitsOf } from '../programs/contents.ts';
import type { Cut } from '../stage.ts';
import type { Input, InputRow } from './input.ts';
import { type Line, ROWS_COUNTER, type Tally } from './job.ts';
import type { CarriedBatch, SinkJudge } from './sink-judge.ts';

/** Name of a job's task, of its collector, and of the collector's table: what is stored says them. */
const TASK = 'job';
const COLLECTOR = 'tidemark.collected';

interface SplitState {
  readonly file: number;
  readonly start: number;
  readonly position: number;
  readonly rows: number;
  readonly bad: number;
}

interface App {
  readonly plan: { readonly splits: readonly unknown[] };
  readonly namings: readonly { readonly cut: number; readonly position: number }[];
  readonly ended: boolean;
  readonly rows: number;
  readonly badRows: number;
}

/** Rows that the splits of a cut have read, by the number of the split. */
export function rowsBySplit(parts: Cut['parts']): ReadonlyMap<number, SplitState> {
  return new Map(
    unitsOf(parts, TASK)
      .filter(({ table }) => table === 'splits')
      .map(({ tableKey, value }) => [Number(tableKey), value as SplitState]),
  );
}

/** Ids by key. */
export type Processed = ReadonlyMap<string, readonly number[]>;

/**
 * What is true in every consistent cut of the job: each row that was read is either on its way or counted in its key,
 * and each that is counted has made one line of output, which is visible or carried.
 */
export function checkJobCut(cut: Cut, input: Input, output: SinkJudge, bad: SinkJudge): void {
  const { parts, record } = cut;
  const app = record.app as App;
  const splits = [...rowsBySplit(parts).values()];
  equal('splits', splits.length, app.plan.splits.length);
  const read = rowsRead(input, splits);
  const good = read.filter(({ value }) => value !== null);
  const rows = sum(splits.map((split) => split.rows));
  const badRows = sum(splits.map((split) => split.bad));
  equal('rows that the splits count', rows, read.length);
  equal('bad rows that the splits count', badRows, read.length - good.length);
  equal('rows of the record', app.rows, rows);
  equal('bad rows of the record', app.badRows, badRows);
  const processed = processedOf(parts, good);
  checkKeys(parts, processed);
  checkLines(output.linesAt(carried(cut, 'sink:output')), processed, app.ended);
  checkBad(bad.linesAt(carried(cut, 'sink:bad')), input, read);
}

/** The whole output, and nothing else. */
export function checkWholeOutput(input: Input, output: SinkJudge, bad: SinkJudge): void {
  const all = input.rows.flatMap(({ value }) => (value === null ? [] : [value]));
  checkLines(output.visible(), groupByKey(all), true);
  checkBad(bad.visible(), input, input.rows);
}

/** What the job collects at its end. */
export function expectedResult(input: Input): unknown {
  const keys = groupByKey(input.rows.flatMap(({ value }) => (value === null ? [] : [value])));
  return [...keys].map(([key, ids]) => ({ key, value: ids.length })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Rows before the positions of their splits. */
function rowsRead(input: Input, splits: readonly SplitState[]): readonly InputRow[] {
  const byPlace = splits.toSorted((a, b) => a.file - b.file || a.start - b.start);
  let at = 0;
  return input.rows.filter(({ file, offset }) => {
    for (let next = byPlace[at + 1]; next !== undefined; next = byPlace[at + 1]) {
      if (next.file > file || (next.file === file && next.start > offset)) break;
      at++;
    }
    return offset < byPlace[at].position;
  });
}

function processedOf(parts: Cut['parts'], good: readonly InputRow[]): Processed {
  const moving = new Set<number>();
  for (const { mail, channels, outboxes } of parts) {
    for (const frame of [...mail, ...channels, ...outboxes]) {
      if (holdsMessages(frame)) continue;
      for (const id of unpackBatch(frame).values as readonly number[]) {
        if (moving.has(id)) throw new Error(`row ${id} is on its way twice`);
        moving.add(id);
      }
    }
  }
  const done = good.flatMap(({ value }) => (moving.delete(value!.id) ? [] : [value!]));
  if (moving.size > 0) throw new Error(`rows ${[...moving].join(', ')} are on their way and were not read`);
  return groupByKey(done);
}

function checkKeys(parts: Cut['parts'], processed: Processed): void {
  const units = unitsOf(parts, TASK);
  const keyed = new Map(
    units.filter(({ table }) => table === 'keyed').map(({ tableKey, value }) => [String(tableKey), value as Tally]),
  );
  equal('keys with a state', [...keyed.keys()].sort().join(), [...processed.keys()].sort().join());
  for (const [key, ids] of processed) {
    equal(`rows of ${key}`, keyed.get(key)!.nth, ids.length);
    equal(`sum of ${key}`, keyed.get(key)!.sum, sum(ids));
  }
  const counted = units.filter(({ table, tableKey }) => table === 'counters' && tableKey === ROWS_COUNTER);
  equal(
    'counted rows',
    sum(counted.map(({ value }) => value as number)),
    sum([...processed.values()].map((ids) => ids.length)),
  );
  const collected = new Map(
    unitsOf(parts, COLLECTOR)
      .filter(({ table }) => table === 'values')
      .map(({ tableKey, value }) => [String(tableKey), (value as { readonly value: number }).value]),
  );
  for (const { args } of messagesTo(parts, COLLECTOR, 'put')) collected.set(args[0] as string, args[1] as number);
  for (const [key, ids] of processed) equal(`collected of ${key}`, collected.get(key), ids.length);
}

/** Each row that was counted has one line, and those of a key are numbered in the reader's order (K4). */
function checkLines(lines: readonly string[], processed: Processed, ended: boolean): void {
  const left = new Map([...processed].map(([key, ids]) => [key, new Set(ids)]));
  const next = new Map<string, number>();
  const closed = new Set<string>();
  for (const text of lines) {
    const { key, value } = JSON.parse(text) as { readonly key: string; readonly value: Line };
    if (closed.has(key)) throw new Error(`K4 ${text} comes after the last word of its key`);
    const ids = processed.get(key) ?? [];
    if ('total' in value) {
      closed.add(key);
      equal(`K2 total of ${key}`, value.total, sum(ids));
      equal(`K2 count of ${key}`, value.of, ids.length);
      continue;
    }
    const nth = (next.get(key) ?? 0) + 1;
    next.set(key, nth);
    if (value.nth !== nth) throw new Error(`K4 ${text} is the ${nth}th of its key in the reader's order`);
    if (left.get(key)?.delete(value.id) !== true)
      throw new Error(`K2 ${text} was not made by the rows that were counted`);
  }
  for (const [key, ids] of left) {
    if (ids.size > 0) throw new Error(`K2 no line is there or waits for rows ${[...ids].join(', ')} of ${key}`);
    if (closed.has(key) !== ended) throw new Error(`K2 the last word of ${key} is ${ended ? 'missing' : 'too early'}`);
  }
}

function checkBad(lines: readonly string[], input: Input, read: readonly InputRow[]): void {
  const paths = [...input.files.keys()];
  const expected = read.filter(({ value }) => value === null).map(({ file, offset }) => `${paths[file]}:${offset}`);
  const found = lines.map((line) => {
    const { file, offset } = JSON.parse(line) as { readonly file: string; readonly offset: number };
    return `${file}:${offset}`;
  });
  equal('K2 bad rows set aside', found.sort().join(), expected.sort().join());
}

/** What a cut carries of a sink, named as a restore would name it (J3). */
function carried({ parts, record }: Cut, table: string): readonly CarriedBatch[] {
  const { namings } = record.app as App;
  return unitsOf(parts, TASK)
    .filter((unit) => unit.table === table)
    .map(({ value }) => {
      const chunk = value as { position: number; cut: number; task: number; bytes: Uint8Array };
      const naming = namings.find(({ cut }) => cut >= chunk.cut);
      const position = chunk.position === 0 ? (naming?.position ?? record.position) : chunk.position;
      return { position, task: chunk.task, bytes: chunk.bytes };
    });
}

function groupByKey(values: readonly { readonly key: string; readonly id: number }[]): Processed {
  const groups = new Map<string, number[]>();
  for (const { key, id } of values) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [id]);
    else group.push(id);
  }
  return groups;
}

function equal<T>(what: string, found: T, expected: T): void {
  if (found !== expected) throw new Error(`${what}: found ${String(found)}, expected ${String(expected)}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
