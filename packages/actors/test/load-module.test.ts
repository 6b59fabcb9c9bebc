import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadModule } from '@tidemark/actors/internal';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-load-'));
  file('package.json', '{"type":"module"}');
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return pathToFileURL(path).href;
}

const loaded = globalThis as { loaded?: string[] };

test('a module is loaded once, however often it is named', async () => {
  loaded.loaded = [];
  const url = file('once.mjs', "globalThis.loaded.push('once');");
  await loadModule(url);
  await loadModule(url);
  expect(loaded.loaded).toEqual(['once']);
});

test('the other of .ts and .js is found: the URL is a hint', async () => {
  loaded.loaded = [];
  file('only.mjs', "globalThis.loaded.push('only');");
  await loadModule(pathToFileURL(join(folder, 'only.mts')).href);
  expect(loaded.loaded).toEqual(['only']);
});

test('TypeScript that Node cannot strip is loaded, too', async () => {
  loaded.loaded = [];
  await loadModule(
    file(
      'enum.ts',
      "export enum Kind { a = 'typed' }\n(globalThis as unknown as { loaded: string[] }).loaded.push(Kind.a);",
    ),
  );
  expect(loaded.loaded).toEqual(['typed']);
});

test('ACTORS_NOT_FOUND names both paths', async () => {
  const path = join(folder, 'nothing.ts');
  const error = await loadModule(pathToFileURL(path).href).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'ACTORS_NOT_FOUND' });
  expect((error as Error).message).toContain(path);
  expect((error as Error).message).toContain(path.replace(/ts$/, 'js'));
});

test.each([
  ['throws', "throw new RangeError('at load');", /throws\.mjs cannot be loaded: RangeError: at load/],
  [
    'imports what is not there',
    "import './absent.mjs';",
    /imports-what-is-not-there\.mjs cannot be loaded: Error: Cannot find module/,
  ],
  ['is no JavaScript', 'const = ;', /is-no-JavaScript\.mjs cannot be loaded: SyntaxError/],
])('MODULE_FAILED: a module that %s', async (what, text, says) => {
  const url = file(`${what.replaceAll(' ', '-')}.mjs`, text);
  await expect(loadModule(url)).rejects.toMatchObject({ code: 'MODULE_FAILED', message: expect.stringMatching(says) });
});

test('an error of ours that a module throws keeps its code', async () => {
  const url = file('coded.mjs', "throw Object.assign(new Error('no'), { code: 'NOT_ON_HOST' });");
  await expect(loadModule(url)).rejects.toMatchObject({ code: 'NOT_ON_HOST' });
});
