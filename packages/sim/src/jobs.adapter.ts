import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { noTotals, type Totals } from './report.ts';

/** What a child tells: its seeds went well, or the first that did not. */
export type ChildSays =
  | { readonly kind: 'done'; readonly totals: Totals }
  | { readonly kind: 'failed'; readonly seed: number };

/** Set for children, which report by message instead of printing. */
const CHILD = 'TIDEMARK_SIM_CHILD';

export function isChild(): boolean {
  return process.env[CHILD] === '1';
}

export function tellParent(says: ChildSays): void {
  process.send?.(says);
}

/** Runs the command line in another process, and hears how it went. */
export function runChild(argv: readonly string[]): Promise<ChildSays> {
  const entry = fileURLToPath(new URL('./cli-entry.js', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(entry, argv, { env: { ...process.env, [CHILD]: '1' } });
    let said: ChildSays = { kind: 'done', totals: noTotals() };
    child.on('message', (says) => (said = says as ChildSays));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (said.kind === 'done' && code !== 0) reject(new Error(`a child process ended with ${code}`));
      else resolve(said);
    });
  });
}
