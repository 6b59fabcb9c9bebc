import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { noTotals, type Totals } from './report.ts';

/** What a child tells: how far it is; that its seeds went well; or the first that did not. */
export type ChildSays =
  | { readonly kind: 'progress'; readonly seeds: number }
  | { readonly kind: 'done'; readonly totals: Totals }
  | { readonly kind: 'failed'; readonly seed: number };

export type ChildEnds = Exclude<ChildSays, { readonly kind: 'progress' }>;

/** Set for children, which report by message instead of printing. */
const CHILD = 'TIDEMARK_SIM_CHILD';

export function isChild(): boolean {
  return process.env[CHILD] === '1';
}

export function tellParent(says: ChildSays): void {
  process.send?.(says);
}

/** Runs the command line in another process, and hears how it goes. One that is stopped has done nothing. */
export function runChild(
  argv: readonly string[],
  progress: (seeds: number) => void,
): { readonly end: Promise<ChildEnds>; stop(): void } {
  const entry = fileURLToPath(new URL('./cli-entry.js', import.meta.url));
  const child = fork(entry, argv, { env: { ...process.env, [CHILD]: '1' } });
  let said: ChildEnds = { kind: 'done', totals: noTotals() };
  let stopped = false;
  const end = new Promise<ChildEnds>((resolve, reject) => {
    child.on('message', (message) => {
      const says = message as ChildSays;
      if (says.kind === 'progress') progress(says.seeds);
      else said = says;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (said.kind === 'done' && code !== 0 && !stopped) reject(new Error(`a child process ended with ${code}`));
      else resolve(said);
    });
  });
  const stop = (): void => {
    stopped = true;
    child.kill();
  };
  return { end, stop };
}
