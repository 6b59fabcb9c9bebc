import { parseArgs } from 'node:util';
import { BUGS, runWithBug } from './bugs/all.ts';
import type { Mode } from './config.ts';
import { Coverage } from './coverage.ts';
import { PROGRAMS } from './programs/all.ts';
import type { Program } from './programs/program.ts';
import { type RunResult, runSeed } from './run.ts';
import { shrink } from './shrink.ts';
import { realMs } from './stopwatch.adapter.ts';

const HELP = `npm run sim -- [--seeds COUNT] [--from SEED] [--program NAME] [--faults KIND]
npm run sim -- --seed SEED [--program NAME] [--faults KIND] [--without I,J,…] [--trace]

Runs the production code of actors, checkpoint and stores in a simulated world, one seed after the other.

  --seeds COUNT    how many seeds to run (1000)
  --from SEED      the first one (1)
  --seed SEED      only this one
  --program NAME   ${PROGRAMS.map(({ name }) => name).join(', ')}; all in turn when not given
  --faults KIND    none, crashes, store or all (all)
  --steps COUNT    steps with faults of each seed
  --without I,J    leave out the faults with these numbers
  --trace          print what happens
  --bug NAME       plant a bug; --bug list shows them
`;

interface Arguments {
  readonly seeds: number;
  readonly from: number;
  readonly program: Program | null;
  readonly mode: Mode;
  readonly steps: number | undefined;
  readonly without: ReadonlySet<number>;
  readonly trace: boolean;
  readonly bug: string | null;
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
  return runSeeds(asked, print);
}

async function runSeeds(asked: Arguments, print: (line: string) => void): Promise<number> {
  const coverage = new Coverage();
  const total = { steps: 0, checkpoints: 0, restores: 0, faults: 0 };
  const begun = realMs();
  let toldAt = begun;
  for (let seed = asked.from; seed < asked.from + asked.seeds; seed++) {
    const result = await replay(asked, seed, asked.without);
    if (result.violations.length > 0) return failed(asked, result, print);
    coverage.add(result.coverage);
    total.steps += result.steps;
    total.checkpoints += result.checkpoints;
    total.restores += result.restores;
    total.faults += result.fired.length;
    if (asked.seeds === 1) print(`seed ${seed}: trace ${result.hash}, ${result.steps} steps, ${Math.round(result.virtualMs)} virtual ms`);
    if (realMs() - toldAt < 10_000) continue;
    toldAt = realMs();
    print(`… seed ${seed}, ${((seed - asked.from + 1) / ((toldAt - begun) / 1000)).toFixed(1)} seeds/s`);
  }
  const seconds = (realMs() - begun) / 1000;
  print(
    `${asked.seeds} seeds without a violation in ${seconds.toFixed(1)} s: ${(asked.seeds / seconds).toFixed(1)} seeds/s, ${Math.round(total.steps / seconds)} steps/s; ` +
      `${total.checkpoints} checkpoints, ${total.restores} restores, ${total.faults} faults`,
  );
  if (asked.mode === 'all' && asked.seeds > 1) tellCoverage(coverage, print);
  return 0;
}

function tellCoverage(coverage: Coverage, print: (line: string) => void): void {
  const { pairs } = coverage;
  const never = coverage.neverHit();
  print(`fault × step: ${pairs.size} pairs were hit, ${never.length} never`);
  const seldom = [...pairs].sort(([, a], [, b]) => a - b).slice(0, 10);
  if (seldom.length > 0) print(`  seldom: ${seldom.map(([pair, count]) => `${pair} (${count})`).join(', ')}`);
  for (const pair of never) print(`  never:  ${pair}`);
}

async function failed(asked: Arguments, result: RunResult, print: (line: string) => void): Promise<number> {
  const { seed } = result;
  print(`seed ${seed} fails: ${result.violations[0]}`);
  print(`shrinking ${result.fired.length} faults…`);
  const { without, result: least } = await shrink(result, (fewer) =>
    replay({ ...asked, trace: false }, seed, new Set([...asked.without, ...fewer])),
  );
  for (const { kind, at, index } of least.fired) print(`  needed: ${kind} at '${at}' (${index})`);
  print(`with these alone: ${least.violations[0]}`);
  const left = [...asked.without, ...without];
  const words = [
    `npm run sim -- --seed ${seed}`,
    asked.bug === null ? `--program ${programOf(asked, seed).name}` : `--bug ${asked.bug}`,
    asked.mode === 'all' ? '' : `--faults ${asked.mode}`,
    asked.steps === undefined ? '' : `--steps ${asked.steps}`,
    left.length === 0 ? '' : `--without ${left.join(',')}`,
    '--trace',
  ];
  print(`replay: ${words.filter((word) => word !== '').join(' ')}`);
  return 1;
}

function replay(asked: Arguments, seed: number, without: ReadonlySet<number>): Promise<RunResult> {
  const print = asked.trace ? (line: string): void => console.log(line) : null;
  if (asked.bug !== null) return runWithBug(BUGS.find(({ name }) => name === asked.bug)!, seed, { print, without });
  return runSeed({ program: programOf(asked, seed), seed, mode: asked.mode, steps: asked.steps, without, print });
}

function programOf(asked: Arguments, seed: number): Program {
  return asked.program ?? PROGRAMS[seed % PROGRAMS.length];
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
      without: { type: 'string' },
      trace: { type: 'boolean' },
      bug: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return null;
  const bug = values.bug ?? null;
  if (bug !== null && bug !== 'list' && !BUGS.some(({ name }) => name === bug)) {
    throw new Error(`--bug ${bug}: there is none of that name; --bug list shows them`);
  }
  const one = values.seed === undefined ? null : count('seed', values.seed);
  return {
    seeds: one === null ? count('seeds', values.seeds ?? '1000') : 1,
    from: one ?? count('from', values.from ?? '1'),
    program: values.program === undefined ? null : oneOf(values.program),
    mode: mode(values.faults ?? 'all'),
    steps: values.steps === undefined ? undefined : count('steps', values.steps),
    without: new Set((values.without ?? '').split(',').flatMap((index) => (index === '' ? [] : [count('without', index)]))),
    trace: values.trace ?? false,
    bug,
  };
}

function count(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} ${text}: expected a whole number`);
}

function oneOf(name: string): Program {
  const found = PROGRAMS.find((program) => program.name === name);
  if (found === undefined) throw new Error(`--program ${name}: expected ${PROGRAMS.map((each) => each.name).join(', ')}`);
  return found;
}

function mode(text: string): Mode {
  if (text === 'none' || text === 'crashes' || text === 'store' || text === 'all') return text;
  throw new Error(`--faults ${text}: expected none, crashes, store or all`);
}
