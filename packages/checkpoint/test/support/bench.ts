import {
  type CheckpointRecord,
  decodeRecord,
  Generator,
  type GeneratorOptions,
  limits,
  Log,
  logName,
  NO_WORK,
  type PartBlock,
  type PartFile,
  type PartSays,
  type PartStats,
  type Published,
  Retention,
} from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { ManualClock, settled } from '../../../actors/test/support/manual-clock.ts';
import { JOB } from './job-log.ts';
import { framed } from './parts.ts';
import { ScriptedStore } from './scripted-store.ts';

export const THREADS = 3;
export const TERM = 4;
const KEEP = Number.POSITIVE_INFINITY;

/** A generator on a bench: its threads are the test, which reports their parts by hand. */
export class Bench {
  readonly memory: MemoryStore;
  readonly store: ScriptedStore;
  readonly clock: ManualClock;
  readonly generator: Generator;
  /** What the generator told the system, oldest first. */
  readonly told: string[] = [];
  readonly released: Published[] = [];
  readonly failures: { readonly cut: number; readonly code: unknown; readonly message: string }[] = [];
  ended: Error | null = null;

  private constructor(place: Place, log: Log, given: Partial<GeneratorOptions>) {
    const { memory, store, clock } = place;
    this.memory = memory;
    this.store = store;
    this.clock = clock;
    const warn = (): void => undefined;
    const retention = new Retention({ store, job: JOB, log, keep: KEEP, clock, recordsPerPass: 60, warn });
    this.generator = new Generator({
      store,
      log,
      job: JOB,
      term: TERM,
      clock,
      newId: () => '00ff',
      threads: THREADS,
      definitions: { counter: 3 },
      nextCut: 1,
      schedule: null,
      work: () => NO_WORK,
      retention,
      compressor: null,
      captureBytesMax: Number.POSITIVE_INFINITY,
      inlineBytesMax: limits.INLINE_BYTES_MAX,
      begin: (cut, published) => this.told.push(`begin ${cut} after ${published}`),
      abandon: (cut) => this.told.push(`abandon ${cut}`),
      settled: () => this.told.push('settled'),
      release: (published) => {
        this.told.push(`release ${published.cut} at ${published.position}`);
        this.released.push(published);
      },
      failed: (cut, error) => this.failures.push({ cut, code: 'code' in error && error.code, message: error.message }),
      end: (error) => {
        this.told.push('end');
        this.ended = error;
        log.close();
      },
      app: () => ({ app: { plan: 1 }, finished: false }),
      ...given,
    });
  }

  /** With a term record in the log, at position 1. */
  static async open(given: Partial<GeneratorOptions> = {}, clock = new ManualClock()): Promise<Bench> {
    const memory = new MemoryStore('bench');
    const store = new ScriptedStore(memory);
    const log = await Log.open(store, JOB, clock);
    await log.put({ kind: 'term', from: 'fresh', host: 'somewhere', pid: 1 }, TERM);
    return new Bench({ memory, store, clock }, log, given);
  }

  /** Asks for a checkpoint. What becomes of it can be looked at while it is under way. */
  async ask(): Promise<Asked> {
    const asked: Asked = { published: null, error: null };
    this.generator.checkpoint().then(
      (published) => (asked.published = published),
      (error: unknown) => (asked.error = error),
    );
    await settled();
    return asked;
  }

  /** A thread gives its whole part of a cut. */
  part(thread: number, cut: number, { sizeBytes = 100, stats = {} }: GivenPart = {}): void {
    this.generator.part(thread, block(cut, sizeBytes, thread));
    this.generator.part(thread, done(cut, stats));
  }

  /** All threads give their parts. */
  async parts(cut: number, part: GivenPart = {}): Promise<void> {
    for (let thread = 0; thread < THREADS; thread++) this.part(thread, cut, part);
    await settled();
  }

  async record(position: number): Promise<CheckpointRecord> {
    const name = logName(JOB, position);
    return decodeRecord(await this.memory.get(name), name) as CheckpointRecord;
  }

  async positions(): Promise<number[]> {
    return (await this.memory.list(`${JOB}/log/`)).map((name) => Number(name.slice(-20)));
  }
}

interface Place {
  readonly memory: MemoryStore;
  readonly store: ScriptedStore;
  readonly clock: ManualClock;
}

export interface Asked {
  published: Published | null;
  error: unknown;
}

interface GivenPart {
  readonly sizeBytes?: number;
  readonly stats?: Partial<PartStats>;
}

/** Its payload stands for entries: nobody reads them here. */
function blockOf(cut: number, sizeBytes: number, thread = 0): PartBlock {
  const bytes = new Uint8Array(limits.BLOCK_HEAD_BYTES + sizeBytes).fill(cut * 16 + thread);
  return { bytes, entries: 0, holds: [] };
}

/** The file that a part of one such block becomes. */
export function fileOf(cut: number, sizeBytes: number, thread = 0): Uint8Array {
  return framed([blockOf(cut, sizeBytes, thread)], cut);
}

/** A piece of a part, filled with the number of its cut and thread. */
export function block(cut: number, sizeBytes: number, thread = 0): PartSays {
  return { kind: 'block', cut, block: blockOf(cut, sizeBytes, thread) };
}

export function done(
  cut: number,
  stats: Partial<PartStats> = {},
  file: PartFile = { base: 0, inline: true },
): PartSays {
  const counts = { units: 0, messages: 0, frames: 0, bytes: 0, definitions: [] };
  const times = {
    flippedAt: 0,
    markersAt: 0,
    lastMarker: null,
    capturedAt: 0,
    doneAt: 0,
    encodeMs: 0,
    collectMs: 0,
    preemptMs: 0,
    pauseMs: 0,
  };
  const zero = { ...counts, ...times, releases: false };
  return { kind: 'done', cut, file, stats: { ...zero, ...stats } };
}
