import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('../../../../scripts/services/', import.meta.url));

/** Long enough for the first use, which builds or fetches the server. */
const INSTALL_MS = 30 * 60_000;

/** A server of a test's own, on loopback: started by it, and stopped by it. */
export interface Service {
  /** Where it keeps what it keeps, its logs and its process ids. */
  readonly folder: string;
  /** What the script prints when the server is up, such as `S3_ENDPOINT`. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs another command of the script on this server, such as `kill`; answers what it prints. */
  readonly command: (name: string, ...rest: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  /** Ends the server and removes all that it kept. */
  readonly stop: () => Promise<void>;
}

export type ServiceKind = 's3' | 'hdfs' | 'toxiproxy';

/**
 * Why tests with this server cannot run on this machine, or null when they can. Where tests must run (`CI=true`) it throws
 * instead: there, nothing is skipped. The first use installs the server, which takes minutes.
 */
export async function whyNot(kind: ServiceKind): Promise<string | null> {
  try {
    await run(join(SCRIPTS, kind), ['install'], { timeout: INSTALL_MS });
    return null;
  } catch (error) {
    const { stderr = '', code } = error as { stderr?: string; code?: unknown };
    const why = stderr.trim().split('\n').at(-1) ?? '';
    const reason = why === '' ? `scripts/services/${kind} install failed (${String(code)})` : why;
    if (process.env['CI'] === 'true') throw new Error(`${kind} is required here: ${reason}`, { cause: error });
    return reason;
  }
}

/** Starts a server in a fresh folder. `args` go to the script, as `--datanodes 2`. */
export async function startService(kind: ServiceKind, ...args: readonly string[]): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), `tidemark-${kind}-`));
  const command = async (name: string, ...rest: readonly string[]): Promise<Record<string, string>> => {
    const { stdout } = await run(join(SCRIPTS, kind), [name, folder, ...rest], { timeout: INSTALL_MS });
    return variables(stdout);
  };
  const stop = async (): Promise<void> => {
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

function variables(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => /^[A-Za-z_0-9]+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
