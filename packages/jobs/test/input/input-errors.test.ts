import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkColumns } from '../../src/input/check-columns.ts';
import { InputError, rowTooLong } from '../../src/input/input-error.ts';
import { locateRow } from '../../src/input/locate.ts';
import { nodeFiles } from '../../src/input/file-access.adapter.ts';
import { planSplits } from '../../src/input/splits.ts';
import { verifyInputs } from '../../src/input/verify-inputs.ts';
import { testFolder } from './folder.ts';

const folder = testFolder();

async function file(name: string, text: string): Promise<string> {
  await writeFile(folder.file(name), text);
  return folder.file(name);
}

/** Code and message of each problem that `action` throws. */
async function problemsOf(action: () => unknown): Promise<readonly (readonly [string, string])[]> {
  const error: unknown = await Promise.resolve()
    .then(action)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  const { code, problems } = error as InputError;
  expect(code).toBe(problems[0].code);
  return problems.map((problem) => [problem.code, problem.message] as const);
}

describe('planSplits', () => {
  it('tells all problems at once', async () => {
    await mkdir(folder.file('empty'));
    await symlink(folder.file('loop'), folder.file('loop'));
    const inputs = ['nowhere.csv', folder.file('empty'), folder.file('loop'), await file('bare.csv', '')];
    const problems = await problemsOf(() => planSplits(inputs, 'csv', 2));
    expect(problems.map(([code]) => code)).toEqual([
      'INPUT_NOT_FOUND',
      'INPUT_EMPTY_FOLDER',
      'INPUT_NOT_READABLE',
      'INPUT_NO_HEADER',
    ]);
    expect(problems[0][1]).toContain(join(process.cwd(), 'nowhere.csv'));
    expect(problems[3][1]).toContain('bare.csv has no usable header: it is empty');
  });

  it.each([
    ['\n\r\n', 'it is empty'],
    ['a,b,a\n1,2,3\n', 'it names the column "a" twice'],
    ['a,"b\n1,2\n', 'a quote opens a field and none closes it'],
  ])('refuses the header of %j', async (text, reason) => {
    const path = await file('header.csv', text);
    const [[code, message]] = await problemsOf(() => planSplits([path], 'csv', 2));
    expect(code).toBe('INPUT_NO_HEADER');
    expect(message).toContain(reason);
  });

  it('refuses no inputs, and what is no file', async () => {
    expect((await problemsOf(() => planSplits([], 'csv', 2)))[0][0]).toBe('INPUT_NOT_FOUND');
    expect((await problemsOf(() => planSplits(['/dev/null'], 'text', 2)))[0][0]).toBe('INPUT_NOT_READABLE');
    await expect(planSplits(['x'], 'csv', 0)).rejects.toThrow(RangeError);
  });
});

describe('verifyInputs', () => {
  it('accepts the same files, and tells which changed and how', async () => {
    const paths = await Promise.all(
      ['grown', 'edited', 'gone', 'same'].map((name) => file(name, 'text\n'.repeat(2000))),
    );
    const plan = await planSplits(paths, 'text', 4);
    await verifyInputs(nodeFiles, plan);
    await file('grown', 'text\n'.repeat(2001));
    await file('edited', `tent\n${'text\n'.repeat(1999)}`);
    await rm(paths[2]);
    const problems = await problemsOf(() => verifyInputs(nodeFiles, plan));
    expect(problems.map(([code]) => code)).toEqual(['INPUT_CHANGED', 'INPUT_CHANGED', 'INPUT_NOT_FOUND']);
    expect(problems[0][1]).toContain(`${paths[0]} changed`);
    expect(problems[0][1]).toContain('it had 10000 bytes and has 10005');
    expect(problems[0][1]).toContain('--fresh');
    expect(problems[1][1]).toContain('its size is the same, 10000 bytes, but its first or last 4 KB are not');
  });
});

describe('checkColumns', () => {
  it('suggests the nearest column', async () => {
    const plan = await planSplits([await file('flights.csv', 'date,delay,origin\n')], 'csv', 1);
    checkColumns(plan, ['delay', 'date']);
    const problems = await problemsOf(() => checkColumns(plan, ['Delay', 'orign', 'passengers']));
    expect(problems.map(([code]) => code)).toEqual(Array(3).fill('INPUT_COLUMN_UNKNOWN'));
    expect(problems[0][1]).toContain('Did you mean "delay"?');
    expect(problems[1][1]).toContain('Did you mean "origin"?');
    expect(problems[2][1]).not.toContain('Did you mean');
    expect(problems[2][1]).toContain('Its columns are "date", "delay", "origin".');
  });
});

describe('a row that is too long', () => {
  it('is told with its file and offset', () => {
    const error = rowTooLong('/data/a.csv', 17);
    expect(error.code).toBe('ROW_TOO_LONG');
    expect(error.message).toContain('byte 17 of /data/a.csv');
  });
});

describe('locateRow', () => {
  it('counts lines from 1', async () => {
    const path = await file('lines', 'one\ntwo\n\nfour');
    const lines = [0, 3, 4, 8, 9, 100].map((offset) => locateRow(path, offset));
    expect(lines.map(({ line }) => line)).toEqual([1, 1, 2, 3, 4, 4]);
  });
});
