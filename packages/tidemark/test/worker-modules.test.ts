import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * A thread that died is replaced while the whole system stands still, and most of that time goes by in loading modules: half a
 * millisecond for each, twice that on a busy machine. So a worker loads nothing that only the host has a use for.
 */
const MODULES_MAX = 115;
const MODULES_OF_A_JOB_MAX = 145;

/** What starts, stores, chooses and prints: the host's. */
const OF_THE_HOST = /\/(?:border|threads|engine|generator|log|running-system|run-job|run-here|internal)\.js$|\/cli\//;

interface Loaded {
  readonly worker: readonly string[];
  readonly host: readonly string[];
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
let folder: string;
let system: Loaded;
let job: Loaded;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-modules-'));
  system = await run('loaded-program.mjs', folder);
  job = await run('loaded-job.mjs');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ['of a system', () => system, MODULES_MAX],
  ['of a job', () => job, MODULES_OF_A_JOB_MAX],
] as const)('a worker %s, whose module imports the whole of tidemark', (_, loaded, modulesMax) => {
  test('loads no library of the host, no store, no command, and nothing that starts a system', () => {
    const modules = loaded().worker.map(named);
    // The list is one: what a worker must have is there.
    expect(modules).toEqual(expect.arrayContaining(['tidemark/dist/index.js', 'actors/dist/runtime.js']));
    expect(modules).toContain('checkpoint/dist/participant.js');
    expect(of(modules, /^[^/]+$|^@/)).toEqual(['msgpackr', 'piscina']);
    expect(of(modules, /^stores\//)).toEqual(['stores/dist/errors.js', 'stores/dist/worker-internal.js']);
    expect(of(modules, OF_THE_HOST)).toEqual([]);
    expect(modules.length).toBeLessThan(modulesMax);
  });
});

test('a worker of a job has what its setup names, and reads its input', () => {
  const modules = job.worker.map(named);
  expect(modules).toEqual(expect.arrayContaining(['jobs/dist/job-entry.js', 'jobs/dist/checkpoint-config.js']));
});

test('a host loads the clients of HDFS and S3, and the library of cron expressions, only where it needs them', () => {
  const modules = system.host.map(named);
  expect(modules).toEqual(
    expect.arrayContaining(['checkpoint/dist/engine.js', 'stores/dist/folder-store.js', 'piscina']),
  );
  expect(of(modules, /^stores\/dist\/(?:s3|hdfs|io)\/.*(?:client|opening|sdk|wire)/)).toEqual([]);
  expect(of(modules, /croner|webhdfs|^@aws-sdk|commander/)).toEqual([]);
  expect(job.host.map(named)).toContain('croner');
});

async function run(fixture: string, ...args: readonly string[]): Promise<Loaded> {
  const program = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  return JSON.parse(stdout) as Loaded;
}

/** `msgpackr` for a file of a library, `stores/dist/errors.js` for one of the product. */
function named(file: string): string {
  const path = relative(root, file).split(sep).join('/');
  const library = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  return library ?? path.replace(/^packages\//, '');
}

function of(modules: readonly string[], part: RegExp): readonly string[] {
  return [...new Set(modules)].filter((name) => part.test(name)).sort();
}
