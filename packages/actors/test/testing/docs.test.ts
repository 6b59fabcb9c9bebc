import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('the program of docs/testing.md runs, word for word', async () => {
  const example = await readFile(new URL('docs.example.ts', import.meta.url), 'utf8');
  const docs = await readFile(new URL('../../../../docs/testing.md', import.meta.url), 'utf8');
  const blocks = [...docs.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  expect(blocks.length).toBeGreaterThan(5);
  expect(blocks.join('\n')).toBe(example);
  await import('./docs.example.ts');
});
