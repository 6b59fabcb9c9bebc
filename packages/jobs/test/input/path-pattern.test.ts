import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/input/file-access.adapter.ts';
import { findFiles } from '../../src/input/input-files.ts';
import type { InputProblem } from '../../src/input/input-error.ts';
import { pathPattern } from '../../src/input/path-pattern.ts';
import { testFolder } from './folder.ts';

const folder = testFolder();

async function found(
  ...inputs: readonly string[]
): Promise<{ readonly names: string[]; readonly problems: InputProblem[] }> {
  const problems: InputProblem[] = [];
  const paths = await findFiles(nodeFiles, inputs.map(folder.file), problems);
  return { names: paths.map((path) => basename(path)), problems };
}

describe('a pattern', () => {
  it.each([
    ['/data/*.txt', 'a.txt', true],
    ['/data/*.txt', '.txt', false],
    ['/data/.*', '.txt', true],
    ['/data/*', 'anything at all', true],
    ['/data/*', '.hidden', false],
    ['/data/a*b*c', 'abc', true],
    ['/data/a*b*c', 'a-b-b-c', true],
    ['/data/a*b*c', 'a-b-c-d', false],
    ['/data/*.(x)+[y]', 'a.(x)+[y]', true],
    ['/data/*.txt', 'a-txt', false],
    ['/data/*.txt', 'two\nlines.txt', true],
  ])('%s and the name %j: %s', (path, name, fits) => {
    expect(pathPattern(path)?.folder).toBe('/data');
    expect(pathPattern(path)?.fits(name)).toBe(fits);
  });

  it('is only what has a * in its last part', () => {
    expect(pathPattern('/data/a.txt')).toBeUndefined();
    expect(pathPattern('/da*ta/a.txt')).toBeUndefined();
  });
});

describe('findFiles', () => {
  beforeAll(async () => {
    await mkdir(folder.file('inner.txt'));
    for (const name of ['b.txt', 'a.txt', 'c.json', '.d.txt', 'star*.csv', 'star1.csv'])
      await writeFile(folder.file(name), 'x\n');
    await symlink(folder.file('c.json'), folder.file('link.txt'));
  });

  it('takes the files that fit, in name order, and no folders', async () => {
    expect(await found('*.txt')).toEqual({ names: ['a.txt', 'b.txt', 'link.txt'], problems: [] });
  });

  it('takes a file whose own name has a * for itself', async () => {
    expect(await found('star*.csv', 'c.json')).toEqual({ names: ['star*.csv', 'c.json'], problems: [] });
  });

  it('says when nothing fits, and when the folder is not there', async () => {
    const { names, problems } = await found('*.xml', 'nowhere/*.txt', 'no*where/a.txt');
    expect(names).toEqual([]);
    expect(problems.map(({ code }) => code)).toEqual(['INPUT_NOT_FOUND', 'INPUT_NOT_FOUND', 'INPUT_NOT_FOUND']);
    expect(problems[0].message).toContain(`No file in ${folder.path} fits ${folder.file('*.xml')}`);
    expect(problems[1].message).toContain(`There is no file or folder ${join(folder.path, 'nowhere')}`);
    expect(problems[2].message).toContain('a * is understood in its last part only');
  });
});
