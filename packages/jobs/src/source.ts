import {
  type Batch,
  type Clock,
  type CutState,
  keyGroup,
  limits,
  homeOfGroup,
  type Runtime,
  UnitTable,
} from '@tidemark/actors/internal/worker';
import type { Key } from './formats.ts';
import type { BadRow, RowParser } from './input/row-parser.ts';
import type { FileAccess } from './input/file-access.ts';
import { rowTooLong } from './input/input-error.ts';
import type { InputFile, Split } from './input/input-plan.ts';
import { badRowTextMax, rowBytesMax } from './input/limits.ts';
import { INGRESS_LOOK_MS, SOURCE_ROWS_MAX, SOURCE_ROWS_PER_WORKER } from './limits.ts';
import type { RowReader } from './source-format.ts';
import { SplitBytes } from './split-bytes.ts';

/** How far a split has been read: a unit. The position moves in the turn that brings the rows in. */
export interface SplitState {
  readonly file: number;
  readonly start: number;
  readonly end: number;
  position: number;
  rows: number;
  bad: number;
}

export function firstState(split: Split): SplitState {
  return { file: split.file, start: split.start, end: split.end, position: split.start, rows: 0, bad: 0 };
}

/** Worker at which a split is read: evenly by its number, for any number of workers. */
export function homeOfSplit(index: number, splits: number, workers: number): number {
  return homeOfGroup(Math.floor((index * limits.KEY_GROUPS) / splits), workers);
}

export interface SourceOptions {
  readonly task: string;
  readonly files: readonly InputFile[];
  readonly access: FileAccess;
  readonly reader: RowReader;
  /** Rows per second of this worker; 0 for no limit. */
  readonly rowsPerSecond: number;
  readonly runtime: Runtime;
  readonly bad: (file: InputFile, offset: number, bad: BadRow) => void;
  readonly fail: (error: unknown) => void;
  /** Called after each turn with what this worker's splits have come to. */
  readonly moved: (rows: number, bad: number, bytes: number) => void;
}

interface OpenSplit {
  readonly split: number;
  readonly bytes: SplitBytes;
  readonly parser: RowParser<unknown>;
  readonly columns: readonly string[] | null;
}

/**
 * The splits of one worker: reads byte ranges, parses, and brings the rows in by key.
 *
 * - J1 A split's position moves in the same turn in which its rows enter mailboxes or outboxes.
 * - J2 Nothing enters while the ingress is closed, or faster than the rate.
 */
export class Source {
  readonly #options: SourceOptions;
  readonly #clock: Clock;
  readonly #splits = new UnitTable<number, SplitState>();
  readonly #homes = new Map<Key, number>();
  readonly #parsers = new Map<number, RowParser<unknown>>();
  readonly #done = { rows: 0, bad: 0, bytes: 0 };
  readonly #rowsPerTurn: number;
  #order: number[] = [];
  #current: OpenSplit | null = null;
  #values: unknown[] = [];
  #bads: BadRow[] = [];
  #allowance: Allowance;
  #paused = false;
  #stopped = false;
  #waiting = false;

  constructor(options: SourceOptions, cut: CutState) {
    this.#options = options;
    this.#clock = options.runtime.clock;
    this.#splits.attach({ type: options.task, key: '', table: 'splits', cut });
    this.#rowsPerTurn = Math.min(SOURCE_ROWS_MAX, SOURCE_ROWS_PER_WORKER * options.runtime.workers);
    this.#allowance = new Allowance(options.rowsPerSecond, this.#clock);
  }

  load(index: number, state: SplitState): void {
    this.#splits.load(index, state);
    this.#note(state.rows, state.bad, state.position - state.start);
    if (state.position < state.end) this.#order.push(index);
  }

  /** All splits are loaded. */
  start(): void {
    this.#order.sort((a, b) => b - a);
    this.#report();
  }

  /** What the splits of this worker have come to, restored ones included. */
  get done(): { readonly rows: number; readonly bad: number; readonly bytes: number } {
    return this.#done;
  }

  get drained(): boolean {
    return this.#current === null && this.#order.length === 0;
  }

  /** Lets nothing in until `resume`: the output has no room. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#options.runtime.wake();
  }

  /** Lets nothing in any more: a bad row has ended the job, or what was read ahead is of a generation that is over. */
  stop(): void {
    this.#stopped = true;
    this.#current?.bytes.close();
  }

  captureUnits(): Generator<void, void, void> {
    return this.#splits.captureUnits();
  }

  /** One turn: rows that are at hand, if they may enter. */
  poll(): boolean {
    if (this.drained || this.#stopped) return false;
    const allowed = Math.min(this.#rowsPerTurn, this.#allowance.available());
    if (this.#paused || allowed === 0 || !this.#options.runtime.ingressOpen) {
      this.#lookAgain();
      return false;
    }
    const current = (this.#current ??= this.#open());
    const { bytes, parser } = current;
    const upTo = parser.parse(bytes.bytes, bytes.from, bytes.to, bytes.last, allowed, this.#values, this.#bads);
    if (upTo === bytes.from && !this.#atEnd(current)) return this.#needMore(current);
    this.#bringIn(current, upTo);
    return true;
  }

  #atEnd(current: OpenSplit): boolean {
    return current.bytes.last && current.bytes.from === current.bytes.to;
  }

  #open(): OpenSplit {
    const split = this.#order.pop()!;
    const state = this.#splits.get(split)!;
    const file = this.#options.files[state.file];
    const bytes = new SplitBytes(
      this.#options.access,
      file.path,
      state.position,
      state.end,
      () => this.#options.runtime.wake(),
      this.#options.fail,
    );
    return { split, bytes, parser: this.#parserOf(state.file), columns: this.#options.reader.columns(file) };
  }

  /** Parsers remember repeated texts: one for each file, not for each split. */
  #parserOf(file: number): RowParser<unknown> {
    let parser = this.#parsers.get(file);
    if (parser === undefined)
      this.#parsers.set(file, (parser = this.#options.reader.parser(this.#options.files[file])));
    return parser;
  }

  /** The bytes at hand hold no whole row: waits for the next ones. */
  #needMore(current: OpenSplit): boolean {
    const { bytes } = current;
    if (bytes.to - bytes.from > rowBytesMax) {
      throw rowTooLong(this.#options.files[this.#splits.get(current.split)!.file].path, bytes.offset);
    }
    return bytes.more();
  }

  #bringIn(current: OpenSplit, upTo: number): void {
    const { bytes } = current;
    const offset = bytes.offset - bytes.from;
    const rows = this.#values.length + this.#bads.length;
    const keyless = this.#exchange(current.columns);
    for (const index of keyless) this.#bads.push(this.#keylessRow(current, index));
    const state = this.#splits.touch(current.split, unreachable).value;
    state.position += upTo - bytes.from;
    state.rows += rows;
    state.bad += this.#bads.length;
    this.#note(rows, this.#bads.length, upTo - bytes.from);
    bytes.use(upTo);
    this.#allowance.take(rows);
    const file = this.#options.files[state.file];
    for (const bad of this.#bads) this.#options.bad(file, offset + bad.offset, bad);
    this.#values = [];
    this.#bads.length = 0;
    if (this.#atEnd(current)) {
      bytes.close();
      this.#current = null;
    }
    this.#report();
  }

  /**
   * Hands the rows to the tasks at the homes of their keys, one batch a worker. Answers the numbers of the rows that
   * have no usable key: these go nowhere.
   */
  #exchange(columns: readonly string[] | null): readonly number[] {
    const { runtime, task, reader } = this.#options;
    const { keyOf, pairs } = reader;
    const batches = new Array<{ keys: Key[] | null; values: unknown[] } | undefined>(runtime.workers + 1);
    const values = this.#values;
    const keyless: number[] = [];
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (keyOf !== null) {
        const key = keyOf(value);
        if (isKey(key)) (batches[this.#homeOf(key)] ??= { keys: null, values: [] }).values.push(value);
        else keyless.push(i);
        continue;
      }
      for (const [key, record] of pairs!(value)) {
        if (!isKey(key)) {
          keyless.push(i);
          continue;
        }
        const batch = (batches[this.#homeOf(key)] ??= { keys: [], values: [] });
        batch.keys!.push(key);
        batch.values.push(record);
      }
    }
    for (let home = 1; home < batches.length; home++) {
      const batch = batches[home];
      if (batch !== undefined) runtime.sendBatch(home, { task, columns, ...batch } satisfies Batch);
    }
    return keyless;
  }

  /** The bad row of the good row number `index` of this turn: found by parsing again, one row at a time. */
  #keylessRow(current: OpenSplit, index: number): BadRow {
    const { bytes, parser } = current;
    const good: unknown[] = [];
    let offset = bytes.from;
    let next = offset;
    while (good.length <= index) {
      offset = next;
      next = parser.parse(bytes.bytes, offset, bytes.to, bytes.last, 1, good, []);
    }
    const text = bytes.bytes.toString('utf8', offset, next).trim().slice(0, badRowTextMax);
    return { offset, column: 1, reason: 'it has no key: expected a text or a number', text };
  }

  #homeOf(key: Key): number {
    const known = this.#homes.get(key);
    if (known !== undefined) return known;
    const home = homeOfGroup(keyGroup(this.#options.task, key), this.#options.runtime.workers);
    if (this.#homes.size < HOMES_MAX) this.#homes.set(key, home);
    return home;
  }

  #lookAgain(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.after(INGRESS_LOOK_MS, () => {
      this.#waiting = false;
      this.#options.runtime.wake();
    });
  }

  #note(rows: number, bad: number, bytes: number): void {
    this.#done.rows += rows;
    this.#done.bad += bad;
    this.#done.bytes += bytes;
  }

  #report(): void {
    this.#options.moved(this.#done.rows, this.#done.bad, this.#done.bytes);
  }
}

/** Homes remembered: a hash costs ten times a look-up. */
const HOMES_MAX = 100_000;

/** Rows that may enter now, at so many a second; what was not used is kept for a tenth of a second only. */
class Allowance {
  readonly #perMs: number;
  readonly #clock: Clock;
  #rows = 0;
  #at: number;

  constructor(rowsPerSecond: number, clock: Clock) {
    this.#perMs = rowsPerSecond / 1000;
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  available(): number {
    if (this.#perMs === 0) return Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    this.#rows = Math.min(this.#rows + (now - this.#at) * this.#perMs, Math.max(1, this.#perMs * BURST_MS));
    this.#at = now;
    return Math.floor(this.#rows);
  }

  take(rows: number): void {
    this.#rows -= rows;
  }
}

const BURST_MS = 100;

function isKey(key: unknown): key is Key {
  return (typeof key === 'string' && key !== '') || (typeof key === 'number' && Number.isFinite(key));
}

function unreachable(): never {
  throw new Error('a split that was not loaded was read');
}
