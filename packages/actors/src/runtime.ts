import { AlarmClock } from './alarm-clock.ts';
import { ActorTable } from './actor-table.ts';
import type { OutChannel } from './channel.ts';
import type { Clock } from './clock.ts';
import { decodeValue } from './codec.ts';
import { turnsAreWatched } from './diagnostics.ts';
import { ActorError } from './errors.ts';
import { holdsMessages, unpackBatch, unpackMessages } from './frame.ts';
import { Homes } from './homes.ts';
import { Ingress } from './ingress.ts';
import { CAPTURE_SHARE, OVERRUN_BYTES, SLICE_MS } from './limits.ts';
import { type Arrived, Links } from './links.ts';
import { MessageSize } from './message-size.ts';
import {
  ANSWER,
  type Answer,
  type Batch,
  type Envelope,
  isReserved,
  type LoadedUnit,
  type PackedFrame,
  REPLY,
  SERVICE,
  type Sight,
  type UnitData,
} from './messages.ts';
import { systemRandom } from './random.adapter.ts';
import type { CutHooks, RuntimeOptions } from './runtime-options.ts';
import { ServiceDesk } from './service-desk.ts';
import type { RowsData } from './stored-rows.ts';
import type { Task } from './task.ts';
import type { Inside } from './thread-view.ts';
import type { DeadLetter } from './turns.ts';
import { CutState, oneAfterTheOther } from './unit.ts';
import { WorkCount } from './work-count.ts';

/** Turns between two looks at the clock: they are short, the clock is not free. */
const TURNS_PER_LOOK = 16;
const SLICE = { ms: SLICE_MS, turns: TURNS_PER_LOOK };

/**
 * One thread's actors, tasks and channels, and the loop that runs turns in slices.
 *
 * Owns the loop and the order of work. Cells are the ActorTable's, outboxes and arrived frames the Links'.
 * Calls that cross: `CutHooks` (to checkpoint), `Port` (to other threads), `Task` (to jobs).
 *
 * - A9 A turn never waits for room; only ingress does.
 * - A10 Nothing runs before `go` and after `stop`.
 */
export class Runtime {
  readonly thread: number;
  readonly workers: number;
  readonly term: number;
  readonly cut: CutState = new CutState();
  readonly clock: Clock;
  /** What this thread has done. */
  readonly work: WorkCount;
  readonly #options: RuntimeOptions;
  readonly #links: Links;
  readonly #actors: ActorTable;
  /** Calls of services: the host starts its own there. */
  readonly services: ServiceDesk;
  readonly #tasks = new Map<string, Task>();
  readonly #homes: Homes;
  readonly #ingress: Ingress;
  readonly #alarm: AlarmClock;
  readonly #size = new MessageSize();
  #hooks: CutHooks | null = null;
  #running = false;
  #scheduled = false;
  #inSlice = false;
  #ids = 0;
  /** Records in the mailboxes of tasks. */
  #waitingRecords = 0;
  #restored = 0;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.thread = options.thread;
    this.workers = options.workers;
    this.term = options.term;
    this.clock = options.clock;
    this.cut.cut = options.cut ?? 0;
    this.work = new WorkCount(options.work ?? null, options.thread);
    this.#homes = new Homes(options.workers);
    this.#ingress = new Ingress(options.ingress, options.thread);
    this.#alarm = new AlarmClock(options.clock, () => this.wake());
    this.#links = new Links({
      ...options,
      arrived: (frame, from) => this.#hooks?.arrived(frame, from),
      marker: (marker, from) => this.#hooks?.marker(marker, from),
      wake: () => this.wake(),
    });
    const { clock, random = systemRandom, letter, careful } = options;
    this.services = new ServiceDesk({
      ...options,
      load: options.calls ?? new Int32Array(options.workers + 1),
      ingressOpen: () => this.ingressOpen,
      sendTo: (thread, envelope) => this.#sendTo(thread, envelope),
      answer: (to, answer, moved) => this.#answer(to, answer, moved),
      log: options.log,
    });
    this.#actors = new ActorTable({
      cut: this.cut,
      log: options.log,
      send: (envelope) => this.send(envelope),
      answer: (to, answer) => this.#answer(to, answer),
      abort: (call) => this.services.abort(call),
      letter,
      careful,
      random,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      nextId: () => this.#nextId(),
    });
  }

  // ── what the layers above plug in ────────────────────────────────────────────────────────────────────────────

  useHooks(hooks: CutHooks): void {
    this.#hooks = hooks;
  }

  addTask(task: Task): void {
    this.#tasks.set(task.name, task);
  }

  get tasks(): Iterable<Task> {
    return this.#tasks.values();
  }

  /** Begins to run turns. */
  go(): void {
    this.#running = true;
    this.#actors.resume();
    this.wake();
  }

  stop(): void {
    this.#running = false;
    this.#alarm.cancel();
    this.services.stop();
    this.#links.close();
  }

  /** A checkpoint was published. */
  published(): void {
    this.#actors.published();
  }

  /** Makes sure that a slice comes. */
  wake(): void {
    if (this.#scheduled || this.#inSlice || !this.#running) return;
    this.#scheduled = true;
    this.clock.soon(() => {
      this.#scheduled = false;
      this.#slice();
    });
  }

  // ── sends ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Thread at which an actor lives. */
  homeOf(type: string, key: string): number {
    return this.#homes.of(type, key);
  }

  send(envelope: Envelope): void {
    if (envelope.type === SERVICE) {
      this.services.start(envelope);
      this.wake();
      return;
    }
    if (envelope.type !== ANSWER) this.#actors.counts.sent++;
    this.#sendTo(envelope.type === ANSWER ? 0 : this.homeOf(envelope.type, envelope.key), envelope);
  }

  #sendTo(thread: number, envelope: Envelope): void {
    if (thread === this.thread) {
      if (envelope.bytes !== undefined) this.#size.measured(1, envelope.bytes);
      this.#deliver(envelope);
    } else this.#links.to(thread).send(envelope);
    this.wake();
  }

  /** Hands a batch of records to the task of that name on a thread. The batch is the runtime's from now on. */
  sendBatch(thread: number, batch: Batch): void {
    if (thread === this.thread) this.#deliverBatch(batch);
    else this.#links.to(thread).sendBatch(batch);
  }

  /** Whether new work may enter: no thread of the system has more waiting than it should. */
  get ingressOpen(): boolean {
    // Here too: whoever sends without a pause would never see the flag of its own thread.
    this.#ingress.set(this.#waitingBytes);
    return this.#ingress.isOpen;
  }

  // ── what a cut needs ─────────────────────────────────────────────────────────────────────────────────────────

  get channels(): readonly OutChannel[] {
    return this.#links.channels;
  }

  /** Frames that have arrived and are not yet taken, with the thread that they came from. */
  get arrivedFrames(): readonly Arrived[] {
    return this.#links.arrivedFrames;
  }

  get hasMail(): boolean {
    return this.#actors.waiting > 0 || this.#waitingRecords > 0 || this.#links.hasArrived;
  }

  /** All units of this thread, one after the other. */
  *captureUnits(): Generator<void, void, void> {
    yield* this.#actors.captureUnits();
    for (const task of this.#tasks.values()) yield* task.captureUnits();
  }

  /** Mailboxes and sealed outboxes of this thread, one message or frame after the other. Called at the flip. */
  captureMotion(): Generator<void, void, void> {
    return oneAfterTheOther([
      this.#actors.captureMotion(),
      ...[...this.#tasks.values()].map((task) => task.captureMotion()),
      ...this.channels.map((channel) => channel.capture()),
    ]);
  }

  // ── restoring ────────────────────────────────────────────────────────────────────────────────────────────────

  loadUnit(unit: UnitData): void {
    const { type, key, table, tableKey } = unit;
    this.loadValue({ type, key, table, tableKey, value: decodeValue(unit.value) });
  }

  /** Puts back a unit whose value is this thread's own. */
  loadValue(unit: LoadedUnit): void {
    const { type, key, table, tableKey, value } = unit;
    const task = this.#tasks.get(type);
    if (task !== undefined) task.loadUnit(unit);
    else if (tableKey === null) this.#actors.cell(type, key).load(value as object);
    else this.#actors.tableOf(type, key, table).load(tableKey, value);
  }

  /** Puts back rows of one table of an actor or a task, which are decoded when somebody asks for them. */
  loadRows(type: string, key: string, table: string, rows: RowsData): void {
    const task = this.#tasks.get(type);
    if (task === undefined) this.#actors.tableOf(type, key, table).loadStored(rows);
    else task.loadRows(table, rows);
  }

  /** Puts motion back into the mailboxes of this thread, in the order given. */
  loadFrame(frame: PackedFrame): void {
    if (holdsMessages(frame)) this.#restored += frame.count;
    this.#unpack(frame);
  }

  look(): Sight {
    const tasks = [...this.#tasks.values()];
    return {
      quiet: !this.#isBusy && this.#links.idle && tasks.every((task) => task.quiet),
      drained: tasks.every((task) => task.drained),
      framesSent: this.#links.framesSent,
      framesTaken: this.#links.framesTaken,
    };
  }

  /** Messages and calls are under way here. */
  get #isBusy(): boolean {
    return this.hasMail || this.#actors.ready || this.services.waits || this.services.running > 0;
  }

  /** Messages that were set aside in this thread. */
  letters(): DeadLetter[] {
    return this.#actors.letters();
  }

  /** For whoever looks inside. */
  get inside(): Inside {
    const { clock, services } = this;
    const own = { actors: this.#actors, links: this.#links, restored: this.#restored };
    return { clock, services, ...own, messageBytes: this.#size.bytes };
  }

  // ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────

  #slice(): void {
    if (!this.#running) return;
    this.work.slices++;
    this.#inSlice = true;
    this.#actors.turns.watch = turnsAreWatched() ? this.thread : null;
    try {
      const { ms, turns } = this.#options.slice ?? SLICE;
      const more = this.#runTurns(this.clock.monotonic() + ms, turns);
      // An open cut gets a share of each slice whatever the mail, so that it always ends; and all the slack there is.
      const share = more ? SLICE_MS * CAPTURE_SHARE : SLICE_MS;
      const cutting = this.#hooks?.work(this.clock.monotonic() + share) ?? false;
      this.#links.flush(this.cut.cut);
      this.#ingress.set(this.#waitingBytes);
      const memory = this.#size.memoryOf(this.#waitingBytes);
      if (memory > (this.#options.overrunBytes ?? OVERRUN_BYTES)) throw this.#actors.overrun(memory);
      this.work.write();
      this.#inSlice = false;
      if (more || cutting) this.wake();
      this.#alarm.set(this.#actors.nextAlarm);
    } catch (error) {
      this.#inSlice = false;
      this.#running = false;
      this.#options.fail(error);
    }
  }

  /**
   * Runs turns, takes frames and polls sources until `deadline`. Answers whether work is left.
   * Each round gives everyone a little, so that mail without end starves neither channels nor tasks; new work enters
   * only when there is none.
   */
  #runTurns(deadline: number, most: number): boolean {
    do {
      let worked = false;
      let turns = 0;
      if (this.services.waits) this.services.startWaiting();
      while (turns < most && this.#actors.ring()) turns++;
      if (turns > 0) worked = true;
      while (turns < most && this.#actors.ready) {
        turns += this.#actors.turn(most - turns);
        worked = true;
      }
      this.work.records += turns;
      if (this.#runTaskTurn()) worked = true;
      if (this.#links.hasArrived) {
        const frame = this.#links.take();
        this.work.frameBytes += frame.body.length;
        this.#size.measured(frame.count, frame.body.length);
        this.#unpack(frame);
        worked = true;
      }
      if (!worked && !this.#pollSources()) return false;
    } while (this.clock.monotonic() < deadline);
    return true;
  }

  #runTaskTurn(): boolean {
    for (const task of this.#tasks.values()) {
      const batch = task.mail.take();
      if (batch === undefined) continue;
      this.#waitingRecords -= batch.values.length;
      this.work.records += batch.values.length;
      task.turn(batch);
      return true;
    }
    return false;
  }

  #pollSources(): boolean {
    for (const task of this.#tasks.values()) if (task.poll()) return true;
    return false;
  }

  #answer({ reply, trace }: Envelope, answer: Answer, moved: readonly ArrayBuffer[] = []): void {
    if (reply === null) return;
    if ('call' in reply) {
      const { call, type, key } = reply;
      this.send({ type, key, handler: REPLY, args: [call, answer], reply: null, trace });
    } else if (moved.length > 0 && this.#options.served !== undefined) {
      this.#options.served({ ...reply, answer, cut: this.cut.cut }, moved);
    } else this.send({ type: ANSWER, key: '', handler: 'answer', args: [answer, this.cut.cut], reply });
  }

  #nextId(): string {
    const { term, thread } = this;
    return [term, this.#options.generation, thread, this.#ids++].map((n) => n.toString(36)).join('.');
  }

  #unpack(frame: PackedFrame): void {
    if (!holdsMessages(frame)) this.#deliverBatch(unpackBatch(frame));
    else for (const envelope of unpackMessages(frame)) this.#deliver(envelope);
  }

  #deliver(envelope: Envelope): void {
    if (!isReserved(envelope.type)) this.#actors.deliver(envelope);
    else if (envelope.type === SERVICE) this.services.run(envelope);
    else if (envelope.type !== ANSWER) this.services.aborted(envelope.args[0] as string);
    else if (envelope.reply !== null && 'ask' in envelope.reply) {
      const { ask, term } = envelope.reply;
      this.#options.answered?.(ask, term, envelope.args[0] as Answer, (envelope.args[1] as number | undefined) ?? 0);
    }
  }

  #deliverBatch(batch: Batch): void {
    const task = this.#tasks.get(batch.task);
    if (task === undefined) throw new ActorError('DEFINITION_UNKNOWN', `no task is named '${batch.task}' here`);
    task.mail.append(batch);
    this.#waitingRecords += batch.values.length;
  }

  get #waitingBytes(): number {
    return (this.#actors.waiting + this.#waitingRecords) * this.#size.bytes + this.#links.waitingBytes;
  }
}
