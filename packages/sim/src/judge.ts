import {
  decodeBoundary,
  decodeRecord,
  type CheckpointRecord,
  type EngineEvent,
  type LogRecord,
  type PartContent,
  filesOf,
  mergeFiles,
  type PartFileContent,
  readPart,
} from '@tidemark/checkpoint/internal';
import { createHash } from 'node:crypto';
import type { Disk, DiskWatcher } from './disk.ts';
import { JOB, type SimProcess } from './process.ts';
import type { Stage } from './stage.ts';

interface Stored {
  readonly record: LogRecord;
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly by: string;
  /** Ticks by term, of a checkpoint that could be read. */
  ticks: ReadonlyMap<number, number> | null;
}

const LOG = new RegExp(`^${JOB}/log/(\\d{20})$`);
const GC = new RegExp(`^${JOB}/gc/(\\d{20})$`);

/**
 * The oracles: looks at every change of the store and at everything that processes let out, and says what must never be.
 *
 * Owns: its own history of the log, which forgets nothing that retention removes.
 *
 * - O1 Every published checkpoint is a consistent cut (what that means, the program says).
 * - O2 Positions rise by one, each record holds its predecessor's hash, terms never fall, cut numbers always rise.
 * - O3 A record stands only when every part that it names is there and verifies.
 * - O4 A term goes on from the newest checkpoint before it, unless C15 allows to pass over that one, and it says so.
 * - O5 What is released is a record of this log, put by who releases it, and it survives everything.
 * - O6 An attempt that was reported as failed never becomes a checkpoint.
 * - O7 Nothing is removed that the newest boundary still needs, and nothing before a boundary stands.
 * - O8 What the host sent before it asked for a checkpoint is in that checkpoint.
 * - O9 What came in and is in one checkpoint is in every later one, also across restores.
 * - O10 A process goes back only because a thread of it died, or a handler threw that throws on purpose, and to the newest checkpoint of its own term, or to the one
 *   that its term goes on from.
 */
export class Judge implements DiskWatcher {
  readonly violations: string[] = [];
  /** By position; index 0 is empty. */
  readonly history: (Stored | undefined)[] = [undefined];
  checkpoints = 0;
  /** Damaged checkpoints that a start has rightly left out. */
  passedOver = 0;
  /** Processes that have said that they leave a damaged checkpoint out, with the time at which they began. */
  readonly #warned = new Map<string, number>();
  released = 0;
  /**
   * What each process's term goes on from, as it says. The log has no record of a sleeper that put its own where
   * retention had removed one: it may go back before it finds out.
   */
  readonly #begunFrom = new Map<string, number | 'fresh'>();
  readonly #stage: Stage;
  readonly #disk: () => Disk;
  readonly #now: () => number;
  readonly #released = new Map<number, string>();
  readonly #failedCuts = new Set<string>();
  /** What was read of files of parts, by their hash. */
  readonly #files = new Map<string, PartFileContent>();
  /** Newest time at which a checkpoint was released. */
  lastReleaseAt = 0;

  constructor(stage: Stage, disk: () => Disk, now: () => number) {
    this.#stage = stage;
    this.#disk = disk;
    this.#now = now;
  }

  violation(what: string): void {
    this.violations.push(what);
  }

  // ── the store ────────────────────────────────────────────────────────────────────────────────────────────────

  stored(name: string, bytes: Uint8Array, by: string): void {
    const log = LOG.exec(name);
    if (log !== null) this.#record(Number(log[1]), name, bytes, by);
    const gc = GC.exec(name);
    if (gc !== null) this.#boundary(Number(gc[1]), name, bytes);
  }

  deleted(name: string, by: string): void {
    const boundary = this.#newestBoundary();
    const log = LOG.exec(name);
    if (log !== null && Number(log[1]) >= boundary) {
      this.violation(`O7 ${by} removed record ${Number(log[1])}; the newest boundary is ${boundary}`);
    }
    const gc = GC.exec(name);
    if (gc !== null && Number(gc[1]) > boundary) this.violation(`O7 ${by} removed the newest boundary ${name}`);
    if (!name.startsWith(`${JOB}/part/`)) return;
    for (let position = Math.max(boundary, 1); position < this.history.length; position++) {
      const record = this.history[position]?.record;
      if (record?.kind !== 'checkpoint' || !partNames(record).includes(name)) continue;
      this.violation(`O7 ${by} removed ${name}, which record ${position} names; the newest boundary is ${boundary}`);
    }
  }

  lost(name: string, bytes: Uint8Array): void {
    const log = LOG.exec(name);
    if (log === null) return;
    const position = Number(log[1]);
    // What a sleeper had put where retention had removed a record is no part of the log.
    if (this.history[position]?.hash !== sha256(bytes)) return;
    const by = this.#released.get(position);
    if (by !== undefined) this.violation(`O5 the power cut took record ${position}, which ${by} had released`);
    // Those behind it are taken in the same cut.
    this.history.length = Math.min(this.history.length, position);
  }

  // ── the processes ────────────────────────────────────────────────────────────────────────────────────────────

  observed(process: SimProcess, event: EngineEvent): void {
    switch (event.kind) {
      case 'copied':
        return;
      case 'checkpoint':
        this.#release(process, event.cut, event.position);
        return;
      case 'checkpoint-failed': {
        if (!this.#isInLog(process)) return;
        const failed = `${process.term ?? 0}/${event.cut}`;
        this.#failedCuts.add(failed);
        const found = this.history.find((each) => each !== undefined && cutOf(each.record) === failed);
        if (found !== undefined) {
          this.violation(
            `O6 ${process.name} reports cut ${event.cut} as failed (${event.code}), and record ${found.record.position} holds it`,
          );
        }
        return;
      }
      case 'warning':
        if (event.code === 'CHECKPOINT_DAMAGED') this.#warned.set(process.name, process.begunAt);
        return;
      case 'rolled-back':
        this.#rolledBack(process, event);
        return;
      case 'term':
        this.#begunFrom.set(process.name, event.from ?? 'fresh');
        return;
      case 'restored':
      case 'plan':
      case 'waiting':
      case 'dead-letter':
      case 'service-hung':
      case 'log':
        return;
    }
  }

  #rolledBack(process: SimProcess, { code, message, position }: EngineEvent & { readonly kind: 'rolled-back' }): void {
    // While it goes back, the store may fail: then it goes back once more.
    const mayThrow = this.#stage.throws && code === 'TURN_THREW' && message.endsWith(': poison');
    if (!THREADS_DIE.has(code) && !code.startsWith('STORE_') && !mayThrow)
      this.violation(`O10 ${process.name} went back because of ${code}: ${message}`);
    const own = this.#isInLog(process)
      ? this.history.findLast((each) => each?.record.term === process.term)?.record
      : undefined;
    const begun = own?.kind === 'term' ? own.from : (this.#begunFrom.get(process.name) ?? 'fresh');
    const expected = own?.kind === 'checkpoint' ? own.position : begun;
    if ((position ?? 'fresh') !== expected)
      this.violation(`O10 ${process.name} went back to ${position}; the newest checkpoint of its term is ${expected}`);
  }

  /** A sleeper that has put its term where retention had removed one is not: its number may be that of one that is. */
  #isInLog({ name, term }: SimProcess): boolean {
    return this.history.some((each) => each?.record.kind === 'term' && each.record.term === term && each.by === name);
  }

  acknowledged(process: SimProcess, ticks: number, position: number): void {
    const found = this.history[position];
    if (found?.record.kind !== 'checkpoint') {
      this.violation(`O8 ${process.name} was told of checkpoint ${position}, which is none`);
      return;
    }
    // As it was when it was put: retention may have removed its parts since.
    const have = found.ticks === null ? ticks : (found.ticks.get(process.term ?? 0) ?? 0);
    if (have < ticks)
      this.violation(`O8 checkpoint ${position} has ${have} ticks of ${process.name}, which had sent ${ticks}`);
  }

  /** Newest checkpoint of the line below a position, which a restore must find; 0 for none. */
  newest(below = this.history.length): number {
    let position = below - 1;
    for (let record = this.#recordAt(position); record !== undefined; record = this.#recordAt(position)) {
      if (record.kind === 'checkpoint') return position;
      // Only a log of copies has gaps.
      if (record.kind === 'gap') return 0;
      position = record.from === 'fresh' ? 0 : record.from;
    }
    return 0;
  }

  #recordAt(position: number): LogRecord | undefined {
    return this.history[position]?.record;
  }

  // ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────

  #record(position: number, name: string, bytes: Uint8Array, by: string): void {
    const hash = sha256(bytes);
    const known = this.history[position];
    if (known !== undefined) {
      // Retention removed it, and a sleeper has put its own there: it must never be released (O5).
      if (known.hash !== hash) return;
      return;
    }
    if (position !== this.history.length) {
      this.violation(`O2 ${by} put record ${position}; the last one is ${this.history.length - 1}`);
      return;
    }
    const record = decodeRecord(bytes, name);
    this.history.push({ record, bytes, hash, by, ticks: null });
    this.#chain(record, by);
    if (record.kind === 'checkpoint') this.#checkpoint(record, by);
    else if (record.kind === 'gap') this.violation(`O2 ${by} leaves out positions in its own log, at ${position}`);
    else {
      const from = record.from === 'fresh' ? 0 : record.from;
      this.#goesOn(record.term, from, this.newest(position), by);
    }
  }

  /** A checkpoint may be passed over only if its parts are damaged, its record is not, and it released nothing (C15). */
  #goesOn(term: number, from: number, newest: number, by: string): void {
    let expected = newest;
    const begunAt = this.#warned.get(by);
    while (from < expected && begunAt !== undefined && this.#mayBePassedOver(expected, begunAt)) {
      this.passedOver++;
      expected = this.newest(expected);
    }
    if (from !== expected) this.violation(`O4 term ${term} goes on from ${from}; the newest checkpoint is ${expected}`);
  }

  /** Its damage may have been put back since that process has met it. */
  #mayBePassedOver(position: number, since: number): boolean {
    const record = this.history[position]?.record;
    if (record?.kind !== 'checkpoint' || record.releases) return false;
    return partNames(record).some((name) => this.#disk().wasDamaged(name, since));
  }

  #chain(record: LogRecord, by: string): void {
    const { position } = record;
    const before = this.history[position - 1];
    if (record.position !== this.history.length - 1) {
      this.violation(`O2 record ${this.history.length - 1} of ${by} says that it is ${record.position}`);
    }
    if (record.previous !== (before?.hash ?? null)) {
      this.violation(`O2 record ${position} of ${by} does not hold the hash of its predecessor`);
    }
    const term = before?.record.term ?? 0;
    const rises = record.kind === 'term' ? record.term > term : record.term === term;
    if (!rises)
      this.violation(`O2 record ${position} of ${by} is a ${record.kind} of term ${record.term} after term ${term}`);
  }

  #checkpoint(record: CheckpointRecord, by: string): void {
    this.checkpoints++;
    for (let position = record.position - 1; position > 0; position--) {
      const before = this.history[position]?.record;
      if (before?.kind !== 'checkpoint') continue;
      if (record.cut <= before.cut)
        this.violation(`O2 record ${record.position} of ${by} is cut ${record.cut} after ${before.cut}`);
      break;
    }
    if (this.#failedCuts.has(cutOf(record) ?? '')) {
      this.violation(`O6 cut ${record.cut} of ${by} was reported as failed and is now record ${record.position}`);
    }
    const parts = this.#parts(record);
    if (parts === null) return;
    try {
      this.#stage.check({ record, parts });
      const ticks = this.#stage.ticksIn(parts);
      this.history[record.position]!.ticks = ticks;
      this.#kept(record, ticks);
    } catch (error) {
      this.violation(
        `O1 checkpoint ${record.position} of ${by}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** What was in the checkpoint before is in this one, and of terms that are over nothing came later (O9). */
  #kept(record: CheckpointRecord, ticks: ReadonlyMap<number, number>): void {
    const before = this.history[this.newest(record.position)]?.ticks ?? new Map<number, number>();
    for (const term of new Set([...before.keys(), ...ticks.keys()])) {
      const had = before.get(term) ?? 0;
      const has = ticks.get(term) ?? 0;
      if (term === record.term || term < 0 ? has >= had : has === had) continue;
      this.violation(
        `O9 checkpoint ${record.position} of term ${record.term} has ${has} ticks of term ${term}; the one before it had ${had}`,
      );
    }
  }

  #parts(record: CheckpointRecord): readonly PartContent[] | null {
    const contents: PartContent[] = [];
    for (const { thread, files } of record.parts) {
      const found: PartFileContent[] = [];
      for (const [i, file] of files.entries()) {
        const bytes = 'path' in file ? this.#disk().truth(`${JOB}/${file.path}`) : Buffer.from(file.inline, 'base64');
        if (bytes === undefined || bytes.length !== file.length || sha256(bytes) !== file.sha256) {
          const what = bytes === undefined ? 'not there' : 'damaged';
          this.violation(`O3 file ${i + 1} of thread ${thread} of record ${record.position} is ${what}`);
          return null;
        }
        found.push(this.#readPart(file.sha256, bytes));
        const expected = i === 0 ? 0 : files[i - 1].cut;
        if (found[i].base !== expected) {
          this.violation(
            `O3 file ${i + 1} of thread ${thread} of record ${record.position} builds on cut ${found[i].base}, not ${expected}`,
          );
          return null;
        }
      }
      contents.push(mergeFiles(found));
    }
    return contents;
  }

  /** Most of a checkpoint's files were in the one before. */
  #readPart(sha: string, bytes: Uint8Array): PartFileContent {
    let content = this.#files.get(sha);
    if (content === undefined) this.#files.set(sha, (content = readPart(bytes)));
    return content;
  }

  #release(process: SimProcess, cut: number, position: number): void {
    this.released++;
    this.lastReleaseAt = this.#now();
    const found = this.history[position];
    if (found === undefined) {
      this.violation(`O5 ${process.name} released ${position}, which was never put`);
      return;
    }
    const { record } = found;
    if (
      record.kind !== 'checkpoint' ||
      record.cut !== cut ||
      record.term !== process.term ||
      found.by !== process.name
    ) {
      this.violation(
        `O5 ${process.name} (term ${process.term}) released cut ${cut} at ${position}, where ${found.by} put a ${record.kind} of term ${record.term}`,
      );
    }
    if (this.#released.has(position)) this.violation(`O5 ${process.name} released ${position} a second time`);
    this.#released.set(position, process.name);
  }

  #boundary(position: number, name: string, bytes: Uint8Array): void {
    const boundary = decodeBoundary(bytes, name);
    const record = this.history[position]?.record;
    if (
      record?.kind !== 'checkpoint' ||
      boundary.position !== position ||
      boundary.hash !== this.history[position]?.hash
    ) {
      this.violation(`O7 boundary ${position} is no checkpoint of this log`);
    }
    if (position > this.newest()) this.violation(`O7 boundary ${position} is newer than every checkpoint`);
  }

  #newestBoundary(): number {
    const last = this.#disk().names(`${JOB}/gc/`).at(-1);
    return last === undefined ? 0 : Number(last.slice(-20));
  }
}

/** No handler of a program under test throws, unless something has gone wrong before. */
const THREADS_DIE: ReadonlySet<string> = new Set(['WORKER_LOST', 'WORKER_START']);

function partNames(record: CheckpointRecord): readonly string[] {
  return filesOf(record).map((path) => `${JOB}/${path}`);
}

function cutOf(record: LogRecord): string | null {
  return record.kind === 'checkpoint' ? `${record.term}/${record.cut}` : null;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
