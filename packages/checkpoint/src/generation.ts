import {
  type ActorAddress,
  type Answer,
  type Clock,
  type DeadLetter,
  type HungCall,
  type LookAtResources,
  type OpenAsks,
  type Peer,
  Runtime,
  type ServedAnswer,
  type Sight,
  viewThread,
  type WorkerLine,
} from '@tidemark/actors/internal';
import { Participant, type PartSays } from './participant.ts';
import { loadHere, type Loads } from './recovery.ts';
import { systemView, type SystemView } from './system-view.ts';
import { sharedWork, type WorkDone, workDone } from './work.ts';
import { type Reply, WorkerGroup } from './worker-group.ts';

export interface GenerationOptions {
  readonly number: number;
  readonly term: number;
  readonly workers: number;
  /** Cut of the checkpoint that it begins with; 0 for none. */
  readonly cut: number;
  /** See Environment. */
  readonly inlineBytesMax: number;
  readonly clock: Clock;
  /** The host's ends of this generation's channels. */
  readonly peers: readonly Peer[];
  readonly lines: readonly WorkerLine[];
  readonly fail: (error: unknown) => void;
  readonly log: (text: string) => void;
  readonly answered: (ask: number, term: number, answer: Answer, cut: number) => void;
  /** A message to an actor of the host was set aside. */
  readonly letter: (letter: DeadLetter) => void;
  /** Actors whose turns have thrown. */
  readonly careful: readonly ActorAddress[];
  /** See ThreadSettings. */
  readonly hungServiceMs: number;
  /** A call of a service of the host does not heed that it was aborted. */
  readonly hung: (call: HungCall) => void;
  /** In [0, 1). */
  readonly random: () => number;
  /** The host's own part of a cut. */
  readonly part: (says: PartSays) => void;
}

/**
 * What runs between two rollbacks: the host's runtime with its side of the cut, and the workers' runtimes, which know
 * the same number. Owns them; does not own threads, log and generator, which outlive it.
 */
export class Generation {
  readonly number: number;
  readonly runtime: Runtime;
  readonly participant: Participant;
  readonly workers: WorkerGroup;
  readonly #options: GenerationOptions;
  readonly #ingress: Int32Array;
  readonly #work: Float64Array;
  readonly #calls: Int32Array;
  #running = false;

  constructor(options: GenerationOptions) {
    const { number, term, workers, cut, clock, peers, fail, log, answered, letter, careful, random } = options;
    const { hungServiceMs, hung } = options;
    this.#options = options;
    this.number = number;
    // Of its own: who died may have closed the ingress, and nobody would open it.
    this.#ingress = new Int32Array(new SharedArrayBuffer(4 * (workers + 1)));
    const ingress = this.#ingress;
    this.#work = sharedWork(workers + 1);
    this.#calls = new Int32Array(new SharedArrayBuffer(4 * (workers + 1)));
    this.runtime = new Runtime({
      thread: 0,
      workers,
      generation: number,
      term,
      cut,
      clock,
      peers,
      ingress,
      work: this.#work,
      fail,
      log,
      answered,
      letter,
      careful,
      random,
      calls: this.#calls,
      line: {
        serve: (thread, envelope, moved) => this.workers.say(thread, { kind: 'serve', envelope }, moved),
        abort: (thread, id) => this.workers.say(thread, { kind: 'abort-call', id }),
      },
      hungServiceMs,
      hung,
    });
    this.participant = new Participant(this.runtime, options.inlineBytesMax, options.part);
    this.runtime.useHooks(this.participant);
    this.workers = new WorkerGroup(options.lines, clock);
  }

  /** Starts the workers' side and gives every thread its units and its motion back (C18). */
  async start(extensionData: unknown, loads: Loads): Promise<void> {
    const { number: generation, term, workers, careful, hungServiceMs } = this.#options;
    const shared = { ingress: this.#ingress, work: this.#work, calls: this.#calls };
    await this.workers.start({ generation, term, workers, extensionData, careful, hungServiceMs, ...shared });
    loadHere(this.runtime, loads[0]);
    await this.workers.load(loads);
  }

  /** What all threads have done since it began. */
  get work(): WorkDone {
    return workDone(this.#work);
  }

  go(): void {
    this.#running = true;
    this.workers.sayAll({ kind: 'go' });
    this.runtime.go();
  }

  /** A thread may use the memory of its stored blocks again. */
  spare(thread: number, buffers: readonly ArrayBuffer[]): void {
    if (buffers.length === 0) return;
    if (thread === 0) this.participant.blocks.add(buffers);
    else this.workers.say(thread, { kind: 'spare', buffers }, buffers);
  }

  heard(thread: number, says: Reply): void {
    this.workers.heard(thread, says);
  }

  /** A service has answered the app, by the line. */
  served({ ask, term, answer, cut }: ServedAnswer): void {
    this.#options.answered(ask, term, answer, cut);
  }

  /** What was set aside, in all threads. */
  async letters(): Promise<readonly DeadLetter[]> {
    return [this.runtime.letters(), ...(await this.workers.letters())].flat();
  }

  async look(): Promise<readonly Sight[]> {
    const own = this.runtime.look();
    return [own, ...(await this.workers.look())];
  }

  /** What its threads do. While it is loaded, and when it is over, there is nothing to be seen. */
  async inspect(timeoutMs: number, resources: LookAtResources | null, asks: OpenAsks): Promise<SystemView> {
    const silent = Array.from(
      { length: this.#options.workers + 1 },
      (_, thread) => ({ thread, answered: false }) as const,
    );
    if (!this.#running) return systemView(this.number, 'going-back', silent, asks);
    const own = viewThread(this.runtime.inside, resources);
    const others = await this.workers.inspect(timeoutMs);
    const seen = [{ thread: 0, answered: true as const, ...(await own) }, ...others];
    return systemView(this.number, this.#running ? 'running' : 'going-back', seen, asks);
  }

  /** Nothing of it runs on the host any more; who waits for its workers hears why. */
  stop(reason: Error): void {
    this.#running = false;
    this.runtime.stop();
    this.workers.fail(reason);
  }
}
