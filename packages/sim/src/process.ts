import type { Install } from '@tidemark/actors/internal';
import type { Store } from '@tidemark/stores';
import type { EngineEvent, Environment, ProcessIdentity } from '@tidemark/checkpoint/internal';
import type { Config } from './config.ts';
import { type ProcessStep, storeStep } from './coverage.ts';
import type { Disk } from './disk.ts';
import { noteRollback } from './programs/gate.ts';
import type { ProcessSeat, Running, Stage } from './stage.ts';
import { type StoreCall, type StoreFault, type StoreHost, type StoreLies, SimStore } from './store.ts';
import { SimThread } from './thread.ts';
import { SimThreads, type Wires } from './threads.ts';
import type { World } from './world.ts';

export const JOB = 'main';
export const STORE = '/simulated/store';

/** Who hears of what a process does. */
export interface ProcessWatcher {
  /** It has entered a step of the protocol. */
  entered(process: SimProcess, step: ProcessStep): void;
  fault(process: SimProcess, call: StoreCall, at: string): StoreFault;
  observed(process: SimProcess, event: EngineEvent): void;
  acknowledged(process: SimProcess, ticks: number, position: number): void;
  /** Something that should happen now and then. */
  happened(what: string): void;
  violation(process: SimProcess, what: string): void;
  /** It has ended by itself. */
  exited(process: SimProcess, error: unknown): void;
}

export interface ProcessPlace {
  readonly world: World;
  readonly disk: Disk;
  readonly config: Config;
  readonly watcher: ProcessWatcher;
  readonly wires: Wires;
  readonly lies: StoreLies;
  readonly isAlive: (pid: number) => boolean;
  readonly machine: () => { readonly host: string; readonly bootId: string };
}

/** Virtual milliseconds that an ending process takes at most to end in order. */
const EXIT_MS = 20_000;

/**
 * One process that runs the program with the production engine. It may be killed or stopped at any step: then nothing of
 * it runs, and its calls to the store go on or not as they would.
 *
 * - V8 A dead process calls nobody and hears nothing; its name never comes back.
 */
export class SimProcess implements StoreHost, ProcessSeat {
  readonly name: string;
  readonly pid: number;
  readonly workers: number;
  readonly lies: StoreLies;
  readonly identity: ProcessIdentity;
  /** Virtual milliseconds. */
  readonly begunAt: number;
  step: ProcessStep = 'begins';
  term: number | null = null;
  readonly #place: ProcessPlace;
  readonly #stage: Stage;
  readonly host: SimThread;
  #running: Running | null = null;
  /** How often it has gone back. */
  rollbacks = 0;
  #threads: SimThreads | null = null;
  #state: 'running' | 'paused' | 'dead' = 'running';

  constructor(place: ProcessPlace, stage: Stage, number: number) {
    const { world, config } = place;
    this.#place = place;
    this.#stage = stage;
    this.name = `p${number}`;
    this.pid = 1000 + number;
    this.begunAt = world.now;
    this.workers = 1 + world.chance.below(config.workersMax);
    this.lies = place.lies;
    this.host = new SimThread(world, this, 0);
    this.identity = {
      ...place.machine(),
      pidNamespace: 'pid:[1]',
      pid: this.pid,
      startTicks: String(this.pid),
      parentPid: 1,
      parentStartTicks: '1',
    };
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  start(): void {
    this.#place.watcher.entered(this, this.step);
    void this.#main();
  }

  crash(): void {
    this.#state = 'dead';
    this.#threads?.killAll();
    this.host.kill();
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#refresh();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#refresh();
  }

  killWorker(): void {
    this.#threads?.killWorker(1 + this.#place.world.chance.below(this.workers));
  }

  /** An orderly end. */
  stop(): void {
    const running = this.#running;
    if (running === null || running.over) return;
    this.enter('stops');
    // Rejects when the last checkpoint could not be taken; `done` says the same.
    this.host.clock.soon(() => void running.stop().catch(() => undefined));
  }

  enter(step: ProcessStep): void {
    if (this.step === step || !this.alive) return;
    // The last checkpoint of an orderly end has the same steps as any other; what is special is that it is the last.
    if (this.step !== 'stops') this.step = step;
    this.#place.watcher.entered(this, this.step);
  }

  // ── what the store asks and tells ────────────────────────────────────────────────────────────────────────────

  fault(call: StoreCall, name: string, bytes: Uint8Array | null): StoreFault {
    return this.#place.watcher.fault(this, call, storeStep(call, name, isTerm(name, bytes)));
  }

  saw(stage: 'called' | 'effect' | 'answered', call: StoreCall, name: string, bytes: Uint8Array | null): void {
    const what = storeStep(call, name, isTerm(name, bytes));
    this.#place.world.note(`${this.name} ${what} ${stage} ${name}`);
    const step = stepAfter(what, stage, this.term !== null);
    if (step !== null) this.enter(step);
  }

  // ── its life ─────────────────────────────────────────────────────────────────────────────────────────────────

  async #main(): Promise<void> {
    let running: Running;
    try {
      running = await this.#stage.launch(this);
    } catch (error) {
      this.#exit(error);
      return;
    }
    this.#running = running;
    this.enter('runs');
    let failure: unknown = null;
    try {
      await running.done;
    } catch (error) {
      failure = error;
    }
    await Promise.race([running.end(), new Promise<void>((resolve) => void this.host.clock.after(EXIT_MS, resolve))]);
    this.#exit(failure);
  }

  #exit(error: unknown): void {
    if (!this.alive) return;
    this.crash();
    this.#place.watcher.exited(this, error);
  }

  // ── what the program gets ────────────────────────────────────────────────────────────────────────────────────

  get world(): World {
    return this.#place.world;
  }

  get config(): Config {
    return this.#place.config;
  }

  get engineOptions(): ProcessSeat['engineOptions'] {
    const { config } = this.#place;
    return {
      location: STORE,
      job: JOB,
      workers: this.workers,
      schedule: `${config.scheduleMs}ms`,
      keep: config.keep,
      compression: 'none',
      captureBytesMax: Number.POSITIVE_INFINITY,
      command: (position) => `from ${position}`,
      observe: (event) => this.observe(event),
    };
  }

  environment(install: ((worker: SimThread) => Install) | null): Environment {
    const { world, disk, wires, isAlive, config } = this.#place;
    return {
      clock: this.host.clock,
      ...config.bounds,
      randomId: () => world.chance.id(),
      random: () => world.chance.fraction(),
      processes: { own: () => this.identity, isAlive: (pid) => isAlive(pid) },
      openStore: async () => this.storeOn(disk, this.host),
      startThreads: (options) => {
        const seat = (number: number): SimThread => new SimThread(world, this, number);
        const marked = { ...wires, marker: () => this.enter('cuts') };
        const lost = (thread: number, cause: unknown): void => {
          if (this.term !== null) this.enter('rolls back');
          options.lost(thread, cause);
        };
        const { inlineBytesMax } = config.bounds;
        this.#threads = new SimThreads(this.host, seat, { ...options, lost }, marked, inlineBytesMax, install);
        return this.#threads;
      },
    };
  }

  storeOn(disk: Disk, thread: SimThread): Store {
    const { world } = this.#place;
    return new SimStore(world, disk, this, world.lane(`${this.name} effects`, null), thread.lane('store'));
  }

  observe(event: EngineEvent): void {
    if (event.kind === 'term') this.term = event.term;
    if (event.kind === 'checkpoint') this.enter('runs');
    if (event.kind === 'rolled-back') {
      this.enter('runs');
      this.rollbacks++;
      noteRollback(this.term ?? 0);
    }
    this.#place.watcher.observed(this, event);
  }

  acknowledged(ticks: number, position: number): void {
    this.#place.watcher.acknowledged(this, ticks, position);
  }

  happened(what: string): void {
    this.#place.watcher.happened(what);
  }

  violation(what: string): void {
    this.#place.watcher.violation(this, what);
  }

  #refresh(): void {
    this.host.refresh();
    this.#threads?.refresh();
  }
}

/** Where in a record its kind stands, at the latest. */
const KIND_WITHIN_BYTES = 1_000;

function isTerm(name: string, bytes: Uint8Array | null): boolean {
  if (bytes === null || !name.includes('/log/')) return false;
  // Read a dozen times for each record: so only looked for, not decoded.
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, KIND_WITHIN_BYTES)).includes(
    '"kind":"term"',
  );
}

/** The step that a process is in after it was seen to do something with the store. */
function stepAfter(what: string, stage: 'called' | 'effect' | 'answered', owns: boolean): ProcessStep | null {
  switch (what) {
    case 'list gc':
      if (stage !== 'called') return null;
      return owns ? 'looks for owner' : 'reads log';
    case 'put term':
      return stage === 'called' ? 'term called' : stage === 'effect' ? 'term stored' : 'loads';
    case 'put record':
      return stage === 'called' ? 'record called' : stage === 'effect' ? 'record stored' : null;
    case 'put part':
      return stage === 'called' ? 'part called' : stage === 'effect' ? 'part stored' : null;
    case 'put batch':
      return stage === 'called' ? 'batch called' : stage === 'effect' ? 'batch stored' : null;
    case 'put boundary':
      return stage === 'called' ? 'boundary called' : stage === 'effect' ? 'boundary stored' : null;
    case 'delete record':
    case 'delete part':
    case 'delete boundary':
      return stage === 'called' ? 'collects' : null;
    default:
      return null;
  }
}
