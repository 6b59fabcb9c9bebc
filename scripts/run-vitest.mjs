/**
 * Runs Vitest and has the last word: the line `N passed, N failed` and the exit status.
 *
 * The reporter runs inside Vitest and writes its counts to a file after every test file, so that they are known even when
 * Vitest is killed half-way. Nothing here reads stdin or needs a terminal.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJson, root, say } from './setup.mjs';

export async function runVitest(args, env) {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tests-'));
  const summaryFile = join(folder, 'summary.json');
  const ended = await spawnVitest(args, { ...env, TIDEMARK_TEST_SUMMARY: summaryFile });
  const counts = existsSync(summaryFile)
    ? readJson(summaryFile)
    : { passed: 0, failed: 0, skipped: 0, complete: false };
  rmSync(folder, { recursive: true, force: true });

  if (!counts.complete) {
    counts.failed += 1;
    say(`Vitest ended before it was done (${ended.signal ?? `status ${ended.status}`}): counted as a failure.`);
  } else if (counts.passed + counts.failed === 0) {
    say('No test ran: that is a failure.');
  } else if (ended.status !== 0 && counts.failed === 0) {
    say(`All tests passed, but Vitest ended with ${ended.signal ?? `status ${ended.status}`}.`);
  }
  const good = ended.status === 0 && counts.failed === 0 && counts.passed > 0;
  const line = `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`;
  process.exitCode = good ? 0 : 1;
  process.stdout.write(`${line}\n`);
}

function spawnVitest(args, env) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
}
