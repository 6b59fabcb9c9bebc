import { Cell } from './cell.ts';
import { OutChannel } from './channel.ts';
import type { Clock } from './clock.ts';
import { decodeValue } from './codec.ts';
import { definitionOf } from './definition.ts';
import { ActorError, Refusal } from './errors.ts';
import { unpackBatch, unpackMessages } from './frame.ts';
import { homeOfGroup, keyGroup } from './key-group.ts';
import { CAPTURE_SHARE, HIGH_MARK_BYTES, LOW_MARK_BYTES, MESSAGE_BYTES_GUESS, OVERRUN_MESSAGES, SLICE_MS } from './limits.ts';
import type { Batch, ChannelItem, Envelope, Frame, Marker, PackedFrame, Peer, Sight, UnitData } from './messages.ts';
import type { Task } from './task.ts';
import { TurnContext } from './turn.ts';
import { CutState, type UnitHolder } from './unit.ts';

/** What the runtime tells whoever takes cuts. It knows that a marker exists; what a checkpoint is, it does not know. */
export interface CutHooks {
  marker(marker: Marker, from: number): void;
  /** A frame has arrived; called before anything of it is processed. */
  arrived(frame: Frame, from: number): void;
  /** Work on the open cut until `deadline` (monotonic ms). Answers whether there is more to do. */
  work(deadline: number): boolean;
}

export interface RuntimeOptions {
  readonly thread: number;
  readonly workers: number;
  readonly generation: number;
  readonly term: number;
  readonly clock: Clock;
  readonly peers: readonly Peer[];
  readonly ingress: Int32Array;
  /** A turn threw, or the program overran: this thread cannot go on. */
  readonly fail: (error: unknown) => void;
  readonly log: (text: string) => void;
  /** The host's open asks; a worker has none. */
  readonly answered?: (ask: number, term: number, answer: Answer) => void;
}

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Reserved type of answers to the host's asks. */
const ANSWER = 'tidemark:answer';

/**
 * One thread's actors, tasks and channels, and the loop that runs turns in slices.
 *
 * Owns: mailboxes, outboxes, units, arrived frames. Does not own: threads, ports' other ends, checkpoints.
 * Calls that cross: `CutHooks` (to checkpoint), `Port` (to other threads), `Task` (to jobs).
 *
 * - A7 A turn runs to its end without anything else of this thread in between; its sends leave when it returns.
 * - A8 A frame is taken whole: between two slices it lies wholly in `arrived` or wholly in mailboxes.
 * - A9 A turn never waits for room; only ingress does.
 * - A10 Nothing runs before `go` and after `stop`.
 */
export class Runtime {
  readonly thread: number;
  readonly workers: number;
  readonly term: number;
  readonly cut = new CutState();
  readonly clock: Clock;
  readonly #options: RuntimeOptions;
  readonly #channels: (OutChannel | null)[];
  readonly #ports: readonly Peer[];
  readonly #cells = new Map<string, Map<string, Cell>>();
  readonly #tasks = new Map<string, Task>();
  readonly #ready: Cell[] = [];
  readonly #homes = new Map<string, Map<string, number>>();
  #readyHead = 0;
  #arrived: { readonly frame: Frame; readonly from: number }[] = [];
  #owedCredit: number[];
  #hooks: CutHooks | null = null;
  #running = false;
  #scheduled = false;
  #inSlice = false;
  #waitingMessages = 0;
  #arrivedBytes = 0;
  #framesTaken = 0;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.thread = options.thread;
    this.workers = options.workers;
    this.term = options.term;
    this.clock = options.clock;
    this.#ports = options.peers;
    this.#channels = new Array<OutChannel | null>(options.workers + 1).fill(null);
    this.#owedCredit = new Array<number>(options.workers + 1).fill(0);
    for (const { thread, port } of options.peers) {
      this.#channels[thread] = new OutChannel(thread, port, options.generation);
      port.listen((item) => this.#receive(item, thread));
    }
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
    this.wake();
  }

  stop(): void {
    this.#running = false;
    for (const { port } of this.#ports) port.close();
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
    const homes = this.#homes.get(type);
    const known = homes?.get(key);
    if (known !== undefined) return known;
    const home = definitionOf(type).place === 'host' ? 0 : homeOfGroup(keyGroup(type, key), this.workers);
    if (homes === undefined) this.#homes.set(type, new Map([[key, home]]));
    else if (homes.size < HOMES_MAX) homes.set(key, home);
    return home;
  }

  send(envelope: Envelope): void {
    if (envelope.type === ANSWER) {
      this.#sendTo(0, envelope);
      return;
    }
    this.#sendTo(this.homeOf(envelope.type, envelope.key), envelope);
  }

  /** Hands a batch of records to the task of that name on a thread. The batch is the runtime's from now on. */
  sendBatch(thread: number, batch: Batch): void {
    if (thread === this.thread) this.#deliverBatch(batch);
    else this.#channelTo(thread).sendBatch(batch);
  }

  /** Whether new work may enter: no thread of the system has more waiting than it should. */
  get ingressOpen(): boolean {
    const flags = this.#options.ingress;
    for (let i = 0; i < flags.length; i++) if (Atomics.load(flags, i) !== 0) return false;
    return true;
  }

  // ── what a cut needs ─────────────────────────────────────────────────────────────────────────────────────────

  get channels(): readonly OutChannel[] {
    return this.#channels.filter((channel) => channel !== null);
  }

  /** Frames that have arrived and are not yet taken, with the thread that they came from. */
  get arrivedFrames(): readonly { readonly frame: Frame; readonly from: number }[] {
    return this.#arrived;
  }

  get hasMail(): boolean {
    return this.#waitingMessages > 0 || this.#arrived.length > 0;
  }

  /** All holders of units of this thread, one after the other. */
  *capture(): Generator<void, void, void> {
    for (const cells of this.#cells.values()) for (const cell of cells.values()) yield* cell.capture();
    const holders: Iterable<UnitHolder> = this.#tasks.values();
    for (const holder of holders) yield* holder.capture();
    for (const channel of this.channels) yield* channel.capture();
  }

  // ── restoring ────────────────────────────────────────────────────────────────────────────────────────────────

  loadUnit(unit: UnitData): void {
    const task = this.#tasks.get(unit.type);
    if (task !== undefined) task.loadUnit(unit);
    else if (unit.tableKey === null) this.#cell(unit.type, unit.key).load(decodeValue(unit.value) as object);
    else this.#cell(unit.type, unit.key).loadTableEntry(unit.table, unit.tableKey, decodeValue(unit.value));
  }

  /** Puts motion back into the mailboxes of this thread, in the order given. */
  loadFrame(frame: PackedFrame): void {
    this.#take(frame);
  }

  look(): Sight {
    const tasks = [...this.#tasks.values()];
    return {
      quiet:
        !this.hasMail && this.#readyHead === this.#ready.length && this.channels.every((channel) => channel.idle) &&
        tasks.every((task) => task.quiet),
      drained: tasks.every((task) => task.drained),
      framesSent: this.channels.reduce((sum, channel) => sum + channel.framesSent, 0),
      framesTaken: this.#framesTaken,
    };
  }

  // ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────

  #slice(): void {
    if (!this.#running) return;
    this.#inSlice = true;
    try {
      const { clock } = this;
      const begin = clock.monotonic();
      const more = this.#runTurns(begin + SLICE_MS);
      // An open cut gets a share of each slice whatever the mail, so that it always ends; and all the slack there is.
      const share = more ? SLICE_MS * CAPTURE_SHARE : SLICE_MS;
      const cutting = this.#hooks?.work(clock.monotonic() + share) ?? false;
      this.#flush();
      this.#setIngress();
      this.#inSlice = false;
      if (more || cutting) this.wake();
    } catch (error) {
      this.#inSlice = false;
      this.#running = false;
      this.#options.fail(error);
    }
  }

  /** Takes frames, runs turns and polls sources until `deadline`. Answers whether work is left. */
  #runTurns(deadline: number): boolean {
    do {
      if (this.#readyHead < this.#ready.length) this.#runReady();
      else if (!this.#runTaskTurn()) {
        if (this.#arrived.length > 0) this.#takeArrived();
        else if (!this.#pollSources()) return false;
      }
    } while (this.clock.monotonic() < deadline);
    return true;
  }

  #runReady(): void {
    // One look at the clock for a few turns: they are short, the clock is not free.
    for (let i = 0; i < TURNS_PER_LOOK && this.#readyHead < this.#ready.length; i++) {
      const cell = this.#ready[this.#readyHead++]!;
      if (this.#readyHead >= READY_COMPACT_AT || this.#readyHead === this.#ready.length) {
        this.#ready.splice(0, this.#readyHead);
        this.#readyHead = 0;
      }
      cell.ready = false;
      const envelope = cell.mailbox.take();
      if (envelope === undefined) continue;
      this.#waitingMessages--;
      this.#turn(cell, envelope);
      if (cell.mailbox.length > 0) this.#enqueue(cell);
    }
  }

  #turn(cell: Cell, envelope: Envelope): void {
    const handler = cell.definition.on[envelope.handler];
    if (handler === undefined) throw handlerUnknown(cell, envelope.handler);
    cell.touch();
    const ctx = new TurnContext(cell, this.#options.log);
    let answer: Answer;
    try {
      const value = handler.call(cell.definition.on, ctx, ...envelope.args);
      if (isThenable(value)) throw handlerAsync(cell, envelope.handler);
      answer = { ok: true, value };
    } catch (error) {
      ctx.end();
      this.#turnThrew(cell, envelope, error);
      return;
    }
    ctx.end();
    for (const sent of ctx.sends) this.send(sent);
    if (ctx.forgotten) this.#forget(cell);
    if (envelope.reply !== null) this.#answer(envelope, answer);
  }

  #turnThrew(cell: Cell, envelope: Envelope, error: unknown): void {
    const refused = error instanceof Refusal;
    const { name, onThrow } = cell.definition;
    if (!refused && onThrow === 'rollback') {
      throw new ActorError('TURN_THREW', `${name}/${cell.key} ${envelope.handler}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (!refused) this.#forget(cell);
    if (envelope.reply !== null) {
      const code = refused ? error.code : 'TURN_THREW';
      this.#answer(envelope, { ok: false, code, message: messageOf(error) });
    } else if (!refused) this.#options.log(`${name}/${cell.key} ${envelope.handler} threw: ${messageOf(error)}`);
  }

  #answer(envelope: Envelope, answer: Answer): void {
    this.send({ type: ANSWER, key: '', handler: 'answer', args: [answer], reply: envelope.reply });
  }

  #forget(cell: Cell): void {
    cell.drop();
    this.#waitingMessages -= cell.mailbox.length;
    const waiting: Envelope[] = [];
    for (let next = cell.mailbox.take(); next !== undefined; next = cell.mailbox.take()) waiting.push(next);
    this.#cells.get(cell.definition.name)?.delete(cell.key);
    // The messages behind the one that forgot meet a new actor.
    for (const envelope of waiting) this.#deliver(envelope);
  }

  #runTaskTurn(): boolean {
    for (const task of this.#tasks.values()) {
      if (task.mail.length === 0) continue;
      const batch = task.mail.take()!;
      this.#waitingMessages -= batch.values.length;
      task.turn(batch);
      return true;
    }
    return false;
  }

  #pollSources(): boolean {
    for (const task of this.#tasks.values()) if (task.poll()) return true;
    return false;
  }

  // ── arriving ─────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(item: ChannelItem, from: number): void {
    switch (item.kind) {
      case 'frame':
        this.#hooks?.arrived(item, from);
        this.#arrived.push({ frame: item, from });
        this.#arrivedBytes += item.body.length;
        this.wake();
        return;
      case 'marker':
        this.#hooks?.marker(item, from);
        this.wake();
        return;
      case 'credit':
        this.#channelTo(from).credit(item.bytes);
        this.wake();
        return;
    }
  }

  #takeArrived(): void {
    const { frame, from } = this.#arrived.shift()!;
    this.#framesTaken++;
    this.#arrivedBytes -= frame.body.length;
    this.#owedCredit[from]! += frame.body.length;
    this.#take(frame);
  }

  #take(frame: PackedFrame): void {
    if (frame.codec === 'rows') {
      this.#deliverBatch(unpackBatch(frame.body));
      return;
    }
    for (const envelope of unpackMessages(frame.body)) this.#deliver(envelope);
  }

  #deliver(envelope: Envelope): void {
    if (envelope.type === ANSWER) {
      this.#options.answered?.(envelope.reply!.ask, envelope.reply!.term, envelope.args[0] as Answer);
      return;
    }
    const cell = this.#cell(envelope.type, envelope.key);
    cell.mailbox.append(envelope);
    this.#count(1);
    if (!cell.ready) this.#enqueue(cell);
  }

  #deliverBatch(batch: Batch): void {
    const task = this.#tasks.get(batch.task);
    if (task === undefined) throw new ActorError('DEFINITION_UNKNOWN', `no task is named '${batch.task}' here`);
    task.mail.append(batch);
    this.#count(batch.values.length);
  }

  #count(messages: number): void {
    this.#waitingMessages += messages;
    if (this.#waitingMessages > OVERRUN_MESSAGES) throw this.#overrun();
  }

  #enqueue(cell: Cell): void {
    cell.ready = true;
    this.#ready.push(cell);
  }

  #cell(type: string, key: string): Cell {
    let cells = this.#cells.get(type);
    if (cells === undefined) this.#cells.set(type, (cells = new Map<string, Cell>()));
    let cell = cells.get(key);
    if (cell === undefined) cells.set(key, (cell = new Cell(definitionOf(type), key, this.cut)));
    return cell;
  }

  // ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

  #sendTo(thread: number, envelope: Envelope): void {
    if (thread === this.thread) this.#deliver(envelope);
    else this.#channelTo(thread).send(envelope);
    this.wake();
  }

  #channelTo(thread: number): OutChannel {
    const channel = this.#channels[thread];
    if (channel === null || channel === undefined) throw new RangeError(`thread ${thread} has no channel to ${this.thread}`);
    return channel;
  }

  /** Posts outboxes as far as their windows allow, and gives back the room of what was taken. */
  #flush(): void {
    for (const { thread, port } of this.#ports) {
      this.#channels[thread]!.flush(this.cut.cut);
      const owed = this.#owedCredit[thread]!;
      if (owed === 0) continue;
      this.#owedCredit[thread] = 0;
      port.post({ kind: 'credit', bytes: owed }, []);
    }
  }

  #setIngress(): void {
    let bytes = this.#waitingMessages * MESSAGE_BYTES_GUESS + this.#arrivedBytes;
    for (const channel of this.#channels) if (channel !== null) bytes += channel.waitingBytes;
    const flags = this.#options.ingress;
    const closed = Atomics.load(flags, this.thread) !== 0;
    if (!closed && bytes > HIGH_MARK_BYTES) Atomics.store(flags, this.thread, 1);
    else if (closed && bytes < LOW_MARK_BYTES) Atomics.store(flags, this.thread, 0);
  }

  #overrun(): ActorError {
    const fullest = [...this.#cells.values()]
      .flatMap((cells) => [...cells.values()])
      .sort((a, b) => b.mailbox.length - a.mailbox.length)
      .slice(0, 3)
      .map((cell) => `${cell.definition.name}/${cell.key} (${cell.mailbox.length})`);
    return new ActorError(
      'OVERRUN',
      `more than ${OVERRUN_MESSAGES} messages wait in thread ${this.thread}; fullest: ${fullest.join(', ')}. Some handler sends more than it takes, without end.`,
    );
  }
}

/** Addresses remembered per definition: a hash costs ten times a look-up. */
const HOMES_MAX = 100_000;
const TURNS_PER_LOOK = 16;
const READY_COMPACT_AT = 1024;

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function handlerUnknown(cell: Cell, handler: string): ActorError {
  const known = Object.keys(cell.definition.on).join(', ');
  return new ActorError(
    'HANDLER_UNKNOWN',
    `actor '${cell.definition.name}' has no handler '${handler}' (it has: ${known}); was the message sent by another version?`,
  );
}

function handlerAsync(cell: Cell, handler: string): ActorError {
  return new ActorError(
    'HANDLER_ASYNC',
    `handler '${handler}' of actor '${cell.definition.name}' returned a promise; a handler runs to its end, work that waits belongs into a service`,
  );
}
