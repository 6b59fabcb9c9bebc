import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer, type TypeError } from './support/consumer.ts';

const TESTS = [
  'actors/test/types.test-d.ts',
  'actors/test/misuse.test-d.ts',
  'actors/test/calls.test-d.ts',
  'actors/test/testing/types.test-d.ts',
  'checkpoint/test/types.test-d.ts',
] as const;

/** Where each compiler is installed: the repository's own, and two that this package pins under other names. */
const COMPILERS = [
  ['5.9', '../node_modules/typescript-5'],
  ['6.0', '../node_modules/typescript-6'],
  ['7.0', '../../../node_modules/typescript'],
] as const;

let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.make(['actors', 'stores', 'checkpoint'], TESTS);
});

afterAll(() => consumer.remove());

describe.each(COMPILERS)('TypeScript %s', (version, at) => {
  const folder = fileURLToPath(new URL(at, import.meta.url));
  let errors: readonly TypeError[] = [];

  beforeAll(async () => {
    errors = await consumer.check(folder);
  });

  test('is what is installed', () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string };
    expect(manifest.version.startsWith(`${version}.`)).toBe(true);
  });

  test('reports nothing in the packed declarations, nor in what uses them', () => {
    expect(errors.filter(({ file }) => !file.startsWith('without-expectations/'))).toEqual([]);
  });

  test('reports every misuse, and nothing else', () => {
    const reported = new Set(errors.filter(({ file }) => file.startsWith('without-expectations/')).map(place));
    expect([...reported].sort()).toEqual(consumer.expectations.map(place).sort());
    expect(consumer.expectations.length).toBeGreaterThan(80);
  });

  test('says in the first line of each error what is wrong', () => {
    const told = consumer.expectations.filter(({ says }) => says.length > 0);
    const wrong = told.flatMap((expectation) => {
      const texts = errors.filter((error) => place(error) === place(expectation)).map(({ text }) => text);
      const good = texts.some((text) => expectation.says.some((words) => text.includes(words)));
      return good ? [] : [{ at: place(expectation), says: expectation.says, texts }];
    });
    expect(wrong).toEqual([]);
    expect(told.length).toBeGreaterThan(70);
  });
});

function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file}:${line}`;
}
