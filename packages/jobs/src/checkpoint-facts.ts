import { decodeValue, type UnitData } from '@tidemark/actors/internal';
import type { CheckpointRecord } from '@tidemark/checkpoint/internal';
import type { ChunkUnit, Naming } from './file-sink.ts';
import type { JobRecord } from './job-record.ts';
import { JOB_TASK } from './job-task.ts';
import type { SplitState } from './source.ts';

/** How far a file of the input had been read at a checkpoint. */
export interface FileFacts {
  readonly path: string;
  readonly sizeBytes: number;
  readBytes: number;
  rows: number;
  badRows: number;
}

/** Records of a sink that no file holds yet. */
export interface WaitingFacts {
  /** `output` or `bad`. */
  readonly sink: string;
  /** Number of the worker that made them. */
  readonly task: number;
  /** Name of the batch, by the record that released it; null where this checkpoint's own record does. */
  readonly position: number | null;
  bytes: number;
  lines: number;
}

/** What a checkpoint of a job says beside its states. */
export interface JobFacts {
  readonly files: readonly FileFacts[];
  readonly rows: number;
  readonly badRows: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly waiting: readonly WaitingFacts[];
  readonly output: string | null;
  readonly badRowsTo: string | null;
  readonly keyColumn: string | null;
  /** The last word of each key was said. */
  readonly ended: boolean;
}

/** Reads what only a job understands of its checkpoint; null for a checkpoint of anything else. */
export function jobFacts(record: CheckpointRecord, units: readonly UnitData[]): JobFacts | null {
  const { app } = record;
  if (!isJobRecord(app)) return null;
  const files = app.plan.files.map(
    ({ path, size }): FileFacts => ({ path, sizeBytes: size, readBytes: 0, rows: 0, badRows: 0 }),
  );
  const counters: Record<string, number> = {};
  const waiting = new Map<string, WaitingFacts>();
  for (const unit of units) {
    if (unit.type !== JOB_TASK) continue;
    if (unit.table === 'splits') addSplit(files, decodeValue(unit.value) as SplitState);
    else if (unit.table === 'counters') addCounter(counters, unit);
    else if (unit.table.startsWith(SINK)) addChunk(waiting, unit, app.namings ?? []);
  }
  return {
    files,
    rows: files.reduce((total, file) => total + file.rows, 0),
    badRows: files.reduce((total, file) => total + file.badRows, 0),
    counters,
    waiting: [...waiting.values()].sort(
      (a, b) => (a.position ?? Infinity) - (b.position ?? Infinity) || a.task - b.task,
    ),
    output: app.outputs.output,
    badRowsTo: app.outputs.badRows,
    keyColumn: app.key,
    ended: app.ended,
  };
}

const SINK = 'sink:';

/** A job's records are the only ones with a plan of inputs. */
function isJobRecord(app: unknown): app is JobRecord {
  return typeof app === 'object' && app !== null && 'plan' in app && 'outputs' in app;
}

function addSplit(files: readonly FileFacts[], split: SplitState): void {
  const file = files[split.file];
  if (file === undefined) return;
  file.readBytes += split.position - split.start;
  file.rows += split.rows;
  file.badRows += split.bad;
}

function addCounter(counters: Record<string, number>, unit: UnitData): void {
  const name = String(unit.tableKey);
  counters[name] = (counters[name] ?? 0) + (decodeValue(unit.value) as number);
}

function addChunk(waiting: Map<string, WaitingFacts>, unit: UnitData, namings: readonly Naming[]): void {
  const chunk = decodeValue(unit.value) as ChunkUnit;
  const sink = unit.table.slice(SINK.length);
  const named = chunk.position === 0 ? namings.find(({ cut }) => cut >= chunk.cut)?.position : chunk.position;
  const position = named ?? null;
  const id = `${sink} ${position} ${chunk.task}`;
  const facts = waiting.get(id) ?? { sink, task: chunk.task, position, bytes: 0, lines: 0 };
  facts.bytes += chunk.bytes.length;
  for (const byte of chunk.bytes) if (byte === LINE_FEED) facts.lines++;
  waiting.set(id, facts);
}

const LINE_FEED = 10;
