import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('the program of docs/actors.md runs, word for word, and does what the page says', async () => {
  const example = await readFile(new URL('fixtures/actors-docs.example.ts', import.meta.url), 'utf8');
  const docs = await readFile(new URL('../../../docs/actors.md', import.meta.url), 'utf8');
  const blocks = [...docs.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  expect(blocks.length).toBeGreaterThan(4);
  expect(blocks.join('\n')).toBe(example);
  const { primes, results, left, balance } = await import('./fixtures/actors-docs.example.ts');
  expect({ primes, results, left, balance }).toEqual({
    primes: 168,
    results: ['paid', 'TOO_LITTLE', 'clean'],
    left: [2, 2],
    balance: 2,
  });
});
