import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXIT, exitStatus, isFinal, isKnownCode, signalStatus } from '../../src/cli/exit-codes.ts';

describe('exit codes', () => {
  it.each([
    ['USAGE', 2],
    ['INPUT_NOT_FOUND', 2],
    ['BAD_ROW', 2],
    ['JOB_NOT_FOUND', 2],
    ['SCHEDULE_INVALID', 2],
    ['MODULE_FAILED', 2],
    ['OUTPUT_NOT_A_FOLDER', 2],
    ['OUTPUT_NOT_EMPTY', 2],
    ['OUTPUT_DIFFERS', 2],
    ['STORE_BAD_URL', 2],
    ['STORE_NOT_INSTALLED', 2],
    ['STORE_OTHER_JOB', 2],
    ['STORE_DENIED', 3],
    ['STORE_READ_ONLY', 3],
    ['STORE_FULL', 3],
    ['STORE_IO', 3],
    ['STORE_NOT_A_FOLDER', 3],
    ['STORE_BUSY', 3],
    ['STORE_UNREACHABLE', 3],
    ['STORE_UNSAFE', 3],
    ['STORE_INSECURE', 2],
    ['STORE_CORRUPT', 4],
    ['CHECKPOINT_DAMAGED', 4],
    ['CHECKPOINT_INCOMPATIBLE', 5],
    ['CHECKPOINT_INCOMPATIBLE_CODEC', 5],
    ['STATE_UNCLAIMED', 5],
    ['CHECKPOINT_UNKNOWN', 2],
    ['CHECKPOINT_OVERDUE', 70],
    ['FENCED', 6],
    ['ALREADY_RUNNING', 6],
    ['ROLLBACKS_SPENT', 7],
    ['WORKER_LOST', 70],
    ['TURN_THREW', 70],
    ['ENOENT', 70],
    ['INPUTS', 70],
    [undefined, 70],
  ])('%s ends with %i', (code, status) => {
    expect(exitStatus(code)).toBe(status);
  });

  it('leaves no code of any package to the default', () => {
    const unknown = codesOfAllPackages().filter((code) => !isKnownCode(code));
    expect(unknown, 'give each a row in exit-codes.ts').toEqual([]);
  });

  it('knows which endings a restart cannot mend', () => {
    const statuses = [...Object.values(EXIT), signalStatus('SIGINT'), signalStatus('SIGTERM'), 1, 13];
    expect(statuses.filter((status) => isFinal(status, false))).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 130, 143]);
    expect(statuses.filter((status) => isFinal(status, true))).toEqual([0, 2, 4, 5, 6, 7, 8, 130, 143]);
  });
});

/** The members of every `type …ErrorCode = 'A' | 'B'` in the packages that a job can fail in. */
function codesOfAllPackages(): readonly string[] {
  return ['actors', 'stores', 'checkpoint', 'jobs'].flatMap((name) => {
    const folder = fileURLToPath(new URL(`../../../${name}/src/`, import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    return files.flatMap((file) => codesIn(readFileSync(folder + file, 'utf8')));
  });
}

function codesIn(source: string): readonly string[] {
  const unions = [...source.matchAll(/type \w*ErrorCode =([^;]+);/g)].map(([, union = '']) => union);
  return unions.flatMap((union) => [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code));
}
