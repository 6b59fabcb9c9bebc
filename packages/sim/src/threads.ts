import type {
  ChannelItem,
  HostSays,
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
  readonly peers: readonly Peer[];
  readonly #host: SimThread;
  readonly #workers: readonly SimThread[];
  readonly #closing: (() => void)[] = [];
  readonly #ended: Promise<void>[] = [];
  readonly #ends: ((cause: unknown) => void)[] = [];
  readonly #lost: ThreadsOptions['lost'];
  readonly #inlineBytesMax: number;
  #stopping = false;

  constructor(
    host: SimThread,
    workers: readonly SimThread[],
    options: ThreadsOptions,
    wires: Wires,
    inlineBytesMax: number,
  ) {
    this.#host = host;
    this.#inlineBytesMax = inlineBytesMax;
    this.#workers = workers;
    this.#lost = options.lost;
    const ports = connectAll([host, ...workers], wires);
    this.peers = ports[0];
    this.lines = workers.map((worker, index) => this.#start(worker, ports[index + 1], wires));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const line of this.lines) line.say({ kind: 'stop' });
    await Promise.all(this.#ended);
    for (const close of this.#closing) close();
  }

  /** The threads end some time later, whatever they do. */
  kill(): Promise<void> {
    this.#stopping = true;
    for (const close of this.#closing) close();
    const pool = this.#host.lane('pool');
    return new Promise((resolve) => {
      pool.push(() => {
        for (const worker of this.#workers) {
          worker.kill();
          this.#ends[worker.number - 1](new Error('the simulated worker was ended'));
        }
        resolve();
      });
    });
  }

  /** A worker dies now. The host hears of it later. */
  killWorker(number: number): void {
    const worker = this.#workers[number - 1];
    if (worker === undefined || !worker.alive) return;
    worker.kill();
    this.#ends[number - 1](new Error('the simulated worker died'));
  }

  refresh(): void {
    for (const worker of this.#workers) worker.refresh();
  }

  killAll(): void {
    for (const worker of this.#workers) worker.kill();
  }

  #start(worker: SimThread, peers: readonly Peer[], wires: Wires): WorkerLine {
    const { world } = worker;
    const down = new Way<HostSays>(worker, 'line');
    const up = new Way<WorkerSays>(this.#host, `line of ${worker.number}`);
    let closed: () => void = () => undefined;
    this.#closing.push(() => {
      up.close();
      down.behind(() => closed());
    });
    const load = worker.lane('load');
    const seat: WorkerSeat = {
      line: {
        say: (says, transfer) => up.post(structuredClone(says, { transfer: [...transfer] })),
        listen(receive, whenClosed) {
          closed = whenClosed;
          down.listen(receive);
        },
        close: () => down.close(),
      },
      peers,
      clock: worker.clock,
      load: () => new Promise((resolve) => void world.after(load, world.chance.skewed(LOAD_MS), () => resolve(null))),
    };
    const body = workerBody(seat, this.#inlineBytesMax);
    const pool = this.#host.lane(`end of ${worker.number}`);
    this.#ended.push(
      new Promise((resolve) => {
        this.#ends.push((cause) => {
          pool.push(() => {
            if (!this.#stopping) this.#lost(worker.number, cause);
            resolve();
          });
        });
      }),
    );
    const end = this.#ends[worker.number - 1];
    body.then(() => end(new Error('the worker ended without being told to')), end);
    return {
      thread: worker.number,
      say: (says) => down.post(structuredClone(wires.say?.(says) ?? says)),
      listen: (receive) => up.listen(receive),
    };
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
