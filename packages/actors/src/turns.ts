import { Activity } from './activity.ts';
import { ActorAlarms } from './actor-alarms.ts';
import type { Cell } from './cell.ts';
import { services } from './definition.ts';
import { type ActorAddress, ActorError } from './errors.ts';
import { CAREFUL_CHECKPOINTS, DEAD_LETTERS_MAX } from './limits.ts';
import { type Answer, type Envelope, REPLY } from './messages.ts';
import { runObservedTurn } from './observed-turn.ts';
import { givenOut, type Letter, type OpenCall } from './own-tables.ts';
import { digestOf } from './requests.adapter.ts';
import type { UnitTable } from './table.ts';
import type { DeepReadonly } from './types.ts';
import { copyAnswer, makeServiceCall, type TurnEffects, type TurnPlace } from './turn.ts';
import { isTracing } from './trace.ts';
import { failureOf, runTurn, type Turn, type TurnEnd } from './turn-runner.ts';

export interface TurnsOptions {
  readonly send: (envelope: Envelope) => void;
  readonly answer: (to: Envelope, answer: Answer) => void;
  /** Nobody waits for the answer of that call of a service any more. */
  readonly abort: (call: string) => void;
  readonly log: (text: string) => void;
  /** A message was set aside. */
  readonly letter?: ((letter: DeadLetter) => void) | undefined;
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly random: () => number;
  /** A new id of a call or a letter, unlike every other of this job. */
  readonly nextId: () => string;
  /** Actors whose turns have thrown since the process began. */
  readonly careful?: readonly ActorAddress[] | undefined;
}

/** What turns need of the table of actors. */
export interface Cells {
  cell(type: string, key: string): Cell;
  find(type: string, key: string): Cell | undefined;
  /** Drops an actor; what waits in its mailbox meets a new one after `before` was called. */
  forget(cell: Cell, before: () => void): void;
}

/** A message that was set aside, with the actor that it is at. */
export interface DeadLetter extends Letter {
  readonly id: string;
  readonly actor: ActorAddress;
}

/** What became of the messages to actors of this thread: sent = handled + waiting + dead + dropped, over all threads. */
export interface MessageCounts {
  sent: number;
  handled: number;
  /** Set aside. */
  dead: number;
  /** Answers to questions that are no more, and what a full mailbox did not take. */
  dropped: number;
}

/**
 * The turns of one thread's actors: what a message, an answer or an alarm makes an actor do, and what becomes of it.
 *
 * Owns what becomes due, and which actors are careful. Does not own cells and their mailboxes.
 *
 * - A7 A turn runs to its end without anything else of this thread in between; its sends leave when it returns.
 * - A16 A question is open from the turn that asks until the turn that gets its answer, and is answered once. Answers to others are
 *   dropped.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #cells: Cells;
  readonly #place: TurnPlace;
  readonly #alarms: ActorAlarms;
  /** By actor: checkpoints published since it threw last. */
  readonly #careful = new Map<string, number>();
  #letters = 0;
  readonly activity = new Activity();
  /** This thread's number while somebody wants to know of each turn, else null. */
  watch: number | null = null;
  /** Actors with open questions. */
  readonly asking = new Set<Cell>();
  readonly counts: MessageCounts = { sent: 0, handled: 0, dead: 0, dropped: 0 };

  constructor(options: TurnsOptions, cells: Cells) {
    this.#options = options;
    this.#cells = cells;
    const { log, now, random, nextId } = options;
    this.#place = { log, now, random, nextId };
    this.#alarms = new ActorAlarms(options);
    for (const { type, key } of options.careful ?? []) this.#careful.set(idOf(type, key), 0);
  }

  /** Monotonic milliseconds at which something is due. */
  get nextAlarm(): number | undefined {
    return this.#alarms.next;
  }

  /** Alarms that are set, also such as nobody waits for any more. */
  get alarms(): number {
    return this.#alarms.size;
  }

  /** Whether every turn of that actor must be undone when it throws. */
  isCareful(type: string, key: string): boolean {
    return this.#careful.size > 0 && this.#careful.has(idOf(type, key));
  }

  /** One thing that is due. Answers whether there was one. */
  ring(): boolean {
    const alarm = this.#alarms.takeDue();
    if (alarm === undefined) return false;
    const { cell, kind, id, dueAt } = alarm;
    if (cell.gone) return true;
    switch (kind) {
      case 'timer':
        this.#fire(cell, id, dueAt);
        break;
      case 'timeout':
        this.#timeOut(cell, id);
        break;
      case 'forget-request':
        cell.ownTableIfAny('~requests')?.delete(id);
        break;
    }
    return true;
  }

  /** A checkpoint was published: who has thrown for long nothing may be trusted again. */
  published(): void {
    for (const [id, published] of this.#careful) {
      if (published + 1 < CAREFUL_CHECKPOINTS) {
        this.#careful.set(id, published + 1);
        continue;
      }
      this.#careful.delete(id);
      const cell = this.#cells.find(...addressOf(id));
      if (cell !== undefined) cell.careful = false;
    }
  }

  /** One turn on a message. */
  receive(cell: Cell, envelope: Envelope): void {
    if (envelope.handler.charCodeAt(0) === OWN_MARK) this.#receiveOwn(cell, envelope);
    else if (envelope.requestId !== undefined) this.#request(cell, envelope, envelope.requestId);
    else this.#run(cell, envelope, envelope);
  }

  #receiveOwn(cell: Cell, envelope: Envelope): void {
    const { handler, args } = envelope;
    if (handler === REPLY) this.#reply(cell, envelope, args[0] as string, args[1] as Answer);
    else if (handler === RESEND || handler === DISCARD) this.#settleLetter(cell, envelope, args[0] as string);
    else this.counts.dropped++;
  }

  /** The answer to a question: a turn of the handler that it named. */
  #reply(cell: Cell, envelope: Envelope, id: string, answer: Answer): void {
    const call = this.#takeCall(cell, id);
    if (call === undefined) this.counts.dropped++;
    else this.#run(cell, { handler: call.into, args: [plainAnswer(answer), ...call.bound] }, envelope);
  }

  #request(cell: Cell, envelope: Envelope, id: string): void {
    const digest = digestOf(envelope);
    const known = cell.ownTableIfAny('~requests')?.get(id);
    if (known === undefined) {
      const at = this.#options.now();
      this.#run(cell, envelope, envelope, (answer) => {
        // It may have forgotten itself.
        const now = this.#cells.cell(envelope.type, envelope.key);
        now.ownTable('~requests').set(id, { digest, answer, at });
        this.#alarms.keepRequest(now, id);
      });
      return;
    }
    this.counts.handled++;
    this.#options.answer(envelope, known.digest === digest ? (givenOut(known.answer) as Answer) : reused(envelope, id));
  }

  #settleLetter(cell: Cell, envelope: Envelope, id: string): void {
    this.counts.handled++;
    cell.touch();
    const letter = takeRow(cell.ownTableIfAny('~letters'), id);
    if (letter !== undefined && envelope.handler === RESEND) {
      const { type, key } = envelope;
      this.#options.send({ type, key, handler: letter.handler, args: letter.args, reply: null });
    }
    if (envelope.reply !== null) this.#options.answer(envelope, { ok: true, value: letter !== undefined });
  }

  #fire(cell: Cell, id: string, dueAt: number): void {
    const timers = cell.ownTableIfAny('~timers');
    // It was cancelled, or another one has taken its place.
    if (timers?.get(id)?.dueAt !== dueAt) return;
    const { into, args } = takeRow(timers, id)!;
    this.#run(cell, { handler: into, args }, null);
  }

  #timeOut(cell: Cell, id: string): void {
    const call = this.#takeCall(cell, id);
    if (call === undefined) return;
    if (call.service !== null) this.#options.abort(id);
    const what = call.service ?? `${call.to?.type}/${call.to?.key}`;
    const message = `${what} ${call.handler} has not answered within ${call.timeoutMs} ms; it may still run`;
    const answer: Answer = { ok: false, code: 'CALL_TIMEOUT', message };
    this.#run(cell, { handler: call.into, args: [answer, ...call.bound] }, null);
  }

  #takeCall(cell: Cell, id: string): OpenCall | undefined {
    const calls = cell.ownTableIfAny('~calls');
    const call = takeRow(calls, id);
    if (calls?.size === 0) this.asking.delete(cell);
    if (call !== undefined && call.timeoutMs !== null) this.#alarms.outdated();
    return call;
  }

  // ── a turn and its end ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * @param envelope the message that it is the turn of; null for a timer
   * @param answered told the answer that is to be remembered
   */
  #run(cell: Cell, turn: Turn, envelope: Envelope | null, answered?: (answer: Answer) => void): void {
    this.activity.turn(cell.definition.name, cell.key);
    const isObserved = this.watch !== null || isTracing();
    const end = isObserved ? this.#runObserved(cell, turn, envelope) : runTurn(cell, turn, this.#place);
    if (end.kind !== 'done') {
      this.#notDone(cell, turn, envelope, end, answered);
      return;
    }
    if (envelope !== null) this.counts.handled++;
    if (end.effects !== null) this.#commit(cell, end.effects);
    if (!hasAsker(envelope)) return;
    const answer = ownAnswer(envelope, end.value);
    answered?.(answer);
    this.#options.answer(envelope, answer);
  }

  #runObserved(cell: Cell, turn: Turn, envelope: Envelope | null): TurnEnd {
    const { monotonic } = this.#options;
    return runObservedTurn(cell, turn, envelope, this.#place, { thread: this.watch, monotonic });
  }

  #notDone(
    cell: Cell,
    turn: Turn,
    envelope: Envelope | null,
    end: Exclude<TurnEnd, { kind: 'done' }>,
    answered?: (answer: Answer) => void,
  ): void {
    if (envelope !== null) this.counts[end.kind === 'letter' ? 'dead' : 'handled']++;
    if (end.kind === 'letter') this.#setAside(cell, end.letter);
    else if (end.kind === 'forget') this.#forget(cell);
    const failure = failureOf(end);
    // What was undone may be asked again with the same name.
    if (end.kind === 'refused') answered?.(failure);
    if (hasAsker(envelope)) this.#options.answer(envelope, failure);
    else if (end.kind === 'forget') {
      this.#options.log(`${cell.definition.name}/${cell.key} ${turn.handler} threw: ${end.message}`);
    }
  }

  #commit(cell: Cell, { sends, calls, timers, forgotten }: TurnEffects): void {
    if (!forgotten && (calls !== null || timers !== null)) this.#open(cell, calls, timers);
    if (sends !== null) {
      for (const sent of sends) this.#options.send(sent);
      // A list that has become an old object would keep what it names until old ones are collected. To set its length is slow.
      while (sends.length > 0) sends.pop();
    }
    if (forgotten) this.#forget(cell);
  }

  /** Questions and timers of a turn become the actor's. */
  #open(cell: Cell, calls: TurnEffects['calls'], timers: TurnEffects['timers']): void {
    if (calls !== null) this.asking.add(cell);
    for (const [id, call] of calls ?? []) {
      cell.ownTable('~calls').touch(id, () => call);
      this.#alarms.limit(cell, id, call);
    }
    for (const [id, timer] of timers ?? []) {
      if (cell.ownTableIfAny('~timers')?.delete(id) === true) this.#alarms.outdated();
      if (timer === null) continue;
      cell.ownTable('~timers').touch(id, () => timer);
      this.#alarms.timer(cell, id, timer.dueAt);
    }
  }

  #setAside(cell: Cell, letter: Letter): void {
    const { name: type } = cell.definition;
    const id = this.#options.nextId();
    cell.ownTable('~letters').touch(id, () => letter);
    this.#careful.set(idOf(type, cell.key), 0);
    this.#options.letter?.({ id, actor: { type, key: cell.key }, ...givenOut(letter) });
    if (++this.#letters > DEAD_LETTERS_MAX) throw spent(letter);
  }

  #forget(cell: Cell): void {
    this.asking.delete(cell);
    const { name: type } = cell.definition;
    const requests = [...(cell.ownTableIfAny('~requests')?.entries() ?? [])];
    const letters = [...(cell.ownTableIfAny('~letters')?.entries() ?? [])];
    this.#cells.forget(cell, () => {
      // Nobody has said that they may be lost.
      for (const [id, letter] of letters)
        this.#cells
          .cell(type, cell.key)
          .ownTable('~letters')
          .touch(id, () => letter);
      // What was answered stays answered.
      for (const [id, request] of requests) {
        const next = this.#cells.cell(type, cell.key);
        next.ownTable('~requests').touch(id, () => request);
        this.#alarms.keepRequest(next, id);
      }
    });
  }

  /** What was open when the checkpoint was taken. */
  resume(cell: Cell): void {
    for (const [id, { dueAt }] of cell.ownTableIfAny('~timers')?.entries() ?? []) this.#alarms.timer(cell, id, dueAt);
    for (const [id] of cell.ownTableIfAny('~requests')?.entries() ?? []) this.#alarms.keepRequest(cell, id);
    const calls = [...(cell.ownTableIfAny('~calls')?.entries() ?? [])];
    if (calls.length === 0) return;
    this.asking.add(cell);
    const answers = (cell.mailbox?.waiting() ?? []).filter(({ handler }) => handler === REPLY);
    const answered = new Set(answers.map(({ args }) => args[0]));
    for (const [id, call] of calls) {
      if (answered.has(id)) continue;
      this.#alarms.limit(cell, id, call);
      if (call.service === null) continue;
      this.#options.send(services().has(call.service) ? again(cell, id, call) : nobody(cell, id, call.service));
    }
  }
}

/** Handlers of what the host does with letters. */
export const RESEND = '~resend';
export const DISCARD = '~discard';
/** `~`, with which handlers begin that are the runtime's. */
export const OWN_MARK = 0x7e;

/** A row of a table, which is the caller's from now on. */
function takeRow<V>(table: UnitTable<string, V> | undefined, id: string): V | undefined {
  // Captured before it is handed out: whoever gets it may change it.
  const row = table?.touchKnown(id)?.value;
  if (row !== undefined) table?.delete(id);
  return row;
}

/** A message whose sender waits for more than that it is handled. An answer's own `reply` is nobody. */
export function hasAsker(envelope: Envelope | null): envelope is Envelope {
  return envelope !== null && envelope.reply !== null;
}

/** What a handler returned, as a value of its own; one that cannot cross the border is the asker's error. */
function ownAnswer(to: Envelope, value: unknown): Answer {
  try {
    return { ok: true, value: copyAnswer(to, value) };
  } catch (error) {
    if (!(error instanceof ActorError)) throw error;
    return { ok: false, code: error.code, message: error.message };
  }
}

function plainAnswer(answer: Answer): Answer {
  return answer.ok ? answer : { ok: false, code: answer.code, message: answer.message };
}

/** The answer to a question to a service that the program has no more. */
function nobody(cell: Cell, call: string, service: string): Envelope {
  const answer: Answer = {
    ok: false,
    code: 'DEFINITION_UNKNOWN',
    message: `no service is named '${service}' any more`,
  };
  return { type: cell.definition.name, key: cell.key, handler: REPLY, args: [call, answer], reply: null };
}

/** A question to a service, asked again. */
function again(cell: Cell, call: string, { service, handler, args }: DeepReadonly<OpenCall>): Envelope {
  return makeServiceCall(service!, handler, [...(args ?? [])], { call, type: cell.definition.name, key: cell.key });
}

function idOf(type: string, key: string): string {
  return `${type}\0${key}`;
}

function addressOf(id: string): readonly [type: string, key: string] {
  const end = id.indexOf('\0');
  return [id.slice(0, end), id.slice(end + 1)];
}

function reused({ type, key, handler }: Envelope, id: string): Answer {
  const message = `request '${id}' of ${type}/${key} was another handler or had other arguments than this '${handler}'; give each request an id of its own`;
  return { ok: false, code: 'REQUEST_ID_REUSED', message };
}

function spent(letter: Letter): ActorError {
  return new ActorError(
    'DEAD_LETTERS_SPENT',
    `more than ${DEAD_LETTERS_MAX} messages were set aside in one thread since it began; the last one threw: ${letter.message}`,
  );
}
