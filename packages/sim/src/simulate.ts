import type { AnyActor, AskOptions, Asks, Ref, TellsWhenRoom } from '@tidemark/actors';
import type { Mode } from './config.ts';
import { MODES } from './config.ts';
import { CutView } from './cut-view.ts';
import { SimulationError } from './errors.ts';
import type { ActorProgram, ProgramHost } from './programs/program.ts';
import { addResult, noTotals } from './report.ts';
import { runSeed } from './run.ts';
import type { RunResult } from './run-options.ts';
import { shrink } from './shrink.ts';

/** The outside's view of a system, as `createSystem` gives it, in simulated time. */
export interface SimulatedApp {
  ref<D extends AnyActor>(definition: D, key: string): Ref<D>;
  /** Sends; resolves when there was room. */
  tell<D>(to: Ref<D>): TellsWhenRoom<D>;
  /** Sends and waits for what the handler returns. */
  ask<D>(to: Ref<D>, options?: AskOptions): Asks<D>;
  /** Chance, the same for the same seed: from 0 up to and without 1. */
  random(): number;
}

/** What is simulated: actors (whatever `drive` sends to), what happens to them, and what must be true. */
export interface SimulatedProgram {
  /**
   * What the outside does for the n-th time, n = 0, 1, 2, … It is called over and over, in every process that runs the
   * program. What was sent in a process that died before a checkpoint is lost, as it would be in life.
   */
  readonly drive: (app: SimulatedApp, n: number) => unknown;
  /** Throws unless this is a state that the program may be in. Asked for every published checkpoint. */
  readonly invariant: (cut: CutView) => void;
}

export interface SimulateOptions {
  /** How many seeds, 100 when not given. */
  readonly seeds?: number;
  /** The first of them, 1 when not given. */
  readonly from?: number;
  /** Only this one, as an error has named it. */
  readonly seed?: number;
  /** With `seed`: no other faults than those of these numbers, as an error has named them. */
  readonly only?: readonly number[];
  /** `none`, `crashes`, `store`, `all` (when not given) or `damage`. */
  readonly faults?: Mode;
  /** Steps with faults of each seed, 2,000 when not given. */
  readonly steps?: number;
  /** With `seed`: told what happens, line by line. */
  readonly trace?: (line: string) => void;
}

/** What the seeds have gone through, all without a violation. */
export interface Simulation {
  readonly seeds: number;
  readonly checkpoints: number;
  readonly restores: number;
  readonly faults: number;
}

/**
 * Runs actors in a simulated world, once for each seed: with crashes, power cuts, sleeping processes, lost answers of the
 * store and whatever else can happen, at every moment. Each published checkpoint must keep the program's invariant;
 * besides, all that Tidemark itself promises is checked.
 *
 * @throws SimulationError `SIMULATION_FAILED` with the seed, the fewest faults that it needs, and the line that runs it
 * again; `SIMULATION_NOT_REPEATABLE` when the same seed does not fail again; `SIMULATION_OPTIONS`
 * @example
 * await simulate(
 *   {
 *     drive: (app, n) => app.tell(app.ref(Account, `a${n % 5}`)).pay(`a${(n + 2) % 5}`, 1),
 *     invariant(cut) {
 *       const held = [...cut.states(Account).values()].reduce((sum, { balance }) => sum + balance, 0);
 *       const moving = cut.messages(Account, 'receive').reduce((sum, [amount]) => sum + amount, 0);
 *       assert.equal(held + moving, 0);
 *     },
 *   },
 *   { seeds: 100 },
 * );
 */
export async function simulate(program: SimulatedProgram, options: SimulateOptions = {}): Promise<Simulation> {
  assertOptions(program, options);
  const { seed: one, seeds = one === undefined ? SEEDS : 1, from = one ?? 1 } = options;
  const run = (seed: number, only: ReadonlySet<number> | null): Promise<RunResult> =>
    runSeed({
      program: programOf(program),
      seed,
      mode: options.faults ?? 'all',
      only,
      ...(options.steps === undefined ? {} : { steps: options.steps }),
      print: one === undefined ? null : (options.trace ?? null),
    });
  const given = options.only === undefined ? null : new Set(options.only);
  const totals = noTotals();
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await run(seed, given);
    if (result.violations.length > 0) throw await failure(result, options, (only) => run(seed, only));
    addResult(totals, result);
  }
  const { checkpoints, restores, faults } = totals;
  return { seeds, checkpoints, restores, faults };
}

const SEEDS = 100;

async function failure(
  failing: RunResult,
  options: SimulateOptions,
  replay: (only: ReadonlySet<number>) => Promise<RunResult>,
): Promise<SimulationError> {
  const { seed } = failing;
  const again = await replay(new Set(failing.fired.map(({ index }) => index)));
  if (again.violations.length === 0 || again.hash !== failing.hash) {
    return new SimulationError(
      'SIMULATION_NOT_REPEATABLE',
      `seed ${seed} failed, and did something else when it was run again: ${failing.violations[0]}\nWhat a seed does must depend on the seed alone. Look for Date.now, Math.random, timers, files or variables outside of states in handlers and in drive; app.random() is chance that a seed decides.`,
      failing,
    );
  }
  const least = await shrink(failing, replay);
  const faults = least.fired.map(({ kind, at, index }) => `\n  ${kind} at '${at}' (${index})`);
  const only = least.fired.map(({ index }) => index).join(', ');
  const words = [
    `seed: ${seed}`,
    `only: [${only}]`,
    ...(options.faults === undefined ? [] : [`faults: '${options.faults}'`]),
    ...(options.steps === undefined ? [] : [`steps: ${options.steps}`]),
    'trace: console.log',
  ];
  return new SimulationError(
    'SIMULATION_FAILED',
    `seed ${seed} fails: ${least.violations[0]}\n${faults.length === 0 ? 'It needs no fault: every seed restarts the program once.' : `It needs ${faults.length === 1 ? 'one fault' : `${faults.length} faults`}:${faults.join('')}`}\nagain: await simulate(program, { ${words.join(', ')} });`,
    least,
  );
}

function programOf({ drive, invariant }: SimulatedProgram): ActorProgram {
  return {
    kind: 'actors',
    name: 'program',
    start(host) {
      const app: SimulatedApp = {
        ref: (definition, key) => ({ type: definition.name, key }),
        tell: (to) => host.border.tell(to),
        ask: (to, asked) => host.border.ask(to, asked),
        random: () => host.chance.fraction(),
      };
      driveOn(host, (n) => drive(app, n));
    },
    check: (parts) => invariant(new CutView(parts)),
    ticksIn: () => new Map(),
  };
}

/** Calls `step` over and over until the system is over. */
function driveOn(host: ProgramHost, step: (n: number) => unknown): void {
  const { clock, chance, engine, tickMs } = host;
  let n = 0;
  const again = (): void => {
    clock.after(tickMs() * (0.5 + chance.fraction()), () => {
      if (engine.over) return;
      // Errors with a code come with the end of the system, or with an ask that took too long; others are the program's own.
      const now = n++;
      new Promise((resolve) => resolve(step(now))).catch((error: unknown) => {
        if (!hasCode(error)) host.violation(`drive(app, ${now}) failed: ${textOf(error)}`);
      });
      again();
    });
  };
  again();
}

function hasCode(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function assertOptions({ drive, invariant }: SimulatedProgram, options: SimulateOptions): void {
  const refuse = (what: string): never => {
    throw new SimulationError('SIMULATION_OPTIONS', what);
  };
  if (typeof drive !== 'function') refuse('simulate needs drive(app, n): what the outside does, over and over');
  if (typeof invariant !== 'function') refuse('simulate needs invariant(cut): it throws unless the cut is right');
  for (const name of ['seeds', 'from', 'seed', 'steps'] as const) {
    const value = options[name];
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > NUMBER_MAX))
      refuse(`${name}: ${String(value)}; expected a whole number from 1 to ${NUMBER_MAX}`);
  }
  const { faults, seed, seeds, from, only, trace } = options;
  if (faults !== undefined && !MODES.includes(faults))
    refuse(`faults: '${faults}'; expected one of ${MODES.join(', ')}`);
  if (seed !== undefined && (seeds !== undefined || from !== undefined))
    refuse('seed names one seed; leave out seeds and from');
  if (seed === undefined && (only !== undefined || trace !== undefined))
    refuse('only and trace belong to one seed: give seed, too');
}

const NUMBER_MAX = 999_999_999;
