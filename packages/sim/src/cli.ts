import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { BUGS, runWithBug } from './bugs/all.ts';
import { type Mode, MODES } from './config.ts';
import { type ChildEnds, isChild, runChild, tellParent } from './jobs.adapter.ts';
import { PROGRAMS } from './programs/all.ts';
import type { Program } from './programs/program.ts';
import { runSeed } from './run.ts';
import type { RunResult } from './run-options.ts';
import { addResult, addTotals, neverHit, noTotals, type Totals } from './report.ts';
import { shrink } from './shrink.ts';
import { realMs } from './stopwatch.adapter.ts';

const HELP = `npm run sim -- [--seeds COUNT] [--from SEED] [--program NAME] [--faults KIND]
npm run sim -- --seed SEED [--program NAME] [--faults KIND] [--only I,J,…] [--trace]

Runs the production code of actors, checkpoint and stores in a simulated world, one seed after the other.

  --seeds COUNT    how many seeds to run (1000)
  --from SEED      the first one (1)
  --seed SEED      only this one
  --program NAME   ${PROGRAMS.map(({ name }) => name).join(', ')}; all in turn when not given
  --faults KIND    none, crashes, store, all or damage; when not given all, and damage in every tenth seed
  --jobs COUNT     processes that share the seeds (as many as there are cores)
  --steps COUNT    steps with faults of each seed
  --only I,J       no other faults than those with these numbers
  --trace          print what happens
  --bug NAME       plant a bug; --bug list shows them
`;

interface Arguments {
  readonly seeds: number;
  readonly from: number;
  readonly program: Program | null;
  /** Null when each seed has its own. */
  readonly mode: Mode | null;
  readonly steps: number | undefined;
  readonly only: ReadonlySet<number> | null;
  readonly trace: boolean;
  readonly bug: string | null;
  readonly jobs: number;
  /** Which of the seeds: those of one job of so many. */
  readonly share: { readonly job: number; readonly of: number };
  /** As they were given. */
  readonly argv: readonly string[];
}

/** Runs the command line. Answers the exit code: 1 when a seed fails, 2 for arguments that make no sense. */
export async function runCli(argv: readonly string[], print: (line: string) => void): Promise<number> {
  let asked: Arguments | null;
  try {
    asked = parse(argv);
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (asked === null) {
    print(HELP);
    return 0;
  }
  if (asked.bug === 'list') {
    for (const { name, what } of BUGS) print(`${name.padEnd(30)} ${what}`);
    return 0;
  }
  if (!isChild()) return runSeeds(asked, print);
  const says = await runHere(asked, (seeds) => tellParent({ kind: 'progress', seeds }));
  tellParent(says);
  return says.kind === 'done' ? 0 : 1;
}

async function runSeeds(asked: Arguments, print: (line: string) => void): Promise<number> {
  const begun = realMs();
  const progress = (seeds: number): void => {
    print(`… ${seeds} seeds, ${(seeds / ((realMs() - begun) / 1000)).toFixed(1)} seeds/s`);
  };
  const says = asked.jobs > 1 ? await runJobs(asked, progress) : await runHere(asked, progress);
  if (says.kind === 'failed') {
    return failed(asked, await replay({ ...asked, trace: false }, says.seed, asked.only), print);
  }
  tell(asked, says.totals, (realMs() - begun) / 1000, print);
  return 0;
}

/** Each job takes every so many-th seed, so that all are done at about the same time. */
async function runJobs(asked: Arguments, progress: (seeds: number) => void): Promise<ChildEnds> {
  const { jobs, argv } = asked;
  const seeds = new Array<number>(jobs).fill(0);
  const children = seeds.map((_, job) =>
    runChild([...argv, '--jobs', '1', '--share', `${job}/${jobs}`], (done) => {
      seeds[job] = done;
      // The first one speaks for all.
      if (job === 0) progress(seeds.reduce((sum, each) => sum + each, 0));
    }),
  );
  const all = await Promise.all(
    children.map(async ({ end }) => {
      const says = await end;
      if (says.kind === 'failed') for (const child of children) child.stop();
      return says;
    }),
  );
  const totals = noTotals();
  for (const says of all) {
    if (says.kind === 'failed') return says;
    addTotals(totals, says.totals);
  }
  return { kind: 'done', totals };
}

async function runHere(asked: Arguments, progress: (seeds: number) => void): Promise<ChildEnds> {
  const { from, seeds, share, only } = asked;
  const totals = noTotals();
  let toldAt = realMs();
  for (let seed = from + share.job; seed < from + seeds; seed += share.of) {
    const result = await replay(asked, seed, only);
    if (result.violations.length > 0) return { kind: 'failed', seed };
    addResult(totals, result);
    totals.lastHash = result.hash;
    if (realMs() - toldAt < PROGRESS_MS) continue;
    toldAt = realMs();
    progress(totals.seeds);
  }
  return { kind: 'done', totals };
}

/** Milliseconds between two words to whoever waits. */
const PROGRESS_MS = 10_000;

function tell(asked: Arguments, totals: Totals, seconds: number, print: (line: string) => void): void {
  const { seeds, steps, checkpoints, restores, faults, pairs } = totals;
  print(
    `${seeds} seeds without a violation in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(1)} seeds/s, ${Math.round(steps / seconds)} steps/s; ` +
      `${checkpoints} checkpoints, ${restores} restores, ${faults} faults`,
  );
  if (seeds === 1) print(`trace ${totals.lastHash}`);
  if (seeds === 1) return;
  const seen = Object.entries(pairs).sort(([, a], [, b]) => a - b);
  const hit = seen.filter(([what]) => what.includes(' × '));
  for (const [what, times] of seen) if (!what.includes(' × ')) print(`  ${what} (${times})`);
  if (asked.mode !== null && asked.mode !== 'all') return;
  const never = neverHit(totals);
  print(`fault × step: ${hit.length} pairs were hit, ${never.length} never`);
  print(
    `  seldom: ${hit
      .slice(0, 10)
      .map(([pair, count]) => `${pair} (${count})`)
      .join(', ')}`,
  );
  for (const pair of never) print(`  never:  ${pair}`);
}

async function failed(asked: Arguments, result: RunResult, print: (line: string) => void): Promise<number> {
  const { seed } = result;
  print(`seed ${seed} fails: ${result.violations[0]}`);
  print(`shrinking ${result.fired.length} faults…`);
  const least = await shrink(result, (only) => replay({ ...asked, trace: false }, seed, only));
  for (const { kind, at, index } of least.fired) print(`  needed: ${kind} at '${at}' (${index})`);
  print(`with these alone: ${least.violations[0]}`);
  const words = [
    `npm run sim -- --seed ${seed}`,
    asked.bug === null ? `--program ${programOf(asked, seed).name}` : `--bug ${asked.bug}`,
    asked.mode === null || asked.bug !== null ? '' : `--faults ${asked.mode}`,
    asked.steps === undefined ? '' : `--steps ${asked.steps}`,
    `--only ${least.fired.map(({ index }) => index).join(',') || 'none'}`,
    '--trace',
  ];
  print(`replay: ${words.filter((word) => word !== '').join(' ')}`);
  return 1;
}

function replay(asked: Arguments, seed: number, only: ReadonlySet<number> | null): Promise<RunResult> {
  const print = asked.trace ? (line: string): void => console.log(line) : null;
  if (asked.bug !== null) return runWithBug(BUGS.find(({ name }) => name === asked.bug)!, seed, { print, only });
  return runSeed({ program: programOf(asked, seed), seed, mode: modeOf(asked, seed), steps: asked.steps, only, print });
}

function programOf(asked: Arguments, seed: number): Program {
  return asked.program ?? PROGRAMS[seed % PROGRAMS.length];
}

function modeOf({ mode: given }: Arguments, seed: number): Mode {
  return given ?? (seed % 10 === 9 ? 'damage' : 'all');
}

function parse(argv: readonly string[]): Arguments | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
      program: { type: 'string' },
      faults: { type: 'string' },
      steps: { type: 'string' },
      only: { type: 'string' },
      trace: { type: 'boolean' },
      bug: { type: 'string' },
      jobs: { type: 'string' },
      share: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return null;
  const bug = values.bug ?? null;
  if (bug !== null && bug !== 'list' && !BUGS.some(({ name }) => name === bug)) {
    throw new Error(`--bug ${bug}: there is none of that name; --bug list shows them`);
  }
  const one = values.seed === undefined ? null : wholeNumber('seed', values.seed);
  return {
    seeds: one === null ? wholeNumber('seeds', values.seeds ?? '1000') : 1,
    from: one ?? wholeNumber('from', values.from ?? '1'),
    program: values.program === undefined ? null : oneOf(values.program),
    mode: values.faults === undefined ? null : mode(values.faults),
    steps: values.steps === undefined ? undefined : wholeNumber('steps', values.steps),
    only: values.only === undefined ? null : indexes(values.only),
    trace: values.trace ?? false,
    bug,
    jobs: one === null ? Math.max(1, wholeNumber('jobs', values.jobs ?? String(availableParallelism()))) : 1,
    share: shareOf(values.share ?? '0/1'),
    argv,
  };
}

function indexes(text: string): ReadonlySet<number> {
  return new Set(text === 'none' ? [] : text.split(',').map((index) => wholeNumber('only', index)));
}

function shareOf(text: string): Arguments['share'] {
  const [job = 0, of = 1] = text.split('/').map(Number);
  return { job, of };
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} ${text}: expected a whole number`);
}

function oneOf(name: string): Program {
  const found = PROGRAMS.find((program) => program.name === name);
  if (found === undefined)
    throw new Error(`--program ${name}: expected ${PROGRAMS.map((each) => each.name).join(', ')}`);
  return found;
}

function mode(text: string): Mode {
  const found = MODES.find((each) => each === text);
  if (found !== undefined) return found;
  throw new Error(`--faults ${text}: expected ${MODES.join(', ')}`);
}
