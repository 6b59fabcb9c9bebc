import type {
  ChannelItem,
  HostSays,
  Install,
  Peer,
  Threads,
  ThreadsOptions,
  WorkerLine,
  WorkerSays,
  WorkerSeat,
} from '@tidemark/actors/internal';
import { workerBody } from '@tidemark/checkpoint/internal';
import { type Carry, SimPort, Way } from './port.ts';
import type { SimThread } from './thread.ts';

/** What a planted bug may do wrongly between threads. */
export interface Wires {
  readonly carry: Carry | null;
  /** What the host says to a worker, changed on its way. */
  readonly say: ((says: HostSays) => HostSays) | null;
  /** The host has sent a marker: a cut begins. */
  readonly marker?: () => void;
}

/** Largest virtual milliseconds that a worker takes to load its modules. */
const LOAD_MS = 50;

/**
 * The worker threads of one simulated process, each with the production body of a worker.
 *
 * Owns the ways between threads. Does not own the threads' clocks and lanes (SimThread), nor when anything is delivered.
 *
 * - V4 What is handed over is copied or moved: two threads never share memory, but for the flags that real ones share.
 * - V5 A worker that died says nothing more; what it had said before still arrives.
 */
export class SimThreads implements Threads {
  readonly lines: readonly WorkerLine[];
  readonly #host: SimThread;
  readonly #places: readonly Place[];
  readonly #wires: Wires;

  /**
   * @param seat makes the thread of a worker, at the start and whenever one is replaced
   * @param install what a worker adds, made of its thread; null for nothing
   */
  constructor(
    host: SimThread,
    seat: (number: number) => SimThread,
    options: ThreadsOptions,
    wires: Wires,
    inlineBytesMax: number,
    install: ((worker: SimThread) => Install) | null,
  ) {
    this.#host = host;
    this.#wires = wires;
    this.#places = Array.from(
      { length: options.workers },
      (_, index) => new Place({ number: index + 1, host, seat, lost: options.lost, wires, inlineBytesMax, install }),
    );
    this.lines = this.#places;
  }

  connect(generation: number): readonly Peer[] {
    for (const place of this.#places) place.revive();
    const ports = connectAll([this.#host, ...this.#places.map(({ worker }) => worker)], this.#wires);
    for (const place of this.#places) place.connect(generation, ports[place.thread]);
    return ports[0];
  }

  end(thread: number): void {
    this.#places[thread - 1].endNow();
  }

  async stop(): Promise<void> {
    for (const place of this.#places) place.leave();
    await Promise.all(this.#places.map(({ ended }) => ended));
    for (const place of this.#places) place.close();
  }

  /** The threads end some time later, whatever they do. */
  kill(): Promise<void> {
    for (const place of this.#places) place.close();
    const pool = this.#host.lane('pool');
    return new Promise((resolve) => {
      pool.push(() => {
        for (const place of this.#places) place.endNow();
        resolve();
      });
    });
  }

  /** A worker dies now. The host hears of it later. */
  killWorker(number: number): void {
    this.#places[number - 1]?.die(new Error('the simulated worker died'));
  }

  refresh(): void {
    for (const place of this.#places) place.worker.refresh();
  }

  killAll(): void {
    for (const place of this.#places) place.worker.kill();
  }
}

interface PlaceOptions {
  readonly number: number;
  readonly host: SimThread;
  readonly seat: (number: number) => SimThread;
  readonly lost: ThreadsOptions['lost'];
  readonly wires: Wires;
  readonly inlineBytesMax: number;
  readonly install: ((worker: SimThread) => Install) | null;
}

/** The place of one worker: the thread that sits in it may die, and another takes it. */
class Place implements WorkerLine {
  readonly thread: number;
  worker: SimThread;
  /** Resolves when the host knows that the thread is gone. */
  ended: Promise<void> = Promise.resolve();
  readonly #options: PlaceOptions;
  #receive: ((says: WorkerSays) => void) | null = null;
  #down: Way<HostSays>;
  #up: Way<WorkerSays>;
  #closed: () => void = () => undefined;
  #gone: (cause: unknown) => void = () => undefined;
  #peers: { readonly generation: number; readonly peers: readonly Peer[] } | null = null;
  /** The host takes it for alive. */
  #known = false;
  #leaving = false;

  constructor(options: PlaceOptions) {
    this.thread = options.number;
    this.#options = options;
    this.worker = options.seat(this.thread);
    this.#down = new Way<HostSays>(this.worker, 'line');
    this.#up = new Way<WorkerSays>(options.host, `line of ${this.thread}`);
    this.#begin();
  }

  readonly say = (says: HostSays, transfer: readonly ArrayBuffer[] = []): void =>
    this.#down.post(structuredClone(this.#options.wires.say?.(says) ?? says, { transfer: [...transfer] }));

  readonly listen = (receive: (says: WorkerSays) => void): void => {
    this.#receive = receive;
    this.#up.listen(receive);
  };

  revive(): void {
    if (this.#known) return;
    this.#up.close();
    this.worker = this.#options.seat(this.thread);
    this.#down = new Way<HostSays>(this.worker, 'line');
    this.#up = new Way<WorkerSays>(this.#options.host, `line of ${this.thread}`);
    if (this.#receive !== null) this.#up.listen(this.#receive);
    this.#begin();
  }

  connect(generation: number, peers: readonly Peer[]): void {
    for (const { port } of this.#peers?.peers ?? []) port.close();
    this.#peers = { generation, peers };
  }

  leave(): void {
    this.#leaving = true;
    this.say({ kind: 'stop' });
  }

  close(): void {
    this.#leaving = true;
    this.#up.close();
    this.#down.behind(() => this.#closed());
  }

  die(cause: Error): void {
    if (!this.worker.alive) return;
    this.worker.kill();
    this.#gone(cause);
  }

  /** It is ended from outside: that is no news. */
  endNow(): void {
    this.#leaving = true;
    this.#known = false;
    this.die(new Error('the simulated worker was ended'));
  }

  #begin(): void {
    const { worker } = this;
    const { host, lost, inlineBytesMax, install } = this.#options;
    const { world } = worker;
    const [down, up] = [this.#down, this.#up];
    this.#known = true;
    this.#leaving = false;
    this.#peers = null;
    const end = host.lane(`end of ${this.thread}`);
    this.ended = new Promise((resolve) => {
      this.#gone = (cause) => {
        end.push(() => {
          resolve();
          if (this.worker !== worker || this.#leaving) return;
          this.#known = false;
          lost(this.thread, cause);
        });
      };
    });
    const gone = this.#gone;
    const load = worker.lane('load');
    const seat: WorkerSeat = {
      line: {
        say: (says, transfer) => up.post(structuredClone(says, { transfer: [...transfer] })),
        listen: (receive, closed) => {
          this.#closed = closed;
          down.listen(receive);
        },
        close: () => down.close(),
      },
      peers: (generation) => {
        if (this.#peers?.generation !== generation) throw new RangeError(`no channels of generation ${generation}`);
        const { peers } = this.#peers;
        this.#peers = null;
        return peers;
      },
      clock: worker.clock,
      random: () => world.chance.fraction(),
      load: () =>
        new Promise(
          (resolve) => void world.after(load, world.chance.skewed(LOAD_MS), () => resolve(install?.(worker) ?? null)),
        ),
    };
    const body = workerBody(seat, inlineBytesMax);
    body.then(() => gone(new Error('the worker ended without being told to')), gone);
  }
}

/** One channel for each pair of threads: a FIFO way in both directions. */
function connectAll(threads: readonly SimThread[], { carry, marker }: Wires): readonly (readonly Peer[])[] {
  const ends: Peer[][] = threads.map(() => []);
  for (const [a, one] of threads.entries()) {
    for (const [b, other] of threads.entries()) {
      if (b <= a) continue;
      const there = new Way<ChannelItem>(other, `from ${a}`);
      const back = new Way<ChannelItem>(one, `from ${b}`);
      ends[a].push({ thread: b, port: new SimPort(there, back, carry, a === 0 ? marker : undefined) });
      ends[b].push({ thread: a, port: new SimPort(back, there, carry, undefined) });
    }
  }
  return ends;
}
