/**
 * `npm run golden`: makes the golden checkpoints of the format that the present code writes, once
 * (packages/checkpoint/test/golden/README.md). One that is there is never made again.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, giveUp, root, say } from './setup.mjs';

const golden = join(root, 'packages/checkpoint/test/golden');
const VALUES = 1_000;
const KEYS = 50;
/** A kill that leaves nothing waiting for the output is made again. */
const TRIES = 20;

ensureInstalled();
await ensureBuilt();
const { RECORD_FORMAT } = await import(pathToFileURL(join(root, 'packages/checkpoint/dist/record.js')).href);
const made = join(golden, `format-${RECORD_FORMAT}`);
if (existsSync(made))
  giveUp(`${made} is there: golden checkpoints are made once. To make others on purpose, delete it.`);

const place = mkdtempSync(join(tmpdir(), 'tidemark-golden-'));
try {
  await makeBank(join(place, 'bank'));
  await makeJob(place);
  const boundary = Number(readdirSync(join(place, 'bank/main/gc'))[0]);
  const checkpoints = readBank(join(place, 'bank/main'));
  const expected = JSON.stringify({ boundary, checkpoints }, null, 2);
  mkdirSync(made);
  for (const name of ['bank', 'job', 'job-output', 'job-input']) {
    cpSync(join(place, name), join(made, name), { recursive: true, filter: isKept });
  }
  writeFileSync(join(made, 'expected.json'), `${expected}\n`);
  spawnSync(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', '--write', made]);
} finally {
  rmSync(place, { recursive: true, force: true });
}
say(`Made ${made}`);

/** What is not: who ran, and what never became an object. */
function isKept(path) {
  return !/[\\/](?:owner\.json|tmp)$/.test(path);
}

async function makeBank(store) {
  const first = { workers: 2, checkpoints: 62, end: 'live', compression: 'none' };
  await live(store, first, () => existsSync(join(store, 'main/gc')) && logOf(store, 'main').length < 10);
  await live(store, { workers: 3, checkpoints: 4, end: 'fill', compression: 'gzip' }, () => true);
  const last = bank(store, { workers: 1, checkpoints: 1, end: 'stop', compression: 'none' });
  const [status] = await once(last, 'exit');
  if (status !== 0) giveUp(`the bank ended with ${status}`);
}

/** One life of the bank, ended by SIGKILL when it has taken its checkpoints and `isDone`. */
async function live(store, how, isDone) {
  const child = bank(store, how);
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line === 'done') break;
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await ended;
}

function bank(store, { workers, checkpoints, end, compression }) {
  const program = join(golden, 'programs/bank-life.mjs');
  const args = [program, store, String(workers), String(checkpoints), end, compression];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

function readBank(jobFolder) {
  const reader = join(root, 'packages/checkpoint/test/independent_reader.py');
  const { status, stdout, stderr } = spawnSync('python3', [reader, 'bank', jobFolder], { encoding: 'utf8' });
  if (status !== 0) giveUp('the reader in Python failed:', stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Kills the job until its newest checkpoint has batches that no file of its output holds. */
async function makeJob(folder) {
  const [input, store, output] = ['job-input', 'job', 'job-output'].map((name) => join(folder, name));
  mkdirSync(input);
  const values = Array.from({ length: VALUES }, (_, value) => ({ key: `key ${value % KEYS}`, value }));
  writeFileSync(join(input, 'numbers.ndjson'), values.map((row) => `${JSON.stringify(row)}\n`).join(''));
  for (let tries = 1; ; tries++) {
    if (tries > TRIES) giveUp(`in ${TRIES} tries no kill came before the output was written`);
    rmSync(store, { recursive: true, force: true });
    rmSync(output, { recursive: true, force: true });
    await killJob({ input: join(input, 'numbers.ndjson'), store, output });
    const written = new Set(readdirSync(output).map((name) => Number.parseInt(name, 10)));
    if (!written.has(logOf(store, 'keep').at(-1)) && written.size > 0) return;
  }
}

async function killJob({ input, store, output }) {
  const job = join(root, 'packages/examples/test/fixtures/keep.mjs');
  const flags = ['--workers', '2', '--rate', '1500', '--schedule', '100ms', '--json'];
  const args = [join(root, 'packages/tidemark/bin/tidemark.mjs'), 'run', job, '--input', input, '--store', store];
  const child = spawn(process.execPath, [...args, '--output', output, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit');
  while (logOf(store, 'keep').length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
  process.kill(-Number(child.pid), 'SIGKILL');
  await ended;
}

/** Positions of the log's records, rising. */
function logOf(store, job) {
  const log = join(store, job, 'log');
  return existsSync(log)
    ? readdirSync(log)
        .map(Number)
        .sort((a, b) => a - b)
    : [];
}
