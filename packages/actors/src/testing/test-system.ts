import { Border } from '../border.ts';
import { type ActorAddress, ActorError } from '../errors.ts';
import { messageFacet, serviceFacet } from '../facet.ts';
import { assertDelay, isService } from '../turn.ts';
import { type DeadLetter, DISCARD, RESEND } from '../turns.ts';
import type { AnyActor, AnyService, AskOptions, Asks, Ref, Service, TellsWhenRoom } from '../types.ts';
import { assertKey } from '../value.ts';
import { Chance } from './chance.ts';
import { TestKitError } from './errors.ts';
import { type Fake, withFakes } from './fake.ts';
import { assertCount } from './for-seeds.ts';
import type { TurnWitness } from './guarded-turn.ts';
import { ManualClock } from './manual-clock.ts';
import { inFrontOf, observeAll } from './observed.ts';
import { recorderNow } from './recording.adapter.ts';
import { settled } from './settled.adapter.ts';
import { TestCut } from './test-cut.ts';
import { TestGeneration } from './test-generation.ts';
import type { StateOf } from './types.ts';

export interface TestSystemOptions {
  /** What decides about the order of things, and what `ctx.random()` draws from; 1 when not given. */
  readonly seed?: number;
  /** Workers beside the host, 2 when not given. They are simulated: all runs in this thread. */
  readonly workers?: number;
  /** Milliseconds since 1970 at which the test begins; the first of January 2026 when not given. */
  readonly now?: number;
  /** Services that do something else than in life. */
  readonly services?: readonly Fake[];
  /** Whether a turn that throws ends the test (when not given), or the system goes back to its newest checkpoint as in life. */
  readonly onThrow?: 'throw' | 'rollback';
  /** Things that may happen before a system that does not come to rest is given up; 1,000,000 when not given. */
  readonly stepsMax?: number;
}

/** Looks at a system in which nothing moves, after which it is at rest: promises of services may go on between them. */
const QUIET_LOOKS = 3;
/** Things that happen at most before promises of services go on. */
const BURST_STEPS = 32;

/**
 * Actors and services over several threads that a test simulates in its own: the production runtime, with time that the test
 * moves and an order that a seed decides.
 *
 * What is sent runs by itself as soon as the test awaits something. `run` waits until nothing moves any more.
 */
export class TestSystem {
  readonly seed: number;
  readonly #options: TestSystemOptions;
  readonly #clock: ManualClock;
  readonly #chance: Chance;
  readonly #witness: TurnWitness;
  readonly #stepsMax: number;
  readonly #turns: string[] = [];
  readonly #logged: string[] = [];
  #workers: number;
  #border: Border;
  #term = 1;
  #number = 1;
  #cuts = 0;
  #generation: TestGeneration;
  #checkpoint: TestCut | null = null;
  #careful: ActorAddress[] = [];
  #failure: unknown = null;
  #hurt: unknown = null;
  #rollbacks = 0;
  #current: Promise<void> | null = null;
  #isDue = false;

  constructor(options: TestSystemOptions) {
    const { seed = 1, workers = 2, now, stepsMax = 1_000_000 } = options;
    assertCount('seed', seed, 0);
    assertCount('workers', workers, 1);
    assertCount('stepsMax', stepsMax, 1);
    observeAll();
    this.seed = seed;
    this.#options = options;
    this.#workers = workers;
    this.#stepsMax = stepsMax;
    this.#clock = new ManualClock(now);
    this.#chance = new Chance(seed);
    this.#witness = {
      record: recorderNow(),
      begins: ({ name }, key, handler) => void this.#turns.push(`${name}/${key} ${handler}`),
    };
    this.#border = new Border(this.#clock);
    this.#generation = this.#begin();
  }

  get workers(): number {
    return this.#workers;
  }

  /** Milliseconds since 1970, as `ctx.now()` tells them. */
  get now(): number {
    return this.#clock.now();
  }

  /** All turns so far, in the order in which they ran: the same for the same seed. */
  get turns(): readonly string[] {
    return this.#turns;
  }

  /** What actors and services have said to `ctx.log`. */
  get logged(): readonly string[] {
    return this.#logged;
  }

  /** Times that the system went back to a checkpoint because a turn threw. */
  get rollbacks(): number {
    return this.#rollbacks;
  }

  ref<D extends AnyActor>(definition: D, key: string): Ref<D> {
    assertKey(key, () => `key of '${definition.name}'`);
    return { type: definition.name, key };
  }

  /** Sends; resolves when there was room. */
  tell<D>(to: Ref<D>): TellsWhenRoom<D> {
    this.#assertGood();
    return messageFacet(to, (target, handler, args) =>
      this.#inside(() => (this.#border.tell(target) as unknown as Methods)[handler](...args)),
    );
  }

  /** Sends and waits for what the handler returns. */
  ask<D extends AnyActor>(to: Ref<D>, options?: AskOptions): Asks<D>;
  ask<H>(to: Service<H>, options?: AskOptions): Asks<Service<H>>;
  ask(to: Ref<AnyActor> | AnyService, options: AskOptions = {}): unknown {
    this.#assertGood();
    const send = (target: Ref<unknown> | AnyService, handler: string, args: readonly unknown[]): Promise<unknown> => {
      const answer = this.#inside(() => (this.#border.ask(target, options) as unknown as Methods)[handler](...args));
      // One that nobody waits for may be lost in a crash that the test makes.
      answer.catch(() => undefined);
      return answer;
    };
    if (isService(to)) return serviceFacet(to, (_, handler, args) => send(to, handler, args));
    return messageFacet(to, send);
  }

  /**
   * Lets everything run until nothing moves any more. What waits for time waits on: `advance` moves it.
   *
   * @throws what a turn has thrown, unless the system goes back for it; TestKitError `TEST_NOT_QUIET`
   */
  run(): Promise<void> {
    return (this.#current ??= this.#runAll());
  }

  /** Lets `steps` things happen now, each a slice of a thread or a delivery; answers how many could. For moments amid the work. */
  step(steps: number): number {
    this.#assertGood();
    let done = 0;
    while (done < steps && this.#step()) done++;
    return done;
  }

  /** Moves time on, and lets everything run at each instant at which something is due. */
  async advance(ms: number): Promise<void> {
    assertDelay('ms', ms);
    await this.run();
    const until = this.#clock.monotonic() + ms;
    for (let { next } = this.#clock; next !== undefined && next <= until; { next } = this.#clock) {
      this.#advance(Math.max(0, next - this.#clock.monotonic()));
      await this.run();
    }
    this.#advance(until - this.#clock.monotonic());
  }

  /** The state of an actor now, as a read-only copy with a map for each table; undefined when nobody has sent it anything. */
  state<D extends AnyActor>({ type, key }: Ref<D>): StateOf<D> | undefined {
    return this.cut()
      .states({ name: type } as D)
      .get(key);
  }

  /** All states of a definition by key. */
  states<D extends AnyActor>(definition: D): ReadonlyMap<string, StateOf<D>> {
    return this.cut().states(definition);
  }

  /** What a checkpoint would hold now: states, and messages on their way. Changes nothing. */
  cut(): TestCut {
    this.#assertGood();
    const { runtimes, scheduler } = this.#generation;
    return this.#inside(() => TestCut.take(++this.#cuts, runtimes, scheduler.network));
  }

  /** Messages that were set aside. */
  get letters(): readonly DeadLetter[] {
    return this.#generation.runtimes.flatMap((runtime) => runtime.letters());
  }

  /** Sends a letter again; resolves to false when it is there no more. */
  resend({ actor, id }: DeadLetter): Promise<boolean> {
    return this.#inside(() => this.#border.askOwn(actor, RESEND, id));
  }

  /** Gives a letter up. */
  discard({ actor, id }: DeadLetter): Promise<boolean> {
    return this.#inside(() => this.#border.askOwn(actor, DISCARD, id));
  }

  // ── what happens to it ───────────────────────────────────────────────────────────────────────────────────────

  /** Takes a checkpoint at this instant, whatever moves: of what came before nothing is lost any more. */
  checkpoint(): void {
    const cut = this.cut();
    this.#checkpoint = cut;
    this.#inside(() => {
      this.#border.answersWait(cut.cut);
      this.#border.published(cut.cut);
      for (const runtime of this.#generation.runtimes) runtime.published();
    });
  }

  /**
   * The process dies, and starts again from its newest checkpoint, with another number of workers if one is given: what came
   * later is lost, and who asked from outside gets `SYSTEM_STOPPED`.
   */
  crash({ workers = this.#workers }: { readonly workers?: number } = {}): void {
    assertCount('workers', workers, 1);
    this.#assertGood();
    this.#generation.stop();
    this.#border.close(new ActorError('SYSTEM_STOPPED', 'the process has died: the test has called crash()'));
    this.#border = new Border(this.#clock);
    this.#workers = workers;
    this.#careful = [];
    this.#term++;
    this.#number = 1;
    this.#generation = this.#begin();
  }

  /**
   * The system goes back to its newest checkpoint inside of the process, as after the death of a thread: who asked later
   * gets `ROLLED_BACK`, unless the ask had a request id.
   *
   * @param lost threads that have died: asks to services that ran there get `SERVICE_INTERRUPTED`
   */
  rollback({ lost = [] }: { readonly lost?: readonly number[] } = {}): void {
    this.#assertGood();
    this.#rollBack(new Set(lost));
  }

  /** Ends it: what is still asked gets `SYSTEM_STOPPED`. */
  stop(): void {
    this.#end(new ActorError('SYSTEM_STOPPED', 'the test has stopped the system'));
  }

  /** Lets what is under way come to its end, and stops: no throw of a handler is missed. */
  async [Symbol.asyncDispose](): Promise<void> {
    // One that the test has seen is not told twice.
    if (this.#failure !== null) return;
    try {
      await this.run();
    } finally {
      this.stop();
    }
  }

  // ── how it runs ──────────────────────────────────────────────────────────────────────────────────────────────

  #begin(): TestGeneration {
    return this.#inside(() => {
      const generation = new TestGeneration({
        workers: this.#workers,
        number: this.#number,
        term: this.#term,
        chance: this.#chance,
        clock: this.#clock,
        careful: this.#careful,
        from: this.#checkpoint,
        woken: () => this.#woken(),
        fail: (error) => (this.#hurt ??= error),
        log: (text) => this.#logged.push(text),
        letter: () => undefined,
        answered: (ask, term, answer, cut) => this.#border.answered(ask, term, answer, cut),
      });
      this.#checkpoint?.load(generation.runtimes, this.#term);
      this.#border.use(generation.host);
      generation.go();
      return generation;
    });
  }

  #rollBack(lost: ReadonlySet<number>): void {
    this.#border.pause();
    this.#generation.stop();
    this.#inside(() => this.#border.rollBack(this.#checkpoint?.cut ?? 0, lost));
    this.#number++;
    this.#generation = this.#begin();
  }

  /** Something is to run: it does so when the test awaits something. */
  #woken(): void {
    if (this.#isDue || this.#current !== null) return;
    this.#isDue = true;
    void settled().then(() => {
      this.#isDue = false;
      // The next call of the test throws it.
      return this.run().catch(() => undefined);
    });
  }

  async #runAll(): Promise<void> {
    try {
      for (let looks = 0; looks < QUIET_LOOKS || !this.#generation.scheduler.isQuiet; ) {
        this.#assertGood();
        const moved = this.#burst();
        await settled();
        looks = moved ? 0 : looks + 1;
      }
      this.#assertGood();
    } finally {
      this.#current = null;
    }
  }

  /** Lets things happen; answers whether any did. Where services run, they get to go on after a few. */
  #burst(): boolean {
    const isShared = this.#generation.callsOpen > 0;
    const most = isShared ? 1 + this.#chance.below(BURST_STEPS) : Number.POSITIVE_INFINITY;
    let done = 0;
    while (done < most && this.#step()) {
      if (++done > this.#stepsMax) throw this.#end(this.#notQuiet());
    }
    // Who waited for room may have it now.
    if (done === 0) this.#inside(() => this.#border.use(this.#generation.host));
    return done > 0;
  }

  #step(): boolean {
    const moved = this.#inside(() => this.#generation.scheduler.step());
    if (this.#hurt !== null) this.#mend(this.#hurt);
    return moved;
  }

  /** A thread has failed. */
  #mend(error: unknown): void {
    this.#hurt = null;
    const isMended = this.#options.onThrow === 'rollback' && error instanceof ActorError && error.code === 'TURN_THREW';
    if (!isMended) throw this.#end(error);
    this.#rollbacks++;
    if (error.actor !== undefined) this.#careful.push(error.actor);
    this.#rollBack(new Set());
  }

  #end(error: unknown): unknown {
    this.#failure ??= error;
    this.#generation.stop();
    this.#border.close(error instanceof Error ? error : new Error(String(error)));
    return error;
  }

  #advance(ms: number): void {
    this.#inside(() => this.#clock.advance(ms));
  }

  #assertGood(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  #inside<T>(run: () => T): T {
    return inFrontOf(this.#witness, () => withFakes(this.#options.services ?? [], run));
  }

  #notQuiet(): TestKitError {
    const last = this.#turns.slice(-5).join(', ');
    return new TestKitError(
      'TEST_NOT_QUIET',
      `the system does not come to rest: ${this.#stepsMax} things happened, the last turns were ${last}. Take step(n) for actors that go on for ever, or a larger stepsMax`,
    );
  }
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/**
 * Makes a system to be tested. The modules that define its actors and services must be imported.
 *
 * @throws TestKitError `TEST_OPTIONS`
 * @example
 * await using system = testSystem({ seed: 7, workers: 3 });
 * await system.tell(system.ref(Account, 'alice')).deposit(10);
 * expect(await system.ask(system.ref(Account, 'alice')).withdraw(3)).toBe(7);
 */
export function testSystem(options: TestSystemOptions = {}): TestSystem {
  return new TestSystem(options);
}
