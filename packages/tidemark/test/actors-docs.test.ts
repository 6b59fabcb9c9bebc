import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');

test('the program of docs/actors.md runs, word for word, and does what the page says', async () => {
  const docs = await read('../../../docs/actors.md');
  const blocks = [...docs.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  const app = blocks.findIndex((code) => code.startsWith('import { createSystem }'));
  expect(blocks.slice(0, app).join('\n')).toBe(await read('fixtures/actors-docs/bank.ts'));
  expect(blocks.slice(app).join('\n')).toBe(await read('fixtures/actors-docs/app.ts'));
  const { primes, results, left, balance } = await import('./fixtures/actors-docs/app.ts');
  expect({ primes, results, left, balance }).toEqual({
    primes: 168,
    results: ['paid', 'TOO_LITTLE', 'clean'],
    left: [2, 2],
    balance: 2,
  });
});
