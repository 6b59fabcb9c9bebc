import type { EngineEvent } from '@tidemark/checkpoint/internal';
import { ActorStage } from './actor-stage.ts';
import { Chance } from '@tidemark/actors/testing/internal';
import { type Config, drawConfig } from './config.ts';
import { Coverage, type ProcessStep } from './coverage.ts';
import { Damager } from './damage.ts';
import { Disk } from './disk.ts';
import { codeOf, MAY_END, textOf } from './ends.ts';
import { Faults, isDamage, type OutsideFault } from './faults.ts';
import { JobStage } from './job-stage.ts';
import { Judge } from './judge.ts';
import type { Lane } from './lane.ts';
import { type ProcessPlace, type ProcessWatcher, SimProcess } from './process.ts';
import { forgetVisits } from './programs/errands.ts';
import { forgetRollbacks } from './programs/gate.ts';
import type { Program } from './programs/program.ts';
import { emptyDepot } from './programs/depot.ts';
import { emptyWorkshop } from './programs/workshop.ts';
import type { Bound, RunOptions, RunResult } from './run-options.ts';
import type { Stage } from './stage.ts';
import { READS, type StoreCall, type StoreFault } from './store.ts';
import { watchUnhandled } from './unhandled.adapter.ts';
import { World } from './world.ts';

const STEPS = 2_000;
/** Once faults have stopped: what a settling put, an overdue cut and a watched counter may take together, and some. */
const REST: Bound = { ms: 400_000, steps: 60_000 };
/** And then: the longest time limit of a question, some ticks, and checkpoints that show that it is answered. */
const OPEN: Bound = { ms: 100_000, steps: 12_000 };

/** Longer than a put is tried. */
const OUTAGE_MS = 70_000;
/** Steps after which time begins to fly. */
const PATIENCE_STEPS = 2_000;
/** Processes of one job that live at a time. */
const PROCESSES_MAX = 3;

/** Runs one seed to its end, or to the first violation. */
export async function runSeed(options: RunOptions): Promise<RunResult> {
  const run = new Run(options);
  const stop = watchUnhandled((error) => run.unhandled(error));
  try {
    return await run.toEnd();
  } finally {
    stop();
  }
}

/**
 * One seed: a world, a store, and processes of one job that come and go, first with faults and then without.
 *
 * Owns: who lives, and when faults happen. Does not own: what is true (Judge), or what a fault does (SimProcess, SimStore).
 */
class Run implements ProcessWatcher {
  readonly #options: RunOptions;
  readonly #world: World;
  readonly #config: Config;
  readonly #faults: Faults;
  readonly #judge: Judge;
  readonly #stage: Stage;
  readonly #disk: Disk;
  readonly #damager: Damager;
  readonly #operator: Lane;
  readonly #chance: Chance;
  readonly #coverage = new Coverage();
  #living: SimProcess[] = [];
  #started = 0;
  #restores = 0;
  #boots = 1;
  #outageUntil = 0;
  #starting = false;

  constructor(options: RunOptions) {
    this.#options = options;
    const { seed, mode, program, steps = STEPS, print = null } = options;
    const drawn = new Chance(seed);
    const config = drawConfig(drawn.fork(), program.kind, mode, steps);
    this.#config = options.tune?.(config) ?? config;
    this.#world = new World({ seed: drawn.below(0x7fffffff), lookMs: this.#config.lookMs, print });
    this.#faults = new Faults(drawn.fork(), this.#config.swarm, options.only ?? null);
    this.#chance = drawn.fork();
    this.#stage = this.#makeStage(program);
    this.#judge = new Judge(
      this.#stage,
      () => this.#disk,
      () => this.#world.now,
    );
    this.#disk = new Disk(this.#world, this.#judge, options.planted?.lies?.neverSyncs !== true);
    this.#damager = new Damager(this.#world, this.#disk);
    this.#operator = this.#world.lane('operator', null);
    forgetRollbacks();
    forgetVisits();
    emptyWorkshop();
    emptyDepot();
    this.#world.thrown = (lane, error) => this.#judge.violation(`${lane.label} threw ${textOf(error)}`);
    this.#world.note(
      JSON.stringify({ ...this.#config, swarm: { ...this.#config.swarm, kinds: [...this.#config.swarm.kinds] } }),
    );
  }

  #makeStage(program: Program): Stage {
    if (program.kind === 'actors') return new ActorStage(program);
    return new JobStage({
      world: this.#world,
      config: this.#config,
      chance: this.#chance.fork(),
      isPublished: (position) => this.#judge.history[position]?.record.kind === 'checkpoint',
      violation: (what) => this.#judge.violation(what),
    });
  }

  async toEnd(): Promise<RunResult> {
    this.#ensureProcess(0);
    await this.#until(() => this.#world.steps >= this.#config.steps || this.#stage.finished === true);
    this.#faults.end();
    this.#outageUntil = 0;
    this.#damager.repair();
    if (this.#stage.finished !== null) await this.#comeToEnd();
    else await this.#comeToRest();
    return this.#result();
  }

  async #comeToRest(): Promise<void> {
    await this.#publishes('after the faults');
    if (this.#going) {
      // And once more from what is there now.
      for (const process of this.#living) this.#crash(process);
      this.#ensureProcess(0);
      await this.#publishes('after the last crash');
    }
  }

  /** Without faults a program that ends comes to its end, whoever sleeps; and whoever starts it again hears so. */
  async #comeToEnd(): Promise<void> {
    for (const when of ['after the faults', 'started once more']) {
      for (const process of this.#living) process.resume();
      this.#ensureProcess(0);
      const started = this.#started;
      const over = (): boolean => {
        const again = when === 'after the faults' || this.#started > started;
        return again && this.#stage.finished === true && this.#living.length === 0;
      };
      await this.#within(`${when} the program did not end`, over, REST);
    }
    if (!this.#going) return;
    try {
      this.#stage.checkEnd();
    } catch (error) {
      this.#judge.violation(`at the end ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  unhandled(error: unknown): void {
    this.#judge.violation(`a rejection that nobody handles: ${textOf(error)}`);
  }

  get #going(): boolean {
    return this.#judge.violations.length === 0;
  }

  async #until(over: () => boolean): Promise<void> {
    while (this.#going && !over()) {
      if (!(await this.#world.step())) {
        this.#judge.violation('nothing is left to do, and nobody runs');
        return;
      }
    }
  }

  /** Without faults, a checkpoint comes within a bounded time, by a process that is not about to find itself fenced. */
  async #publishes(when: string): Promise<void> {
    for (const process of this.#living) process.resume();
    const released = this.#judge.released;
    await this.#within(
      `${when} no checkpoint was published`,
      () => this.#judge.released >= released + 3 && this.#living.length === 1,
      REST,
    );
    // What is open now is answered; younger questions may be open.
    const { open } = this.#stage;
    if (open.length === 0) return;
    const answered = (): boolean => open.every((id) => !this.#stage.open.includes(id));
    await this.#within(`${when} a question stayed open`, answered, OPEN);
  }

  async #within(otherwise: string, over: () => boolean, { ms, steps: stepsMax }: Bound): Promise<void> {
    const { now, steps } = this.#world;
    let patience = steps + PATIENCE_STEPS;
    await this.#until(() => {
      if (over()) return true;
      if (this.#world.steps > patience) {
        this.#world.hurry(4);
        patience += PATIENCE_STEPS;
      }
      if (this.#world.now - now < ms || this.#world.steps - steps < stepsMax) return false;
      this.#judge.violation(`${otherwise} within ${ms} ms and ${stepsMax} steps`);
      return true;
    });
  }

  #result(): RunResult {
    for (let i = 0; i < this.#judge.passedOver; i++) this.#coverage.happened('damaged checkpoint passed over');
    const { seed } = this.#options;
    return {
      seed,
      violations: this.#judge.violations,
      hash: this.#world.trace.hash,
      steps: this.#world.steps,
      virtualMs: this.#world.now,
      checkpoints: this.#judge.checkpoints,
      released: this.#judge.released,
      restores: this.#restores,
      processes: this.#started,
      fired: this.#faults.fired,
      coverage: this.#coverage,
    };
  }

  // ── who lives ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Somebody sees to it that the job runs: a supervisor, or a person. */
  #ensureProcess(delayMs: number): void {
    if (this.#starting) return;
    this.#starting = true;
    this.#world.after(this.#operator, delayMs, () => {
      this.#starting = false;
      if (this.#living.some((process) => process.running)) return;
      this.#start();
    });
  }

  #start(): void {
    if (this.#living.length >= PROCESSES_MAX) return;
    const process = new SimProcess(this.#place(), this.#stage, ++this.#started);
    this.#world.note(`${process.name} starts with ${process.workers} workers`);
    this.#living.push(process);
    process.start();
  }

  #place(): ProcessPlace {
    const { machines, seenAs } = this.#config;
    const { wires, lies } = this.#options.planted ?? {};
    const machine = machines === 'many' ? this.#started : 0;
    return {
      world: this.#world,
      disk: this.#disk,
      config: this.#config,
      watcher: this,
      wires: { carry: null, say: null, ...wires },
      lies: lies ?? {},
      isAlive: (pid) => pid === 1 || (seenAs === 'it is' && this.#living.some((process) => process.pid === pid)),
      machine: () => ({ host: `machine-${machine}`, bootId: `boot-${machine}-${this.#boots}` }),
    };
  }

  #crash(process: SimProcess): void {
    this.#world.note(`${process.name} crashes while it ${process.step}`);
    process.crash();
    this.#buried(process);
  }

  #buried(process: SimProcess): void {
    this.#living = this.#living.filter((each) => each !== process);
    this.#ensureProcess(this.#chance.skewed(2_000));
  }

  // ── what processes tell ──────────────────────────────────────────────────────────────────────────────────────

  entered(process: SimProcess, step: ProcessStep): void {
    const fault = this.#faults.process(step);
    if (fault === null) return;
    const injure = (): void => {
      if (process.alive) this.#injure(process, fault.kind);
    };
    // At some point soon it may have gone on.
    if (fault.when === 'now') this.#world.urgently(injure);
    else this.#operator.push(injure);
  }

  fault(process: SimProcess, call: StoreCall, at: string): StoreFault {
    if (this.#world.now < this.#outageUntil) {
      return READS.has(call) || this.#chance.isTrue(0.3) ? 'refused' : 'request-lost';
    }
    const fault = this.#faults.store(call, at);
    if (fault === 'none') return fault;
    this.#coverage.count(fault, at);
    this.#world.note(`${process.name} ${at}: ${fault}`);
    return fault;
  }

  observed(process: SimProcess, event: EngineEvent): void {
    this.#world.note(`${process.name} ${JSON.stringify(event)}`);
    if (event.kind === 'restored') this.#restores++;
    if (event.kind === 'rolled-back') this.#coverage.happened(`rolled back: ${event.code}`);
    if (event.kind === 'checkpoint-failed') this.#coverage.happened(`attempt failed: ${event.code}`);
    if (event.kind === 'warning') this.#coverage.happened(`warning: ${event.code}`);
    if (this.#options.planted?.mute?.(event) === true) return;
    this.#judge.observed(process, event);
  }

  acknowledged(process: SimProcess, ticks: number, position: number): void {
    this.#judge.acknowledged(process, ticks, position);
  }

  happened(what: string): void {
    this.#coverage.happened(what);
  }

  violation(process: SimProcess, what: string): void {
    this.#judge.violation(`${process.name}: ${what}`);
  }

  exited(process: SimProcess, error: unknown): void {
    this.#world.note(`${process.name} exits: ${error instanceof Error ? error.message : 'well'}`);
    const code = codeOf(error);
    this.#coverage.happened(`process ended: ${error === null ? 'well' : code}`);
    if (error !== null && !this.#mayEnd(process, code)) {
      this.#judge.violation(`${process.name} ended with ${textOf(error)}`);
    }
    this.#buried(process);
  }

  /** Damage ends a start, and a person puts back what was damaged. */
  #mayEnd(process: SimProcess, code: string): boolean {
    // While it ends in order nothing is gone back to.
    if (code === 'TURN_THREW' && this.#stage.throws) return true;
    if (code !== 'CHECKPOINT_DAMAGED') return MAY_END.has(code);
    const found = this.#damager.since(process.begunAt);
    this.#damager.repair();
    return found;
  }

  // ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Where it comes again and again it must not take all the time that there is. */
  #aimsAt(kind: OutsideFault): boolean {
    return this.#config.swarm.aim?.kind === kind;
  }

  #outageMs(): number {
    if (this.#aimsAt('outage')) return this.#chance.skewed(400 * this.#config.lookMs);
    return this.#chance.isTrue(0.3) ? OUTAGE_MS : this.#chance.skewed(OUTAGE_MS);
  }

  #injure(process: SimProcess, kind: OutsideFault): void {
    if (!isDamage(kind)) this.#coverage.count(kind, process.step);
    this.#world.note(`${kind} of ${process.name} while it ${process.step}`);
    switch (kind) {
      case 'crash':
        this.#crash(process);
        return;
      case 'power-cut':
        for (const each of this.#living) this.#crash(each);
        this.#boots++;
        if (this.#config.store === 'folder') {
          this.#disk.cut();
          this.#stage.powerCut();
        }
        return;
      case 'pause':
        process.pause();
        this.#world.after(this.#operator, this.#chance.skewed(this.#aimsAt(kind) ? 20_000 : 120_000), () =>
          process.resume(),
        );
        this.#ensureProcess(this.#chance.skewed(5_000));
        return;
      case 'rival':
        this.#start();
        return;
      case 'worker-death':
        process.killWorker();
        return;
      case 'clock-jump':
        this.#world.now += this.#chance.isTrue(0.5) ? 61_000 : this.#chance.skewed(70_000);
        this.#world.wallError += this.#chance.fraction() * 4e10 - 2e10;
        return;
      case 'stop':
        process.stop();
        return;
      case 'bit-flip':
      case 'truncation':
        this.#coverage.happened(`${kind}: ${this.#damager.strike(kind) ?? 'nothing there'}`);
        return;
      case 'outage':
        this.#outageUntil = this.#world.now + this.#outageMs();
        return;
    }
  }
}
