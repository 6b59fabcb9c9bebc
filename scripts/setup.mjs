/**
 * Brings a fresh clone to the state in which anything here can run: packages installed, TypeScript built, data made.
 *
 * Owns: the stamp in `node_modules` that says for which lockfile the packages were installed.
 * Does not own: what the packages are (pnpm-lock.yaml) or what is built (tsconfig.json).
 * Uses Node's built-ins only, because it runs before any package is there. All it says goes to stderr.
 *
 * - X1 When nothing is to do, nothing is started and nothing is said.
 * - X2 The stamp is written only after an install that succeeded.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The repository, without a slash at the end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

const stampFile = join(root, 'node_modules', '.tidemark-installed');
/** A build that takes longer says so; one that finds nothing to do stays silent. */
const sayBuildingAfterMs = 700;

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Ends this script: what failed, then what to do. */
export function giveUp(...lines) {
  for (const line of lines) say(line);
  process.exit(1);
}

/** The packages of the workspace: folder name, folder and parsed package.json. */
export function workspacePackages() {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map((entry) => {
      const folder = join(root, 'packages', entry.name);
      return { name: entry.name, folder, manifest: readJson(join(folder, 'package.json')) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Installs the packages of the lockfile, once for each lockfile and major version of Node. */
export function ensureInstalled() {
  refuseOldNode();
  const wanted = installHash();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;

  const pnpm = readJson(join(root, 'package.json')).packageManager;
  say('Installing packages (once)…');
  const run = spawnSync(
    'npx',
    ['--yes', pnpm, 'install', '--frozen-lockfile', '--config.confirm-modules-purge=false'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    },
  );
  if (run.error !== undefined) {
    giveUp(
      `Installing failed: npx did not start (${run.error.message}).`,
      'Install npm, which brings npx, and try again.',
    );
  }
  if (run.status !== 0) {
    say(lastLines(`${run.stdout}\n${run.stderr}`, 30));
    giveUp(
      `Installing failed: npx ${pnpm} install ended with ${run.signal ?? `status ${run.status}`}; its last lines are above.`,
      /OUTDATED_LOCKFILE/.test(run.stdout + run.stderr)
        ? `A package.json and pnpm-lock.yaml disagree: run "npx --yes ${pnpm} install" and commit the lockfile.`
        : 'Check that this machine reaches its npm registry and has free disk space, then run the same command again.',
    );
  }
  writeFileSync(stampFile, wanted);
}

/** Builds all packages; fast when nothing changed. */
export async function ensureBuilt() {
  removeStaleOutput();
  const timer = setTimeout(() => say('Building…'), sayBuildingAfterMs);
  const { status, output } = await runCaptured([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  clearTimeout(timer);
  if (status === 0) return;
  say(output.trimEnd());
  giveUp("Building failed: the compiler's messages are above.", 'Mend them, or go back to a commit that builds.');
}

/** Makes the data that examples and tests read, in `.data`; returns at once when it is there. */
export async function ensureData() {
  const module = join(root, 'packages', 'examples', 'dist', 'data', 'flights-data.js');
  if (!existsSync(module)) giveUp('Preparing data failed: packages/examples/src/data/flights-data.ts is missing.');
  const { prepareFlights } = await import(pathToFileURL(module).href);
  try {
    await prepareFlights(root, say);
  } catch (error) {
    giveUp(
      `Preparing data failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      'Check free disk space, remove the folder .data and try again.',
    );
  }
}

/** Goes on as another program, in this process: no second process that could be left behind. */
export async function become(file, args) {
  process.chdir(root);
  process.argv = [process.argv[0], file, ...args];
  await import(pathToFileURL(file).href);
}

/** Runs a Node program in the repository and keeps what it prints. */
export function runCaptured(argv, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command ?? process.execPath, argv, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: options.command !== undefined && process.platform === 'win32',
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) =>
      resolve({ status: status ?? 1, signal, output: Buffer.concat(chunks).toString() }),
    );
  });
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  giveUp(`Tidemark needs Node 20.19 or later; this is Node ${process.versions.node}.`);
}

function installHash() {
  const hash = createHash('sha256');
  hash.update(`${process.versions.node.split('.')[0]} ${process.platform} ${process.arch}\n`);
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'package.json'].map((name) => join(root, name));
  for (const { folder } of workspacePackages()) files.push(join(folder, 'package.json'));
  for (const file of files) {
    if (existsSync(file)) hash.update(`${file.slice(root.length)}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** The compiler never removes output of a source file that is gone; a packed package would still ship it. */
function removeStaleOutput() {
  for (const { folder } of workspacePackages()) {
    const dist = join(folder, 'dist');
    if (!existsSync(dist)) continue;
    for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.d.ts')) continue;
      const stem = name.slice(0, -'.d.ts'.length);
      if (existsSync(join(folder, 'src', `${stem}.ts`)) || existsSync(join(folder, 'src', `${stem}.tsx`))) continue;
      for (const end of ['.d.ts', '.d.ts.map', '.js', '.js.map']) rmSync(join(dist, stem + end), { force: true });
    }
  }
}

function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
