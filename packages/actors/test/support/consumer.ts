import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../../../', import.meta.url));

/** Lines of an error that a compiler reports: where it is, and its first line. */
export interface TypeError {
  /** Path in the program, as `as-they-are/misuse.test-d.ts`. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** An expectation of a test of types: the line that must not compile, and alternatives of what the error must say. */
export interface Expectation {
  readonly file: string;
  readonly line: number;
  readonly says: readonly string[];
}

/**
 * A program outside of the repository, as a user has it: the packed packages in its `node_modules`, and tests of types.
 * These are there twice: as they are, where nothing may be reported, and without their expectations, where each must be.
 */
export class Consumer {
  readonly folder: string;
  readonly expectations: readonly Expectation[];

  private constructor(folder: string, expectations: readonly Expectation[]) {
    this.folder = folder;
    this.expectations = expectations;
  }

  static async make(names: readonly string[], tests: readonly string[]): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-types-'));
    await link(join(packages, '../node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
    for (const name of names) await install(name, folder);
    const expectations: Expectation[] = [];
    for (const test of tests) {
      const text = await readFile(join(packages, test), 'utf8');
      await write(join(folder, 'as-they-are', test), text);
      await write(join(folder, 'without-expectations', test), text.replaceAll('@ts-expect-error', 'expected'));
      expectations.push(...expectationsOf(`without-expectations/${test}`, text));
    }
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
    return new Consumer(folder, expectations);
  }

  /** All errors that the compiler of a package `typescript` reports. */
  async check(typescript: string): Promise<readonly TypeError[]> {
    const { status, output } = await run(
      process.execPath,
      [join(typescript, 'bin/tsc'), '-p', '.', '--pretty', 'false'],
      this.folder,
    );
    const errors = output.split('\n').flatMap(parseError);
    // What is no error of a line is one of the compiler itself.
    if (status !== 0 && errors.length === 0) throw new Error(`tsc ended with ${status}:\n${output}`);
    return errors;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const CONFIG = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023', 'ES2024.String', 'ESNext.Disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    // Ours are checked as well: a declaration that an older compiler cannot read is an error.
    skipLibCheck: false,
  },
  include: ['as-they-are', 'without-expectations'],
};

/** Packs a package and unpacks it where a user's package manager would. What it depends on is linked. */
async function install(name: string, folder: string): Promise<void> {
  const from = join(packages, name);
  const packed = join(folder, 'packed', name);
  await mkdir(packed, { recursive: true });
  const pack = ['pack', '--ignore-scripts', '--pack-destination', packed];
  await mustRun('npm', pack, from);
  const [archive] = await readdir(packed);
  await mustRun('tar', ['-xzf', archive], packed);
  const manifest = JSON.parse(await readFile(join(packed, 'package/package.json'), 'utf8')) as {
    readonly name: string;
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  await cp(join(packed, 'package'), join(folder, 'node_modules', manifest.name), { recursive: true });
  for (const [dependency, version] of Object.entries(manifest.dependencies ?? {})) {
    if (version.startsWith('workspace:')) continue;
    await link(join(from, 'node_modules', dependency), join(folder, 'node_modules', dependency));
  }
}

function expectationsOf(file: string, text: string): Expectation[] {
  return text.split('\n').flatMap((line, index) => {
    const found = /^\s*\/\/ @ts-expect-error (?:says: (.*))?/.exec(line);
    return found === null ? [] : [{ file, line: index + 2, says: found[1]?.split(' or: ') ?? [] }];
  });
}

function parseError(line: string): TypeError[] {
  const found = /^(.+?)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line.trimEnd());
  if (found === null) return line.startsWith('error ') ? [{ file: '', line: 0, text: line }] : [];
  return [{ file: found[1], line: Number(found[2]), text: found[3] }];
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    // Two of ours use the same package.
    if (error.code !== 'EEXIST') throw error;
  });
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function mustRun(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { status, output } = await run(command, args, cwd);
  if (status !== 0) throw new Error(`${basename(command)} ${args.join(' ')} ended with ${status}:\n${output}`);
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ status: number | null; output: string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}
