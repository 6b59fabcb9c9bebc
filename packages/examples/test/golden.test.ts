import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outputRecords, root } from './support/cli.ts';
import { fixture, testPlace } from './support/place.ts';

/** Made by scripts/golden.mjs; what lies there is told in its README. */
const golden = join(root, 'packages/checkpoint/test/golden');
const formats = readdirSync(golden).filter((name) => name.startsWith('format-'));
const place = testPlace('golden');
const made: string[] = [];
afterAll(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))));

describe.each(formats)('the job of %s, killed on the day', (format) => {
  it.each([1, 3])('goes on with %i workers to the result and the output of a run that was never killed', async (n) => {
    const at = (name: string): string => place.at(format, String(n), name);
    for (const name of ['job', 'job-output']) await cp(join(golden, format, name), at(name), { recursive: true });
    const values = await putInputBack(join(golden, format));
    const args = [fixture('keep.mjs'), '--store', at('job'), '--output', at('job-output'), '--workers', String(n)];
    const ended = await place.run([...args, '--json']);
    expect(ended.status).toBe(0);
    const started = ended.events.find(({ event }) => event === 'started');
    expect(started!['from']).toBe((await newest(join(golden, format))).position);
    // Not from the beginning: what was done is not done again.
    const before = await outputRecords(join(golden, format, 'job-output'));
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(values.length);
    expect(ended.last('finished')).toMatchObject({ rows: values.length });
    const sum = values.reduce((total, { value }) => total + value, 0);
    const keys = new Set(values.map(({ key }) => key)).size;
    expect(ended.last('finished')!['result']).toMatchObject({
      collected: { keys, count: values.length, sum },
    });
    const plusOne = values.map(({ key, value }) => JSON.stringify({ key, value: value + 1 })).sort();
    expect(await outputRecords(at('job-output'))).toEqual(plusOne);
  });
});

interface Row {
  readonly key: string;
  readonly value: number;
}

interface Newest {
  readonly position: number;
  readonly app: { readonly plan: { readonly files: readonly { readonly path: string }[] } };
}

/** Puts the input where the checkpoint says that it was, which is in a folder for temporary files. */
async function putInputBack(format: string): Promise<readonly Row[]> {
  const { app } = await newest(format);
  const [{ path }] = app.plan.files;
  const folder = dirname(dirname(path));
  expect(basename(folder)).toMatch(/^tidemark-golden-/);
  made.push(folder);
  await mkdir(dirname(path), { recursive: true });
  await cp(join(format, 'job-input/numbers.ndjson'), path);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Row);
}

async function newest(format: string): Promise<Newest> {
  const log = join(format, 'job/keep/log');
  const name = (await readdir(log)).sort().at(-1)!;
  return JSON.parse((await readFile(join(log, name), 'utf8')).split('\n')[0]) as Newest;
}
