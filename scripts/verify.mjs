/**
 * `npm run verify`: all that CI and a reviewer check, in one table. `--fast` leaves the tests out.
 * Every step runs, also after one failed: the table at the end is the whole truth.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, readJson, root, runCaptured, workspacePackages } from './setup.mjs';

const fast = process.argv.includes('--fast');
const unknown = process.argv.slice(2).filter((arg) => arg !== '--fast');

const steps = [
  { name: 'build', run: () => tool('typescript', 'tsc', ['-b']) },
  { name: 'types of tests', run: () => tool('typescript', 'tsc', ['-p', 'tsconfig.test.json']) },
  { name: 'format', run: () => tool('@biomejs/biome', 'biome', ['format', '--max-diagnostics=20']) },
  { name: 'lint', run: () => tool('oxlint', 'oxlint', ['--type-aware', '--deny-warnings']) },
  { name: 'tidy', run: () => runCaptured([join(root, 'scripts', 'tidy.mjs')]) },
  { name: 'unused code', run: () => tool('knip', 'knip', ['--no-progress', '--no-config-hints']) },
  { name: 'packed packages', run: checkPackedPackages },
  ...(fast ? [] : [{ name: 'tests', run: () => runCaptured([join(root, 'scripts', 'test.mjs')]) }]),
];

if (unknown.length > 0) {
  process.stderr.write(`Unknown argument ${unknown[0]}: npm run verify takes only --fast.\n`);
  process.exit(2);
}
ensureInstalled();
const results = [];
for (const { name, run } of steps) {
  process.stderr.write(`${name}…\n`);
  const begin = performance.now();
  const { status, output } = await run();
  results.push({ name, good: status === 0, milliseconds: performance.now() - begin, note: lastLine(output) });
  if (status !== 0) process.stdout.write(`\n──── ${name} failed ────\n${output.trimEnd()}\n\n`);
}

const width = Math.max(...results.map(({ name }) => name.length));
process.stdout.write('\n');
for (const { name, good, milliseconds, note } of results) {
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(9);
  process.stdout.write(`${good ? '✓' : '✗'} ${name.padEnd(width)} ${seconds}${name === 'tests' ? `  ${note}` : ''}\n`);
}
process.exitCode = results.every(({ good }) => good) ? 0 : 1;

/** A command of an installed package, started without a shell. */
function tool(packageName, command, args) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = readJson(join(folder, 'package.json'));
  return runCaptured([join(folder, typeof bin === 'string' ? bin : bin[command]), ...args], { env: { NO_COLOR: '1' } });
}

/** Packs what would be published, and checks the packed files: entry points, types, names in package.json. */
async function checkPackedPackages() {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-pack-'));
  try {
    const published = workspacePackages().filter(({ manifest }) => manifest.private !== true);
    const filters = published.flatMap(({ name }) => ['--filter', `./packages/${name}`]);
    const pnpm = readJson(join(root, 'package.json')).packageManager;
    const packed = await runCaptured(['--yes', pnpm, ...filters, 'pack', '--pack-destination', folder], {
      command: 'npx',
    });
    if (packed.status !== 0) return packed;

    const reports = [];
    for (const file of readdirSync(folder).sort()) {
      reports.push(await tool('publint', 'publint', [join(folder, file), '--strict']));
      reports.push(await tool('@arethetypeswrong/cli', 'attw', [join(folder, file), '--profile', 'esm-only']));
    }
    const bad = reports.filter(({ status }) => status !== 0);
    return { status: bad.length === 0 ? 0 : 1, output: bad.map(({ output }) => output).join('\n') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lastLine(text) {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
