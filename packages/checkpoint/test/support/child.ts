import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const fixtures = new URL('../fixtures/', import.meta.url);

/** How a program ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from its last word to its end. */
  readonly lingeredMs: number;
}

/** A program that ends later than this has left something open. */
const PATIENCE_MS = 20_000;

/** Runs a fixture by Node until it ends by itself. */
export function runFixture(name: string, ...args: readonly string[]): Promise<Ended> {
  return run([fileURLToPath(new URL(name, fixtures)), ...args]);
}

/** Runs a text as a module of the fixtures' folder: a program, its definitions and its process are of this test alone. */
export function runText(text: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const head = `const fixture = (name) => new URL(name, ${JSON.stringify(fixtures.href)});\n`;
  return run(['--input-type=module', '-e', head + text], env);
}

export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  patienceMs = PATIENCE_MS,
): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(fixtures),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  let lastWordAt = 0;
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
    lastWordAt = performance.now();
  });
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(impatient);
  return { status, signal, stdout, stderr, lingeredMs: performance.now() - lastWordAt };
}
