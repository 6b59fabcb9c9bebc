/** Real servers on loopback, for tests and benchmarks: started by whoever needs one, and stopped by the same process. */
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = (kind) => fileURLToPath(new URL(kind, import.meta.url));

/** Long enough for the first use, which builds or fetches the server. */
const installMs = 30 * 60_000;

/** Installs a server, if it is not there yet; rejects with the reason why it cannot be had on this machine. */
export async function installService(kind) {
  try {
    await run(script(kind), ['install'], { timeout: installMs });
  } catch (cause) {
    const why = (cause.stderr ?? '').trim().split('\n').at(-1) ?? '';
    const reason = why === '' ? `scripts/services/${kind} install failed (${String(cause.code)})` : why;
    throw new Error(reason, { cause });
  }
}

/** Starts a server in a fresh folder; `args` go to the script. */
export async function startService(kind, ...args) {
  const folder = mkdtempSync(join(tmpdir(), `tidemark-${kind}-`));
  const command = async (name, ...rest) => {
    const { stdout } = await run(script(kind), [name, folder, ...rest], { timeout: installMs });
    return variables(stdout);
  };
  const stop = async () => {
    await command('stop');
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    return { folder, env: await command('start', ...args), command, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** `NAME=value` lines. */
function variables(text) {
  const lines = text.split('\n').filter((line) => /^[A-Za-z_0-9]+=/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
