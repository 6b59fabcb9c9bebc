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
    expect(ended.stderr).toMatch(
      /^tidemark: ROLLBACKS_SPENT: .* The last error was: process of key "key 0" threw: 1500 is too much/m,
    );
    expect(ended.events.filter(({ event }) => event === 'started')).toHaveLength(1);
    expect(ended.events.filter(({ event }) => event === 'rolled-back')).toHaveLength(10);
  });
});

describe('a job that ends a thread of its own', () => {
  it.each([
    ['by process.exit()', {}],
    ['by filling the memory', { NODE_OPTIONS: '--max-old-space-size=64' }],
  ] as const)('%s goes back to its last checkpoint in the same process, and ends right', async (how, env) => {
    const cwd = place.at(how);
    await mkdir(cwd);
    if ('NODE_OPTIONS' in env) await writeFile(place.at(how, 'by-memory'), '');
    await rm(place.at(how, 'crashed'), { force: true });
    const args = [fixture('crashes-once.mjs'), '--input', numbers.path, '--store', 'store', '--output', 'out'];
    const ended = await place.run([...args, '--schedule', '100ms', '--rate', '20000', '--json'], { cwd, env });
    expect(ended.status).toBe(0);
    const starts = ended.events.filter(({ event }) => event === 'started').length;
    // Node 24 may end the whole process when a thread has used up its memory: then its supervisor starts it again.
    const mayStartAgain = how === 'by filling the memory' && Number.parseInt(process.versions.node, 10) >= 24;
    if (!mayStartAgain || starts === 1) {
      expect(starts).toBe(1);
      expect(ended.events.filter(({ event }) => event === 'rolled-back')).toMatchObject([
        { generation: 2, code: 'WORKER_LOST', rows: expect.any(Number) },
      ]);
      expect(ended.stderr).toMatch(
        /WORKER_LOST: worker \d is gone: .* The job (?:went back to checkpoint \d+|began again) /,
      );
    }
    expect(await outputRecords(place.at(how, 'out'))).toEqual(numbers.plusOne);
  });

  it('threads that die again and again leave no trace in output and result', { timeout: 120_000 }, async () => {
    const cwd = place.at('often');
    await mkdir(cwd);
    const args = [fixture('crashes-often.mjs'), '--input', numbers.path, '--store', 'store', '--output', 'out'];
    const ended = await place.run([...args, '--schedule', '50ms', '--rate', '20000', '--workers', '2', '--json'], {
      cwd,
    });
    expect(ended.stderr).not.toContain('starting it again');
    expect(ended.status).toBe(0);
    expect(ended.events.filter(({ event }) => event === 'started')).toHaveLength(1);
    // Five values, and one key's last word; two may come to the same rollback.
    const back = ended.events.filter(({ event }) => event === 'rolled-back');
    expect(back.length).toBeGreaterThan(2);
    expect(back.map(({ generation }) => generation)).toEqual(back.map((_, index) => index + 2));
    const sums = new Map<string, { rows: number; sum: number }>();
    for (let value = 0; value < 10_000; value++) {
      const state = sums.get(`key ${value % 100}`) ?? { rows: 0, sum: 0 };
      sums.set(`key ${value % 100}`, { rows: state.rows + 1, sum: state.sum + value });
    }
    const lastWords = [...sums].map(([key, { sum }]) => JSON.stringify({ key, value: `${key} ends with ${sum}` }));
    expect(await outputRecords(place.at('often', 'out'))).toEqual([...numbers.plusOne, ...lastWords].sort());
    expect(ended.last('finished')).toMatchObject({
      rows: 10_000,
      result: {
        counters: { rows: 10_000 },
        collected: [...sums].map(([key, state]) => ({ key, ...state })).sort((a, b) => (a.key < b.key ? -1 : 1)),
      },
    });
  });
});
