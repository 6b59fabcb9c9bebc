import { mkdir, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { outputRecords } from './support/cli.ts';
import { fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('crashes');
let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), 10_000, 100);
});

describe('a job whose process() throws', () => {
  it('is tried again, ends with 7, and names the key, the error and the line', { timeout: 120_000 }, async () => {
    const args = [fixture('throws.mjs'), '--input', numbers.path, '--store', 'throws', '--schedule', '1h', '--json'];
    const ended = await place.run(args);
    expect(ended.status).toBe(7);
    expect(ended.stderr).toContain('process of key "key 0" threw: 1500 is too much');
    expect(ended.stderr).toMatch(/^ {2}(?:because: .*\()?at Throws\.process \(.*throws\.mjs:6:\d+\)/m);
    expect(ended.stderr.match(/starting it again/g)).toHaveLength(10);
    const lines = ended.stderr.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(
      /^tidemark: RESTARTS_SPENT: .* The last error was: .*process of key "key 0" threw: 1500 is too much.* goes on from the last checkpoint\.$/,
    );
    expect(new Set(lines.map((line) => line.replace(/\d.*/, ''))).size).toBeLessThan(12);
  });
});

describe('a job that ends its own process', () => {
  it.each([
    ['by process.exit()', {}],
    ['by filling the memory', { NODE_OPTIONS: '--max-old-space-size=64' }],
  ] as const)('%s is started again, and ends right', async (how, env) => {
    const cwd = place.at(how);
    await mkdir(cwd);
    if ('NODE_OPTIONS' in env) await writeFile(place.at(how, 'by-memory'), '');
    await rm(place.at(how, 'crashed'), { force: true });
    const args = [fixture('crashes-once.mjs'), '--input', numbers.path, '--store', 'store', '--output', 'out'];
    const ended = await place.run([...args, '--schedule', '100ms', '--rate', '20000', '--json'], { cwd, env });
    expect(ended.stderr).toMatch(/starting it again now \(restart 1 of at most 10/);
    expect(ended.status).toBe(0);
    expect(ended.events.filter(({ event }) => event === 'started')).toHaveLength(2);
    expect(await outputRecords(place.at(how, 'out'))).toEqual(numbers.plusOne);
  });
});
