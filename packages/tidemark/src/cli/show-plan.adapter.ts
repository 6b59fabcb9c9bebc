import { spawn } from 'node:child_process';
import type { RunFlags } from './run-flags.ts';

/**
 * `tidemark plan` in a process of its own: it loads the job, which this one must not. Answers its status; anything but 0
 * says that a start would be refused, and why.
 */
export function showPlan(
  file: string,
  { store = '', from = '', drop = [], rename = [], json, quiet, verbose }: RunFlags,
): Promise<number> {
  const self = process.argv[1] ?? '';
  const args = [
    'plan',
    file,
    '--store',
    store,
    '--from',
    from,
    ...(drop.length > 0 ? ['--drop', ...drop] : []),
    ...(rename.length > 0 ? ['--rename', ...rename] : []),
    ...(json ? ['--json'] : []),
    ...(verbose ? ['--verbose'] : []),
  ];
  const child = spawn(process.execPath, [...process.execArgv, self, ...args], {
    stdio: ['ignore', quiet && !json ? 'ignore' : 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status) => resolve(status ?? 130));
  });
}
