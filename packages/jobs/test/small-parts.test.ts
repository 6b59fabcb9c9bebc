import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badRowHandler } from '../dist/bad-rows.js';
import { commandText } from '../dist/command-text.js';
import { loadJob } from '../dist/load-job.adapter.js';
import { noteCut, noteProgress, progressNow, rowsAtCut, sharedProgress } from '../dist/progress.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-parts-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe('the command in a message', () => {
  const job = pathToFileURL('/jobs/my job.ts');

  it('has all that the run was given, as a shell takes it', () => {
    const options = {
      input: ['a.csv', "it's.csv"],
      output: 'out',
      store: 's3://b/c?d',
      workers: 3,
      rate: 5,
      fresh: true,
    };
    expect(commandText(job, options, 17)).toBe(
      String.raw`tidemark run '/jobs/my job.ts' --input a.csv 'it'\''s.csv' --output out --store 's3://b/c?d' --workers 3 --rate 5 --from 17 --accept-duplicates`,
    );
    expect(commandText(job, { inline: true, badRows: 'file:bad', key: 'k', schedule: '0 */5 * * * *' }, 1)).toBe(
      "tidemark run '/jobs/my job.ts' --schedule '0 */5 * * * *' --key k --bad-rows file:bad --inline --from 1 --accept-duplicates",
    );
    expect(commandText(job, { drop: ['a', 'b'], rename: { c: 'd' } }, 1)).toBe(
      "tidemark run '/jobs/my job.ts' --drop a b --rename c=d --from 1 --accept-duplicates",
    );
  });
});

describe('progress', () => {
  it('holds the rows of each thread as of now, and as of its flip', () => {
    const shared = sharedProgress(2);
    noteProgress(shared, 1, 10, 1, 100);
    noteProgress(shared, 2, 20, 2, 200);
    noteCut(shared, 1);
    noteProgress(shared, 1, 11, 1, 110);
    noteCut(shared, 2);
    noteProgress(shared, 2, 25, 3, 250);
    expect(progressNow(shared)).toEqual({ rows: 36, badRows: 4, bytesRead: 360 });
    expect(rowsAtCut(shared)).toEqual({ rows: 30, badRows: 3 });
  });
});

describe('a bad row', () => {
  it('ends the job before the call returns, with its line', async () => {
    const path = await file('rows', 'one\ntwo\nthree\n');
    const failures: unknown[] = [];
    let stops = 0;
    const handle = badRowHandler(
      true,
      null,
      () => stops++,
      (error) => failures.push(error),
    );
    const input = { path, size: 14, fingerprint: '' };
    handle(input, 8, { offset: 8, column: 3, reason: 'it is no number', text: 'three' });
    handle(input, 0, { offset: 0, column: 1, reason: 'it is no number', text: 'one' });
    expect(stops).toBe(1);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({
      code: 'BAD_ROW',
      message: expect.stringContaining(`${path}:3:3: it is no number\n  three\n`),
    });
  });
});

describe('a module that cannot be loaded', () => {
  it.each([
    ['const a = 1;\nconst a = 2;\n', /broken\.mjs:2 cannot be loaded: SyntaxError: .*\n {2}const a = 2;/],
    ["import './not-there.mjs';\n", /broken\.mjs cannot be loaded: Error: Cannot find module .*not-there\.mjs/],
    [
      "import { readFileSync } from 'node:fs';\nreadFileSync('/not/there');\n",
      /broken\.mjs cannot be loaded: Error: ENOENT/,
    ],
    ['throw null;\n', /broken\.mjs cannot be loaded: null/],
  ])('tells why: %j', async (text, message) => {
    const path = await file('broken.mjs', text);
    const url = new URL(`?${Math.random()}`, pathToFileURL(path));
    await expect(loadJob(url)).rejects.toMatchObject({
      code: 'MODULE_FAILED',
      message: expect.stringMatching(message),
    });
  });
});
