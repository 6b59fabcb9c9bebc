import { ChurnMap } from './churn-map.ts';
import type { Clock } from './clock.ts';
import { Refusal } from './errors.ts';
import { type HungCall, HungCalls, type OpenHungCalls } from './hung-calls.ts';
import { ABORT, type Answer, type Envelope } from './messages.ts';
import { unmark, withMoves } from './move.ts';
import { serviceOf } from './service.ts';
import { inTrace } from './trace.ts';
import type { AnyService } from './types.ts';
import { copyAnswer } from './turn.ts';

/** A way to other threads beside the channels, for calls with moved buffers: no cut knows of it. FIFO. */
export interface ServiceLine {
  serve(thread: number, envelope: Envelope, moved: readonly ArrayBuffer[]): void;
  abort(thread: number, id: string): void;
}

export interface ServiceDeskOptions {
  readonly thread: number;
  readonly workers: number;
  /** Open calls by thread, in shared memory. */
  readonly load: Int32Array;
  readonly ingressOpen: () => boolean;
  /** Sends a request or an abort to a thread. */
  readonly sendTo: (thread: number, envelope: Envelope) => void;
  /** @param moved buffers in the answer that are not copied */
  readonly answer: (to: Envelope, answer: Answer, moved: readonly ArrayBuffer[]) => void;
  readonly clock: Clock;
  readonly line?: ServiceLine;
  readonly hungServiceMs?: number;
  readonly hung?: (call: HungCall) => void;
  readonly log: (text: string) => void;
}

/** One call that runs here, or waits in line. */
interface RunningCall {
  readonly id: string;
  readonly service: AnyService;
  readonly envelope: Envelope;
  readonly controller: AbortController;
  /** Monotonic milliseconds; 0 while it waits in line. */
  beganAt: number;
}

/**
 * Calls of services: where each is to run, and those that run in this thread.
 *
 * Owns them; nothing of them is in a checkpoint. An actor's question is, and is asked again after a restore.
 *
 * - A17 A call starts only while the ingress is open, and is answered once, unless it was aborted or its generation is over.
 */
export class ServiceDesk {
  readonly #options: ServiceDeskOptions;
  /** Calls that wait for the ingress. */
  #waiting: Envelope[] = [];
  readonly #running = new ChurnMap<string, RunningCall>();
  /** In line behind `maxConcurrent`, and how many run, by service. */
  readonly #lines = new Map<string, { running: number; readonly line: RunningCall[] }>();
  readonly #hung: HungCalls;
  #turn: number;
  #stopped = false;

  constructor(options: ServiceDeskOptions) {
    this.#options = options;
    this.#turn = options.thread;
    const { clock, hungServiceMs = 0, hung } = options;
    this.#hung = new HungCalls(clock, hungServiceMs, (call) => hung?.(call));
  }

  get running(): number {
    return this.#running.size;
  }

  /** Calls that were aborted and still run here. */
  get hung(): OpenHungCalls {
    return this.#hung.open;
  }

  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /** A call of an actor: it starts when there is room. */
  start(envelope: Envelope): void {
    if (this.#waiting.length === 0 && this.#options.ingressOpen()) this.startNow(envelope);
    else this.#waiting.push(envelope);
  }

  /** Chooses the thread, which it answers, and sends the call there. */
  startNow(envelope: Envelope): number {
    const thread = this.#choose(serviceOf(envelope.key));
    Atomics.add(this.#options.load, thread, 1);
    const { line, sendTo } = this.#options;
    if (thread === this.#options.thread) this.run(envelope);
    else if (line === undefined || envelope.moved === undefined) sendTo(thread, envelope);
    else serve(line, thread, envelope, envelope.moved);
    return thread;
  }

  /** Starts what has waited, as far as there is room. */
  startWaiting(): void {
    while (this.#waiting.length > 0 && this.#options.ingressOpen()) this.startNow(this.#waiting.shift()!);
  }

  /** A call has come to run here. */
  run(envelope: Envelope): void {
    const service = serviceOf(envelope.key);
    const call = { id: callIdOf(envelope), service, envelope, controller: new AbortController(), beganAt: 0 };
    this.#running.set(call.id, call);
    const lane = this.#laneOf(service);
    if (lane.running >= service.maxConcurrent) lane.line.push(call);
    else this.#begin(call);
  }

  /** Whoever made the call waits no longer: it is stopped, wherever it is. */
  abort(id: string): void {
    const { workers, thread, sendTo } = this.#options;
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((envelope) => callIdOf(envelope) !== id);
    if (this.#waiting.length < before) return;
    this.aborted(id);
    // Nobody has written down where it runs: aborts are seldom.
    for (let other = 0; other <= workers; other++) {
      if (other !== thread) sendTo(other, { type: ABORT, key: '', handler: '', args: [id], reply: null });
    }
  }

  /** The same of a call with moved buffers: it is known where it runs, and by which way it went there. */
  abortMoved(id: string, thread: number): void {
    const { line } = this.#options;
    if (line === undefined || thread === this.#options.thread) this.abort(id);
    else line.abort(thread, id);
  }

  /** A call is to be stopped, if it is here. */
  aborted(id: string): void {
    const call = this.#running.get(id);
    if (call === undefined) return;
    const { line } = this.#laneOf(call.service);
    const place = line.indexOf(call);
    if (place >= 0) {
      line.splice(place, 1);
      this.#left(call);
    } else {
      this.#running.delete(id);
      this.#hung.aborted(call);
      call.controller.abort(new DOMException('whoever asked waits no longer', 'AbortError'));
    }
  }

  /** The generation is over: nothing is answered any more. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    const reason = new DOMException('the system goes back to a checkpoint, or ends', 'AbortError');
    for (const { controller } of this.#running.values()) controller.abort(reason);
    this.#running.clear();
    this.#hung.stop();
  }

  #begin(call: RunningCall): void {
    const { id, service, envelope, controller } = call;
    this.#laneOf(service).running++;
    call.beganAt = this.#options.clock.monotonic();
    const log = (text: string): void => this.#options.log(`${service.name}: ${text}`);
    // `async`, so that what is thrown at once is a rejection too.
    const run = async (): Promise<unknown> =>
      service.on[envelope.handler].call(service.on, { signal: controller.signal, callId: id, log }, ...envelope.args);
    inTrace(envelope.trace, { type: service.name, key: '', handler: envelope.handler }, run).then(
      (value) => this.#settled(call, () => ownAnswer(envelope, value)),
      (error: unknown) => this.#settled(call, () => ({ value: failure(error), moved: [] })),
    );
  }

  #settled(call: RunningCall, answer: () => MovedAnswer): void {
    if (this.#stopped) return;
    this.#hung.ended(call);
    const lane = this.#laneOf(call.service);
    lane.running--;
    // One that was aborted is waited for by nobody.
    const isWanted = this.#running.get(call.id) === call;
    this.#left(call);
    if (isWanted && call.envelope.reply !== null) {
      const { value, moved } = answer();
      this.#options.answer(call.envelope, value, moved);
    }
    const next = lane.line.shift();
    if (next !== undefined) this.#begin(next);
  }

  #left(call: RunningCall): void {
    if (this.#running.get(call.id) === call) this.#running.delete(call.id);
    Atomics.sub(this.#options.load, this.#options.thread, 1);
  }

  #laneOf({ name }: AnyService): { running: number; readonly line: RunningCall[] } {
    let lane = this.#lines.get(name);
    if (lane === undefined) this.#lines.set(name, (lane = { running: 0, line: [] }));
    return lane;
  }

  /** The worker with the fewest open calls; of equals the next one after the last that was chosen. */
  #choose({ place }: AnyService): number {
    const { thread, workers, load } = this.#options;
    if (place === 'here') return thread;
    if (place === 'host') return 0;
    let chosen = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let i = 1; i <= workers; i++) {
      const candidate = ((this.#turn + i - 1) % workers) + 1;
      const open = Atomics.load(load, candidate);
      if (open >= fewest) continue;
      fewest = open;
      chosen = candidate;
    }
    this.#turn = chosen;
    return chosen;
  }
}

function serve(line: ServiceLine, thread: number, envelope: Envelope, moved: readonly ArrayBuffer[]): void {
  const { type, key, handler, args, reply, trace } = envelope;
  line.serve(thread, { type, key, handler, args, reply, trace }, moved);
}

/** The same for a call that is made again, so that what it does outside can be made to happen once. */
export function callIdOf({ reply }: Envelope): string {
  if (reply === null) return '';
  return 'call' in reply ? reply.call : askCallId(reply.term, reply.ask);
}

export function askCallId(term: number, ask: number): string {
  return `ask.${term.toString(36)}.${ask.toString(36)}`;
}

interface MovedAnswer {
  readonly value: Answer;
  readonly moved: readonly ArrayBuffer[];
}

function ownAnswer(envelope: Envelope, value: unknown): MovedAnswer {
  const copy = (): Answer => ({ ok: true, value: copyAnswer({ ...envelope, type: envelope.key }, value) });
  try {
    // An actor gets it as a message, which checkpoints hold.
    const isForHost = envelope.reply !== null && 'ask' in envelope.reply;
    return isForHost ? withMoves(copy) : { value: copy(), moved: [] };
  } catch (error) {
    unmark(value);
    return { value: failure(error), moved: [] };
  }
}

function failure(error: unknown): Answer {
  if (!(error instanceof Error)) return { ok: false, code: 'SERVICE_THREW', message: `it threw ${String(error)}` };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'SERVICE_THREW';
  return { ok: false, code, message: error.message, ...(error instanceof Refusal ? {} : { stack: error.stack }) };
}
