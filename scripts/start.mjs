/**
 * `npm start -- ARGS`: the flights example with its data, from a fresh clone to a running job.
 *
 * This process becomes the command line `tidemark run` instead of starting it: signals, the terminal and the exit status are
 * the command's own, and killing this process leaves nothing in between. The command itself looks after its child.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { become, ensureBuilt, ensureData, ensureInstalled, root } from './setup.mjs';

/** How often we look whether npm still lives; it gives no sign when it is killed. */
const watchNpmEveryMs = 500;

ensureInstalled();
await ensureBuilt();
await ensureData();
if (process.env.npm_lifecycle_event === 'start') endWithNpm();

const given = process.argv.slice(2);
const ownInput = given.some((arg) => arg === '--input' || arg.startsWith('--input='));
await become(join(root, 'packages', 'tidemark', 'bin', 'tidemark.mjs'), [
  'run',
  'packages/examples/src/flights.ts',
  ...(ownInput ? [] : ['--input', '.data/flights-3m.csv']),
  '--store',
  '.tidemark/flights',
  '--schedule',
  '250ms',
  // Of an option given twice the later one wins, so these come last.
  ...given,
]);

/** Under `npm start`, npm is what the user sees and kills: when it is gone, we stop as if asked to, with a last checkpoint. */
function endWithNpm() {
  const begin = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === begin) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, watchNpmEveryMs);
  timer.unref();
}

/** Our parent, and when it is the shell by which npm starts scripts also that shell's parent, which is npm. */
function ancestors() {
  const parent = process.ppid;
  try {
    // `NUMBER (COMMAND) STATE PARENT …`
    const [, command, , above] = /^\d+ \((.*)\) (\S+) (\d+)/.exec(readFileSync(`/proc/${parent}/stat`, 'utf8'));
    return /^(?:ba|da)?sh$/.test(command) ? `${parent} ${above}` : `${parent}`;
  } catch {
    // No /proc here: shells of these systems become the script themselves, so our parent is npm.
    return `${parent}`;
  }
}
