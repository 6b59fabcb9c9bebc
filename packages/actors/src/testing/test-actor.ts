import { ActorTable } from '../actor-table.ts';
import type { Cell } from '../cell.ts';
import { RemoteError, Refusal } from '../errors.ts';
import { messageFacet } from '../facet.ts';
import { type Answer, type Envelope, REPLY, SERVICE } from '../messages.ts';
import { assertDelay, makeEnvelope } from '../turn.ts';
import type { DeadLetter } from '../turns.ts';
import type { Actor, AnyActor, AnyService, Messages, Ref, Reply } from '../types.ts';
import { CutState } from '../unit.ts';
import { assertKey, copyValue } from '../value.ts';
import { Chance } from './chance.ts';
import { TestKitError } from './errors.ts';
import { deepFreeze } from './freeze.ts';
import { tablesOf } from './guarded-table.ts';
import type { TurnWitness } from './guarded-turn.ts';
import { ManualClock } from './manual-clock.ts';
import { inFrontOf, observe } from './observed.ts';
import { pictureOf, shown } from './picture.ts';
import { recorderNow } from './recording.adapter.ts';
import type { AnswerOf, ArgsOf, HandlerName, OpenQuestion, OpenTimer, SentMessage, StateOf } from './types.ts';

export interface TestActorOptions<D extends AnyActor = AnyActor> {
  /** What `ctx.random()` draws from, 1 when not given. */
  readonly seed?: number;
  /** Milliseconds since 1970 at which the test begins; the first of January 2026 when not given. */
  readonly now?: number;
  /** Fields of the state that are not as `state()` makes them. */
  readonly state?: D extends Actor<infer S, infer _> ? Partial<S> : never;
  /** Whether a turn that throws is undone and its message set aside, as after a rollback. Else the throw reaches the test. */
  readonly onThrow?: 'throw' | 'set-aside';
}

/** Runs a turn on a message, and gives what the handler answers. */
export type Sends<D> = {
  readonly [K in keyof Messages<D>]: (...args: ArgsOf<D, K>) => AnswerOf<D, K>;
};

/**
 * One actor, run by a test: no thread, no promise, no other actor. What it sends, asks and waits for lies in lists.
 *
 * A turn gets copies, and what it got is frozen when it ends (docs/testing.md). A turn that throws changes nothing.
 */
export class TestActor<D extends AnyActor> {
  readonly ref: Ref<D>;
  readonly #clock: ManualClock;
  readonly #table: ActorTable;
  readonly #witness: TurnWitness;
  #sent: SentMessage[] = [];
  readonly #logged: string[] = [];
  /** Arguments of questions, by id. */
  readonly #asked = new Map<string, readonly unknown[]>();
  #answer: Answer | null = null;
  #ids = 0;

  constructor(definition: D, key: string, options: TestActorOptions<D>) {
    const { seed = 1, now, state, onThrow = 'throw' } = options;
    assertKey(key, () => `key of '${definition.name}'`);
    observe(definition);
    this.ref = Object.freeze({ type: definition.name, key });
    this.#clock = new ManualClock(now);
    this.#witness = { record: recorderNow(), begins: () => undefined };
    const chance = new Chance(seed);
    const clock = this.#clock;
    this.#table = new ActorTable({
      cut: new CutState(),
      log: (text) => this.#logged.push(text),
      send: (envelope) => this.#collect(envelope),
      answer: (_, answer) => (this.#answer = answer),
      abort: () => undefined,
      careful: onThrow === 'set-aside' ? [{ type: definition.name, key }] : [],
      random: () => chance.fraction(),
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      nextId: () => `q${++this.#ids}`,
    });
    this.#table.resume();
    if (state !== undefined) this.#begin(() => load(this.#cell, state));
  }

  /**
   * Sends a message and runs its turn.
   *
   * @throws Refusal as the handler has thrown it
   * @throws ActorError `TURN_THREW` with the cause when it threw anything else, `HANDLER_ASYNC`, `DATA_NOT_SERIALISABLE`
   * @example expect(account.send.withdraw(3)).toBe(7);
   */
  get send(): Sends<D> {
    return messageFacet(this.ref, (to, handler, args) => this.#ask(makeEnvelope(to, handler, args, ASKED)));
  }

  /** The state now, as a read-only copy with a map for each table. */
  get state(): StateOf<D> {
    return this.#begin(() => shown(pictureOf(this.#cell.state))) as StateOf<D>;
  }

  /** What it has told others, and itself: nothing of it is delivered. */
  get sent(): readonly SentMessage[] {
    return [...this.#sent];
  }

  /**
   * Runs the turn of a message that it has sent to itself: nothing of `sent` is delivered by itself.
   *
   * @throws TestKitError `TEST_OPTIONS` when it is for somebody else; as `send` does
   */
  receive({ to, handler, args }: SentMessage): void {
    const { type, key } = this.ref;
    if (to.type !== type || to.key !== key) {
      throw new TestKitError(
        'TEST_OPTIONS',
        `a message to ${to.type}/${to.key} ${handler} was given to ${this.#name}; expected one to itself`,
      );
    }
    this.#turn(makeEnvelope(to, handler, [...args]));
  }

  /**
   * The arguments of all messages that it has told actors of a definition.
   *
   * @example expect(transfer.sentTo(Account, 'deposit')).toEqual([[5]]);
   */
  sentTo<T extends AnyActor, K extends HandlerName<T>>(definition: T, handler: K): readonly ArgsOf<T, K>[] {
    const found = this.#sent.filter((message) => message.to.type === definition.name && message.handler === handler);
    return found.map(({ args }) => args as ArgsOf<T, K>);
  }

  /** What it has asked and nobody has answered. */
  get questions(): readonly OpenQuestion[] {
    const calls = [...(this.#cellIfAny?.ownTableIfAny('~calls')?.entries() ?? [])];
    return calls.map(([id, { to, service, handler, into, bound, timeoutMs }]) => {
      const args = this.#asked.get(id) ?? [];
      return deepFreeze({ id, to: service ?? to!, handler, args, into, bound: copyValue(bound, 'bound'), timeoutMs });
    });
  }

  /**
   * The one open question to a service or an actor of a definition.
   *
   * @throws TestKitError `TEST_NO_SUCH_QUESTION` when there is none, or more than one
   * @example transfer.answer(transfer.question(Account, 'withdraw'), { ok: true, value: 7 });
   */
  question<T extends AnyActor | AnyServiceLike, K extends HandlerName<T>>(
    definition: T,
    handler: K,
  ): OpenQuestion<AnswerOf<T, K>, ArgsOf<T, K>> {
    const { name } = definition;
    const open = this.questions;
    const found = open.filter(({ to, handler: asked }) => asked === handler && (to === name || typeOf(to) === name));
    if (found.length === 1) return found[0] as OpenQuestion<AnswerOf<T, K>, ArgsOf<T, K>>;
    throw new TestKitError(
      'TEST_NO_SUCH_QUESTION',
      `${this.#name} has ${found.length} open questions to ${name} ${handler}; expected one. ${listOf(open)}`,
    );
  }

  /**
   * Answers a question and runs the turn of the handler that it named.
   *
   * @throws TestKitError `TEST_NO_SUCH_QUESTION` when it is not open any more
   */
  answer<R>(question: OpenQuestion<R>, reply: Reply<R>): void {
    const { id, handler } = question;
    const { type, key } = this.ref;
    if (this.#cellIfAny?.ownTableIfAny('~calls')?.has(id) !== true) {
      throw new TestKitError('TEST_NO_SUCH_QUESTION', `${this.#name} waits no longer for ${handler}. ${this.#open}`);
    }
    this.#asked.delete(id);
    const args = [id, copyValue(reply, () => `answer of ${handler}`)];
    this.#turn({ type, key, handler: REPLY, args, reply: null });
  }

  /** What goes off when time comes, the earliest first. */
  get timers(): readonly OpenTimer[] {
    const timers = [...(this.#cellIfAny?.ownTableIfAny('~timers')?.entries() ?? [])];
    const now = this.#clock.now();
    const open = timers.map(([id, { dueAt, into, args }]) => {
      return deepFreeze({ id, dueAt, inMs: dueAt - now, handler: into, args: copyValue(args, 'arguments') });
    });
    return open.sort((a, b) => a.dueAt - b.dueAt);
  }

  /** Milliseconds since 1970, as `ctx.now()` tells them. */
  get now(): number {
    return this.#clock.now();
  }

  /** Moves time on; timers and time limits go off, each at its own instant. */
  advance(ms: number): void {
    assertDelay('ms', ms);
    const until = this.#clock.monotonic() + ms;
    for (let next = this.#table.nextAlarm; next !== undefined && next <= until; next = this.#table.nextAlarm) {
      this.#clock.advance(Math.max(0, next - this.#clock.monotonic()));
      this.#begin(() => this.#table.ring());
    }
    this.#clock.advance(until - this.#clock.monotonic());
  }

  /** Messages that were set aside. */
  get letters(): readonly DeadLetter[] {
    return this.#table.letters();
  }

  /** What it has said to `ctx.log`. */
  get logged(): readonly string[] {
    return [...this.#logged];
  }

  /** Empties `sent`: what comes later is easier to tell. */
  clearSent(): void {
    this.#sent = [];
  }

  get #name(): string {
    return `${this.ref.type}/${this.ref.key}`;
  }

  get #open(): string {
    return listOf(this.questions);
  }

  get #cell(): Cell {
    return this.#table.cell(this.ref.type, this.ref.key);
  }

  get #cellIfAny(): Cell | undefined {
    return this.#table.find(this.ref.type, this.ref.key);
  }

  #ask(envelope: Envelope): unknown {
    this.#answer = null;
    this.#turn(envelope);
    const answer = this.#answer as Answer | null;
    if (answer === null) return undefined;
    if (answer.ok) return deepFreeze(answer.value);
    const { code, message } = answer;
    // Codes of the runtime's own come with letters, and with answers that cannot cross.
    if (OWN_CODES.has(code)) throw new RemoteError({ code, message, stack: answer.stack, cause: undefined });
    throw new Refusal(code, message);
  }

  #turn(envelope: Envelope): void {
    this.#begin(() => {
      this.#table.deliver(envelope);
      const cell = this.#cell;
      if (cell.careful) this.#table.turn();
      else undoing(cell, () => this.#table.turn());
    });
  }

  #begin<T>(run: () => T): T {
    return inFrontOf(this.#witness, run);
  }

  #collect({ type, key, handler, args, reply }: Envelope): void {
    if (reply !== null && 'call' in reply) this.#asked.set(reply.call, deepFreeze(args));
    else if (type !== SERVICE) this.#sent.push(deepFreeze({ to: { type, key }, handler, args }));
  }
}

/** So that a definition of a service is taken whatever its handlers are. */
type AnyServiceLike = Pick<AnyService, 'kind' | 'name'>;

/** Whoever asks is the test. */
const ASKED = { ask: 0, term: 0 };
const OWN_CODES = new Set(['DEAD_LETTER', 'TURN_THREW', 'DATA_NOT_SERIALISABLE', 'MESSAGE_TOO_LARGE']);

/**
 * Makes an actor to be tested, without threads. It begins with its first state; modules that it needs must be imported.
 *
 * @example
 * const account = testActor(Account, 'alice');
 * account.send.deposit(10);
 * expect(account.send.withdraw(3)).toBe(7);
 * expect(account.state).toEqual({ balance: 7 });
 */
export function testActor<D extends AnyActor>(
  definition: D,
  key: string = 'test',
  options: TestActorOptions<D> = {},
): TestActor<D> {
  return new TestActor(definition, key, options);
}

/** Tables are put back if the turn throws; the state is not touched by one that does. */
function undoing(cell: Cell, turn: () => void): void {
  const { tables } = cell;
  for (const [, table] of tables) table.beginTurn();
  let undo: 'keep' | 'undo' = 'undo';
  try {
    turn();
    undo = 'keep';
  } finally {
    for (const [, table] of tables) table.endTurn(undo);
  }
}

function load(cell: Cell, state: object): void {
  const given = new Map(tablesOf(state));
  const plain = Object.entries(state).filter(([name]) => !given.has(name));
  for (const [name, table] of cell.tables) {
    for (const [key, value] of given.get(name)?.entries() ?? []) table.set(key, value);
  }
  const fields = copyValue(Object.fromEntries(plain), 'state of the options');
  cell.load({ ...cell.plainState(), ...fields });
}

function typeOf(to: Ref<unknown> | string): string | null {
  return typeof to === 'string' ? null : to.type;
}

function listOf(open: readonly OpenQuestion[]): string {
  const all = open.map(({ to, handler }) => `${typeof to === 'string' ? to : `${to.type}/${to.key}`} ${handler}`);
  return `Open: ${all.join(', ') || 'none'}`;
}
