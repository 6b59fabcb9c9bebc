import {
  captureEach,
  type CutHooks,
  type Frame,
  type Marker,
  oneAfterTheOther,
  type Runtime,
} from '@tidemark/actors/internal/worker';
import { BlockPool } from './block-pool.ts';
import { Chain, type NextFile } from './chain.ts';
import { type Instant, PauseMeter } from './pause-meter.ts';
import { type PartBlock, PartWriter, type PartCounts } from './part-writer.ts';
import type { DefinitionCount } from './record.ts';

/** What a thread reports of its part of a cut. */
export type PartSays =
  /** The thread has entered the cut. */
  { readonly kind: 'flipped'; readonly cut: number } | PartOfCut;

/** A piece of its part, or the end of it. */
export type PartOfCut =
  | { readonly kind: 'block'; readonly cut: number; readonly block: PartBlock }
  | { readonly kind: 'done'; readonly cut: number; readonly file: PartFile; readonly stats: PartStats };

/** How a part goes together with those before it. */
export interface PartFile {
  /** Cut of the file of this thread that it builds on; 0 for none: it is a full file. */
  readonly base: number;
  /** It may lie in the record itself, if it is small: no later file builds on it. */
  readonly inline: boolean;
}

export interface PartStats extends PartCounts {
  /** Monotonic milliseconds of the flip, comparable between threads. */
  readonly flippedAt: number;
  /** Of the last marker, and whose it was; of the flip where no other thread is. */
  readonly markersAt: number;
  readonly lastMarker: number | null;
  readonly capturedAt: number;
  readonly doneAt: number;
  /** Spent on capturing between turns. */
  readonly encodeMs: number;
  readonly definitions: readonly DefinitionCount[];
  /**
   * Longest stretch in which this thread had mail and ran no turn because of the cut, without collections of garbage and without
   * what the system gave to other threads meanwhile.
   */
  readonly pauseMs: number;
  /** Collections of garbage from the flip to the end, together. */
  readonly collectMs: number;
  /** For how long this thread had no core meanwhile, together. */
  readonly preemptMs: number;
  /** The part carries a sink batch that this checkpoint will release. */
  readonly releases: boolean;
}

interface OpenCut {
  readonly cut: number;
  readonly writer: PartWriter;
  readonly file: NextFile;
  /** Threads whose marker has not come: their channels are recorded (C4). */
  readonly waiting: Set<number>;
  readonly rest: Generator<void, void, void>;
  readonly recorded: { readonly frame: Frame; readonly from: number }[];
  readonly pause: PauseMeter;
  readonly releases: boolean;
  captured: boolean;
  markersAt: number;
  lastMarker: number | null;
  capturedAt: number;
  encodeMs: number;
}

/** Units captured between two looks at the clock. */
const UNITS_PER_LOOK = 8;

/**
 * One thread's side of the cut: flips, captures, records, and reports its part.
 *
 * Owns the part being written, and the chain that it belongs to. Does not own units or channels (they give themselves to
 * the writer), nor decisions.
 * Invariants: C1–C6 and C22 of SPEC.md.
 */
export class Participant implements CutHooks {
  readonly #runtime: Runtime;
  readonly #say: (says: PartSays) => void;
  readonly #chain: Chain;
  readonly #inlineBytesMax: number;
  /** What was stored of its earlier parts comes back here. */
  readonly blocks = new BlockPool((bytes) => new ArrayBuffer(bytes));
  #open: OpenCut | null = null;
  /** Newest cut that this thread has entered or heard to be abandoned. */
  #newest = 0;

  /** `inlineBytesMax`: see Environment. */
  constructor(runtime: Runtime, inlineBytesMax: number, say: (says: PartSays) => void) {
    this.#runtime = runtime;
    this.#inlineBytesMax = inlineBytesMax;
    this.#say = say;
    this.#chain = new Chain(runtime.thread, runtime.workers + 1, inlineBytesMax);
  }

  marker(marker: Marker, from: number): void {
    if (marker.cut > this.#newest) this.flip(marker.cut, marker.published);
    const open = this.#open;
    if (open?.cut !== marker.cut) return;
    open.waiting.delete(from);
    open.lastMarker = from;
    if (open.waiting.size === 0) open.markersAt = this.#runtime.clock.monotonic();
  }

  arrived(frame: Frame, from: number): void {
    if (this.#open?.waiting.has(from) === true) this.#open.recorded.push({ frame, from });
  }

  /**
   * Enters cut `cut` (C1). Called between turns: by the generator on the host, by the first marker on a worker.
   * `published` is the newest cut that was published.
   */
  flip(cut: number, published: number): void {
    const runtime = this.#runtime;
    const pause = new PauseMeter(runtime.clock);
    const { begun } = pause;
    this.#drop();
    this.#newest = cut;
    const writer = new PartWriter(this.blocks, (block) => this.#say({ kind: 'block', cut, block }));
    const recorded = [...runtime.arrivedFrames];
    const file = this.#chain.next(published, runtime.cut.changed);
    runtime.cut.begin(cut, file.base, writer);
    let releases = false;
    for (const task of runtime.tasks) releases = task.flip() || releases;
    for (const channel of runtime.channels) {
      channel.flip(cut, published, (frame) => writer.outbox(frame, channel.thread));
    }
    this.#open = {
      cut,
      writer,
      file,
      waiting: new Set(runtime.channels.map((channel) => channel.thread)),
      rest: captureAll(runtime, file),
      recorded,
      pause,
      releases,
      captured: false,
      markersAt: begun.at,
      lastMarker: null,
      capturedAt: begun.at,
      encodeMs: 0,
    };
    pause.note(begun);
    runtime.wake();
    this.#say({ kind: 'flipped', cut });
  }

  work(deadline: number): boolean {
    const open = this.#open;
    if (open === null) return false;
    const begin = open.pause.look();
    open.pause.settle(begin.at);
    if (!open.captured) {
      this.#captureRest(open, deadline);
      open.capturedAt = this.#runtime.clock.monotonic();
      open.encodeMs += open.capturedAt - begin.at;
    }
    if (open.captured && open.waiting.size === 0) {
      this.#finish(open, begin);
      return false;
    }
    if (this.#runtime.hasMail) open.pause.note(begin);
    return !open.captured;
  }

  /** A newer cut or the generator's word: the part is dropped. */
  abandon(cut: number): void {
    this.#newest = Math.max(this.#newest, cut);
    if (this.#open?.cut === cut) this.#drop();
  }

  #captureRest(open: OpenCut, deadline: number): void {
    const { clock } = this.#runtime;
    do {
      for (let i = 0; i < UNITS_PER_LOOK && !open.captured; i++) open.captured = open.rest.next().done === true;
    } while (!open.captured && clock.monotonic() < deadline);
    open.writer.settle();
  }

  #finish(open: OpenCut, begin: Instant): void {
    this.#open = null;
    for (const { frame, from } of open.recorded) open.writer.channel(frame, from);
    open.writer.end();
    if (this.#runtime.hasMail) open.pause.note(begin);
    const { cut, file, writer } = open;
    this.#chain.done(cut, file, writer.counts, this.#runtime.cut.end());
    const doneAt = this.#runtime.clock.monotonic();
    open.pause.end(() => this.#tellDone(open, doneAt));
  }

  #tellDone(open: OpenCut, doneAt: number): void {
    const { cut, file, pause, markersAt, lastMarker, capturedAt, encodeMs, releases } = open;
    const { pauseMs, preemptMs } = pause;
    const flippedAt = pause.begun.at;
    const { counts } = open.writer;
    const collectMs = this.#runtime.clock.collected?.(flippedAt, doneAt) ?? 0;
    // A full file that is small is followed by another one.
    const inline = file.base === 0 ? counts.bytes <= this.#inlineBytesMax : file.leaf;
    const definitions = open.writer.definitions.all();
    const times = { flippedAt, markersAt, lastMarker, capturedAt, doneAt, encodeMs, pauseMs, collectMs, preemptMs };
    const stats = { ...counts, ...times, definitions, releases };
    this.#say({ kind: 'done', cut, file: { base: file.base, inline }, stats });
  }

  #drop(): void {
    if (this.#open === null) return;
    this.#open = null;
    this.#runtime.cut.end();
    for (const channel of this.#runtime.channels) channel.abandon();
  }
}

/** All that the part must have, one after the other. What is not touched before is captured here. */
function captureAll(runtime: Runtime, file: NextFile): Generator<void, void, void> {
  const units = file.base === 0 ? runtime.captureUnits() : captureChanged(runtime, file);
  return oneAfterTheOther([runtime.captureMotion(), units, runtime.cut.captureReplaced()]);
}

function* captureChanged({ cut }: Runtime, { changed }: NextFile): Generator<void, void, void> {
  for (const { pieces } of changed) {
    for (const piece of pieces) yield* captureEach(cut, piece);
  }
}
