/**
 * Type-checking a program of 200 actors, beside the same in plain classes, under each supported TypeScript.
 * `npm run bench -- types [ROUNDS [ACTORS]]`: 3 rounds of 200 actors when not given.
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childCpuSeconds, median, print, runProgram, table } from './measure.ts';
import { actorProgram, classProgram, importProgram, type Source } from './types/program.ts';

const COMPILERS = ['typescript-5', 'typescript-6', 'typescript'] as const;
const rounds = Number(process.argv[2] ?? 3);
const actors = Number(process.argv[3] ?? 200);

const PROGRAMS: Readonly<Record<string, readonly Source[]>> = {
  'the declarations alone': importProgram(),
  [`${actors} plain classes`]: classProgram(actors, 'tells'),
  [`${actors} actors`]: actorProgram(actors, 'tells'),
  ['classes, each with another one']: classProgram(actors, 'asks'),
  ['actors, each with a service, four questions and a timer']: actorProgram(actors, 'asks'),
};

/** What type-checking the actors may take with the newest compiler; printed beside what it takes. */
const LIMIT = '2 s';

/** Fields of what `--extendedDiagnostics` prints. */
interface Cost {
  readonly checkSeconds: number;
  readonly totalSeconds: number;
  /** Of the whole compiler: what a busy machine does not change much. */
  readonly cpuSeconds: number;
  readonly instantiations: number;
  readonly memoryMb: number;
}

const product = dirname(fileURLToPath(import.meta.resolve('tidemark/package.json')));
const scratch = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
await mkdir(join(scratch, 'node_modules'));
await symlink(product, join(scratch, 'node_modules/tidemark'));
await writeFile(join(scratch, 'package.json'), JSON.stringify({ type: 'module' }));
const folders = new Map<string, string>();
for (const [name, sources] of Object.entries(PROGRAMS)) folders.set(name, await write(sources));

print(`medians of ${rounds} rounds, interleaved; ${availableParallelism()} cores, node ${process.version}`);
const lines = [['', 'check, s', 'all, s', 'limit', 'all, CPU s', 'of the classes', 'instantiations', 'memory, MB']];
for (const compiler of COMPILERS) {
  const manifest = fileURLToPath(import.meta.resolve(`${compiler}/package.json`));
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const costs = new Map<string, Cost[]>([...folders.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, folder] of folders)
      costs.get(name)?.push(await check(join(dirname(manifest), 'bin/tsc'), folder));
  }
  let classes = of(costs.get(`${actors} plain classes`) ?? [], 'cpuSeconds');
  for (const [name, each] of costs) {
    const seconds = of(each, 'cpuSeconds');
    // What follows is compared with them.
    if (name.includes('classes')) classes = seconds;
    lines.push([
      `TypeScript ${version}: ${name}`,
      of(each, 'checkSeconds').toFixed(2),
      of(each, 'totalSeconds').toFixed(2),
      name === `${actors} actors` ? LIMIT : '',
      seconds.toFixed(2),
      `${(seconds / classes).toFixed(2)}x`,
      of(each, 'instantiations').toLocaleString('en'),
      of(each, 'memoryMb').toFixed(0),
    ]);
  }
}
print(table(lines));
print(`load at the end ${loadavg()[0].toFixed(1)}`);
await rm(scratch, { recursive: true, force: true });

async function write(sources: readonly Source[]): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'program-'));
  for (const [file, text] of sources) await writeFile(join(folder, file), text);
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }));
  return folder;
}

/** Rejects, with the compiler's errors, when the program does not compile. */
async function check(tsc: string, folder: string): Promise<Cost> {
  const before = await childCpuSeconds();
  const output = await runProgram([tsc, '-p', folder, '--extendedDiagnostics', '--pretty', 'false']);
  const field = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(output);
    if (found === null) throw new Error(`tsc tells no '${name}':\n${output}`);
    return Number(found[1]);
  };
  return {
    checkSeconds: field('Check time'),
    totalSeconds: field('Total time'),
    cpuSeconds: (await childCpuSeconds()) - before,
    instantiations: field('Instantiations'),
    memoryMb: field('Memory used') / 1000,
  };
}

function of(costs: readonly Cost[], name: keyof Cost): number {
  return median(costs.map((cost) => cost[name]));
}
