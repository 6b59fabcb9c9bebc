import { Refusal } from './errors.ts';
import { ABORT, type Answer, type Envelope } from './messages.ts';
import { serviceOf } from './service.ts';
import { inTrace } from './trace.ts';
import type { AnyService } from './types.ts';
import { copyAnswer } from './turn.ts';

export interface ServiceDeskOptions {
  readonly thread: number;
  readonly workers: number;
  /** Open calls by thread, in shared memory. */
  readonly load: Int32Array;
  readonly ingressOpen: () => boolean;
  /** Sends a request or an abort to a thread. */
  readonly sendTo: (thread: number, envelope: Envelope) => void;
  readonly answer: (to: Envelope, answer: Answer) => void;
  readonly log: (text: string) => void;
}

/** One call that runs here, or waits in line. */
interface RunningCall {
  readonly id: string;
  readonly service: AnyService;
  readonly envelope: Envelope;
  readonly controller: AbortController;
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
  readonly #running = new Map<string, RunningCall>();
  /** In line behind `maxConcurrent`, and how many run, by service. */
  readonly #lines = new Map<string, { running: number; readonly line: RunningCall[] }>();
  #turn: number;
  #stopped = false;

  constructor(options: ServiceDeskOptions) {
    this.#options = options;
    this.#turn = options.thread;
  }

  get running(): number {
    return this.#running.size;
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
    if (thread === this.#options.thread) this.run(envelope);
    else this.#options.sendTo(thread, envelope);
    return thread;
  }

  /** Starts what has waited, as far as there is room. */
  startWaiting(): void {
    while (this.#waiting.length > 0 && this.#options.ingressOpen()) this.startNow(this.#waiting.shift()!);
  }

  /** A call has come to run here. */
  run(envelope: Envelope): void {
    const service = serviceOf(envelope.key);
    const call = { id: callIdOf(envelope), service, envelope, controller: new AbortController() };
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
  }

  #begin(call: RunningCall): void {
    const { id, service, envelope, controller } = call;
    this.#laneOf(service).running++;
    const log = (text: string): void => this.#options.log(`${service.name}: ${text}`);
    // `async`, so that what is thrown at once is a rejection too.
    const run = async (): Promise<unknown> =>
      service.on[envelope.handler].call(service.on, { signal: controller.signal, callId: id, log }, ...envelope.args);
    inTrace(envelope.trace, { type: service.name, key: '', handler: envelope.handler }, run).then(
      (value) => this.#settled(call, () => ownAnswer(envelope, value)),
      (error: unknown) => this.#settled(call, () => failure(error)),
    );
  }

  #settled(call: RunningCall, answer: () => Answer): void {
    if (this.#stopped) return;
    const lane = this.#laneOf(call.service);
    lane.running--;
    // One that was aborted is waited for by nobody.
    const isWanted = this.#running.get(call.id) === call;
    this.#left(call);
    if (isWanted && call.envelope.reply !== null) this.#options.answer(call.envelope, answer());
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

/** The same for a call that is made again, so that what it does outside can be made to happen once. */
export function callIdOf({ reply }: Envelope): string {
  if (reply === null) return '';
  return 'call' in reply ? reply.call : askCallId(reply.term, reply.ask);
}

export function askCallId(term: number, ask: number): string {
  return `ask.${term.toString(36)}.${ask.toString(36)}`;
}

function ownAnswer(envelope: Envelope, value: unknown): Answer {
  try {
    return { ok: true, value: copyAnswer({ ...envelope, type: envelope.key }, value) };
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Answer {
  if (!(error instanceof Error)) return { ok: false, code: 'SERVICE_THREW', message: `it threw ${String(error)}` };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'SERVICE_THREW';
  return { ok: false, code, message: error.message, ...(error instanceof Refusal ? {} : { stack: error.stack }) };
}
