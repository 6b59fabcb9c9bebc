import type { Clock, Envelope } from '@tidemark/actors/internal';
import { Runtime } from '@tidemark/actors/internal';
import {
  distribute,
  loadHere,
  mergeFiles,
  type PartBlock,
  type PartContent,
  type PartFile,
  type PartFileContent,
  Participant,
  type PartSays,
  readPart,
} from '@tidemark/checkpoint/internal';
import { Network } from '../../../actors/test/support/network.ts';
import { Chance } from '@tidemark/actors/testing/internal';
import { framed } from './parts.ts';
import { recordOf } from './records.ts';

/** Every part may begin a chain of files. */
const INLINE_BYTES = 0;
/** Of the cuts that are whole; the others are attempts that came to nothing. */
const PUBLISHED_SHARE = 0.8;

/** A cut of which every thread has reported its part. */
export interface WholeCut {
  readonly cut: number;
  readonly parts: readonly PartContent[];
  /** What `Simulation.atFlip` gave when the host entered the cut. */
  readonly atFlip: number;
}

/**
 * Host and workers with their participants, in one thread and in an order that only the seed decides: which thread runs
 * a slice, how long it is, which way delivers, when a cut begins, and whether the one before it is done by then.
 */
export class Simulation {
  readonly runtimes: readonly Runtime[];
  readonly whole: WholeCut[] = [];
  /** Number of the newest cut that was begun, and of the last before this simulation. */
  begun = 0;
  first = 0;
  longestChain = 0;
  readonly #chance: Chance;
  readonly #network: Network;
  readonly #participants: readonly Participant[];
  /** What each thread was to run soon. */
  readonly #soon: (() => void)[][];
  /** What the host said to each worker and is not yet heard: FIFO, but no neighbour of the channels. */
  readonly #lines: (() => void)[][];
  readonly #atFlip: () => number;
  #blocks = new Map<string, PartBlock[]>();
  /** Files that a thread's next part may build on, and the newest cut that was published. */
  readonly #chains: { readonly cut: number; readonly content: PartFileContent }[][];
  #published = 0;
  #files = new Map<string, PartFile>();
  #done = new Map<number, Set<number>>();
  #flips = new Map<number, number>();

  constructor(chance: Chance, workers: number, atFlip: () => number) {
    this.#chance = chance;
    this.#network = new Network(workers + 1);
    this.#soon = Array.from({ length: workers + 1 }, () => []);
    this.#lines = Array.from({ length: workers + 1 }, () => []);
    this.#atFlip = atFlip;
    this.#chains = Array.from({ length: workers + 1 }, () => []);
    const ingress = new Int32Array(workers + 1);
    this.runtimes = this.#soon.map(
      (_, thread) =>
        new Runtime({
          thread,
          workers,
          generation: 1,
          term: 1,
          clock: this.#clock(thread),
          peers: this.#network.peers(thread),
          ingress,
          fail: (error) => {
            throw error;
          },
          log: () => undefined,
        }),
    );
    this.#participants = this.runtimes.map((runtime, thread) => {
      const participant = new Participant(runtime, INLINE_BYTES, (says) => this.#heard(thread, says));
      runtime.useHooks(participant);
      return participant;
    });
  }

  /** Threads with what a cut holds, spread over another number of workers. */
  static restored(chance: Chance, workers: number, from: WholeCut, atFlip: () => number): Simulation {
    const simulation = new Simulation(chance, workers, atFlip);
    simulation.begun = from.cut;
    simulation.first = from.cut;
    const loads = distribute(recordOf({ cut: from.cut }), from.parts, workers, NO_TASKS);
    for (const [thread, load] of loads.entries()) loadHere(simulation.runtimes[thread], load);
    return simulation;
  }

  go(): this {
    for (const runtime of this.runtimes) runtime.go();
    return this;
  }

  send(envelope: Omit<Envelope, 'reply'>): void {
    this.runtimes[0].send({ ...envelope, reply: null });
  }

  /** Begins a cut; one that is still open is abandoned, which the workers hear sooner or later. */
  beginCut(): void {
    const open = this.begun;
    if (open > 0 && !this.whole.some(({ cut }) => cut === open)) {
      this.#participants[0].abandon(open);
      for (const [thread, line] of this.#lines.entries()) {
        if (thread > 0) line.push(() => this.#participants[thread].abandon(open));
      }
    }
    const cut = ++this.begun;
    this.#flips.set(cut, this.#atFlip());
    this.#participants[0].flip(cut, this.#published);
  }

  /** Something happens somewhere. Answers whether anything could. */
  step(): boolean {
    const moves = [
      ...this.#network.loaded.map(
        ({ from, to }) =>
          () =>
            this.#network.deliver(from, to),
      ),
      ...this.#soon.filter((waiting) => waiting.length > 0).map((waiting) => () => waiting.shift()?.()),
      ...this.#lines.filter((waiting) => waiting.length > 0).map((waiting) => () => waiting.shift()?.()),
    ];
    if (moves.length === 0) return false;
    this.#chance.pick(moves)();
    return true;
  }

  #heard(thread: number, says: PartSays): void {
    if (says.kind === 'flipped') return;
    const key = `${says.cut}/${thread}`;
    if (says.kind === 'block') {
      this.#blocks.set(key, [...(this.#blocks.get(key) ?? []), says.block]);
      return;
    }
    const done = this.#done.get(says.cut) ?? new Set();
    this.#done.set(says.cut, done.add(thread));
    this.#files.set(key, says.file);
    if (done.size < this.runtimes.length) return;
    const chains = this.runtimes.map((_, each) => this.#chainOf(each, says.cut));
    const parts = chains.map((chain) => mergeFiles(chain.map(({ content }) => content)));
    this.whole.push({ cut: says.cut, parts, atFlip: this.#flips.get(says.cut) ?? 0 });
    this.longestChain = Math.max(this.longestChain, ...chains.map(({ length }) => length));
    // Its record may come to nothing.
    if (says.cut !== this.begun || !this.#chance.isTrue(PUBLISHED_SHARE)) return;
    this.#published = says.cut;
    for (const [each, chain] of chains.entries()) this.#chains[each] = chain;
  }

  /** The files that a thread's part of a cut is read from. */
  #chainOf(thread: number, cut: number): { readonly cut: number; readonly content: PartFileContent }[] {
    const { base } = this.#files.get(`${cut}/${thread}`) ?? { base: 0 };
    const content = readPart(framed(this.#blocks.get(`${cut}/${thread}`) ?? [], cut, base));
    return [...this.#chains[thread].filter((file) => file.cut <= base), { cut, content }];
  }

  /** Each look at it moves it on by a chance, so that slices end anywhere. */
  #clock(thread: number): Clock {
    let ms = 0;
    return {
      now: () => ms,
      monotonic: () => (ms += this.#chance.fraction() * 1.5),
      after: () => () => undefined,
      soon: (run) => void this.#soon[thread].push(run),
    };
  }
}

const NO_TASKS = { knows: () => false, placeUnit: () => 0, splitBatch: () => new Map() };
