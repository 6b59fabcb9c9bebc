import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeOutside } from '../dist/job-outside.adapter.js';
import { assertNothingLost, assertOutputsEmpty, goOnWriting, outputsOf } from '../dist/outputs.js';

const folders: string[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-outputs-'));
  folders.push(folder);
});
afterAll(() => Promise.all(folders.map((each) => rm(each, { recursive: true }))));

const numbered = (position: number): string => String(position).padStart(20, '0');

describe('outputsOf', () => {
  it('makes places that mean the same from any folder', () => {
    expect(outputsOf({ output: 'out', badRows: 'file:bad' })).toEqual({
      output: resolve('out'),
      badRows: resolve('bad'),
    });
    expect(outputsOf({ output: 'file:///a%20b', badRows: 'skip' })).toEqual({ output: '/a b', badRows: null });
  });

  it.each([
    { output: 's3://bucket/out' },
    { output: 'S3://bucket/out' },
    { output: 'hdfs://host/out' },
    { output: 'webhdfs://host:9870/out' },
    { output: 'swebhdfs://host:9871/out' },
    { badRows: 'file:s3://bucket/bad' },
  ] as const)('refuses what is no folder: %j', (options) => {
    expect(() => outputsOf(options)).toThrow(
      expect.objectContaining({ code: 'OUTPUT_NOT_A_FOLDER', message: expect.stringContaining('folders only') }),
    );
  });

  it('shows no secret of a place that it refuses', () => {
    expect(() => outputsOf({ output: 's3://KEY:SECRET@bucket/out' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('SECRET') }),
    );
  });

  it('refuses one folder for both', () => {
    expect(() => outputsOf({ output: 'out', badRows: 'file:./out' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('goOnWriting', () => {
  const before = { output: '/out', badRows: null };

  it('goes on where it wrote, unless another place is named, and says so then', () => {
    const warnings: string[] = [];
    const warn = (code: string, message: string): void => void warnings.push(`${code}: ${message}`);
    expect(goOnWriting({}, before, warn)).toEqual(before);
    expect(goOnWriting({ output: '/out' }, before, warn)).toEqual(before);
    expect(warnings).toEqual([]);
    expect(goOnWriting({ output: '/new', badRows: 'file:/bad' }, before, warn)).toEqual({
      output: '/new',
      badRows: '/bad',
    });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/^OUTPUT_CHANGED: .*\/new; what came before is in \/out$/);
  });
});

describe('assertOutputsEmpty', () => {
  it('minds records only', async () => {
    await mkdir(join(folder, 'tmp'));
    await writeFile(join(folder, 'notes.txt'), '');
    await assertOutputsEmpty(nodeOutside, { output: folder, badRows: join(folder, 'not there') });
    await writeFile(join(folder, `${numbered(3)}-1.ndjson`), '');
    await expect(assertOutputsEmpty(nodeOutside, { output: null, badRows: folder })).rejects.toMatchObject({
      code: 'OUTPUT_NOT_EMPTY',
    });
  });
});

describe('assertNothingLost', () => {
  async function going(log: readonly number[], batches: readonly number[]): Promise<void> {
    const store = join(folder, 'store');
    await mkdir(join(store, 'job/log'), { recursive: true });
    for (const position of log) await writeFile(join(store, 'job/log', numbered(position)), '{}');
    const out = join(folder, 'out');
    await mkdir(out);
    for (const position of batches) await writeFile(join(out, `${numbered(position)}-1.ndjson`), '');
    const outputs = { output: out, badRows: null };
    await assertNothingLost(nodeOutside, outputs, { position: 5, location: store, job: 'job', command: 'THE COMMAND' });
  }

  it('accepts batches of the checkpoint and of older ones', () => going([4, 5], [2, 4, 5]));

  it('accepts the batches of a line that was left with --from', () => going([4, 5, 6, 7, 8], [5, 6, 7]));

  it('tells of batches whose checkpoint is not there, and what to do', async () => {
    await expect(going([4, 5], [5, 6, 7])).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringMatching(
        /holds 0+7-1\.ndjson, but .* has no checkpoint 7 .* remove the files from 0+6-1\.ndjson on.*: THE COMMAND$/,
      ),
    });
  });
});
