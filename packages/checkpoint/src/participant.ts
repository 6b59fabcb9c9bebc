import type { CutHooks, Frame, Marker, Runtime } from '@tidemark/actors/internal';
import { PartWriter, type PartCounts } from './part.ts';

/** What a thread reports of its part of a cut. */
export type PartSays =
  | { readonly kind: 'block'; readonly cut: number; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly cut: number; readonly stats: PartStats };

export interface PartStats extends PartCounts {
  /** Monotonic milliseconds of the flip, comparable between threads. */
  readonly flippedAt: number;
  readonly doneAt: number;
  /** Longest stretch in which this thread had mail and ran no turn because of the cut. */
  readonly pauseMs: number;
  /** The part carries a sink batch that this checkpoint will release. */
  readonly releases: boolean;
}

interface OpenCut {
  readonly cut: number;
  readonly writer: PartWriter;
  /** Threads whose marker has not come: their channels are recorded (C4). */
  readonly waiting: Set<number>;
  readonly rest: Generator<void, void, void>;
  readonly recorded: { readonly frame: Frame; readonly from: number }[];
  readonly flippedAt: number;
  readonly releases: boolean;
  captured: boolean;
  pauseMs: number;
}

/** Units captured between two looks at the clock. */
const UNITS_PER_LOOK = 8;

/**
 * One thread's side of the cut: flips, captures, records, and reports its part.
 *
 * Owns the part being written. Does not own units or channels (they give themselves to the writer), nor decisions.
 * Invariants: C1–C6 of SPEC.md.
 */
export class Participant implements CutHooks {
  readonly #runtime: Runtime;
  readonly #say: (says: PartSays) => void;
  #open: OpenCut | null = null;
  /** Newest cut that this thread has entered or heard to be abandoned. */
  #newest = 0;

  constructor(runtime: Runtime, say: (says: PartSays) => void) {
    this.#runtime = runtime;
    this.#say = say;
  }

  marker(marker: Marker, from: number): void {
    if (marker.cut > this.#newest) this.flip(marker.cut, marker.base);
    if (this.#open?.cut === marker.cut) this.#open.waiting.delete(from);
  }

  arrived(frame: Frame, from: number): void {
    if (this.#open?.waiting.has(from) === true) this.#open.recorded.push({ frame, from });
  }

  /** Enters cut `cut` (C1). Called between turns: by the generator on the host, by the first marker on a worker. */
  flip(cut: number, base: number): void {
    const runtime = this.#runtime;
    const flippedAt = runtime.clock.monotonic();
    this.#drop();
    this.#newest = cut;
    const writer = new PartWriter((bytes) => this.#say({ kind: 'block', cut, bytes }));
    const recorded = [...runtime.arrivedFrames];
    runtime.cut.cut = cut;
    runtime.cut.sink = writer;
    let releases = false;
    for (const task of runtime.tasks) releases = task.flip() || releases;
    for (const channel of runtime.channels) {
      channel.flip(cut, base, (frame) => writer.outbox(frame, channel.thread));
    }
    this.#open = {
      cut,
      writer,
      waiting: new Set(runtime.channels.map((channel) => channel.thread)),
      rest: runtime.capture(),
      recorded,
      flippedAt,
      releases,
      captured: false,
      pauseMs: runtime.clock.monotonic() - flippedAt,
    };
    runtime.wake();
  }

  work(deadline: number): boolean {
    const open = this.#open;
    if (open === null) return false;
    const begin = this.#runtime.clock.monotonic();
    if (!open.captured) this.#captureRest(open, deadline);
    if (open.captured && open.waiting.size === 0) {
      this.#finish(open, begin);
      return false;
    }
    this.#notePause(open, begin);
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
      for (let i = 0; i < UNITS_PER_LOOK; i++) {
        if (open.rest.next().done === true) {
          open.captured = true;
          return;
        }
      }
    } while (clock.monotonic() < deadline);
  }

  #finish(open: OpenCut, begin: number): void {
    this.#open = null;
    this.#runtime.cut.sink = null;
    for (const { frame, from } of open.recorded) open.writer.channel(frame, from);
    open.writer.end();
    this.#notePause(open, begin);
    const { flippedAt, pauseMs, releases } = open;
    const doneAt = this.#runtime.clock.monotonic();
    this.#say({ kind: 'done', cut: open.cut, stats: { ...open.writer.counts, flippedAt, doneAt, pauseMs, releases } });
  }

  #notePause(open: OpenCut, begin: number): void {
    if (!this.#runtime.hasMail) return;
    open.pauseMs = Math.max(open.pauseMs, this.#runtime.clock.monotonic() - begin);
  }

  #drop(): void {
    if (this.#open === null) return;
    this.#open = null;
    this.#runtime.cut.sink = null;
    for (const channel of this.#runtime.channels) channel.abandon();
  }
}
