import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { outputRecords } from './support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';
import { type SmallDisk, smallDisk } from './support/tmpfs.ts';

const place = testPlace('full-disk');
const keep = fixture('keep.mjs');

let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), 12_000, 500);
});

describe('a disk that is full', () => {
  function disk(ctx: TestContext, name: string): SmallDisk {
    const made = smallDisk(place.at(name), 3 * 1024 * 1024);
    if (typeof made === 'string') return ctx.skip(made);
    onTestFinished(() => made.unmount());
    return made;
  }

  it('fails checkpoints loudly and not the job; with room again it ends right', async (ctx) => {
    const small = disk(ctx, 'full-store');
    const args = [
      keep,
      '--input',
      numbers.path,
      '--store',
      `${small.path}/store`,
      '--output',
      place.at('full-store-out'),
    ];
    const run = place.start([...args, '--schedule', '100ms', '--rate', '4000', '--json']);
    await run.event('checkpoint', 2);
    small.fill();
    await run.event('checkpoint-failed', 4);
    expect(run.last('checkpoint-failed')).toMatchObject({
      message: expect.stringContaining('the disk or the quota is full'),
    });
    const before = run.count('checkpoint');
    small.free();
    await run.event('checkpoint', before + 2);
    const ended = await endOf(run);
    expect(ended.status).toBe(0);
    expect(ended.stderr.match(/^WARNING: A checkpoint failed, and the job goes on: /gm)!.length).toBeLessThanOrEqual(2);
    expect(ended.last('started')).toMatchObject({ term: 1 });
    expect(ended.last('finished')).toMatchObject({ rows: 12_000 });
    expect(await outputRecords(place.at('full-store-out'))).toEqual(numbers.plusOne);
  });

  it('is told at the start', async (ctx) => {
    const small = disk(ctx, 'full-start');
    small.fill();
    const ended = await place.run([
      keep,
      '--input',
      numbers.path,
      '--store',
      `${small.path}/store`,
      '--output',
      'not-begun',
    ]);
    expect(ended.stderr).toMatch(/^tidemark: STORE_FULL: .* the disk or the quota is full \(ENOSPC\)\. Free space/);
    expect(ended.status).toBe(3);
    expect(await readdir(place.path)).not.toContain('not-begun');
  });

  it('makes an output wait, and nothing is lost or doubled', async (ctx) => {
    const small = disk(ctx, 'full-output');
    const args = [
      keep,
      '--input',
      numbers.path,
      '--store',
      place.at('full-output-store'),
      '--output',
      `${small.path}/out`,
    ];
    const run = place.start([...args, '--schedule', '100ms', '--rate', '6000', '--json']);
    await run.event('checkpoint', 2);
    small.fill();
    await run.event('warning', 3);
    expect(run.last('warning')).toMatchObject({
      code: 'STORE_FULL',
      message: expect.stringContaining('waits and is tried again'),
    });
    small.free();
    const ended = await endOf(run);
    expect(ended.status).toBe(0);
    expect(ended.stderr.match(/^WARNING: STORE_FULL: output/gm)).toHaveLength(1);
    expect(await outputRecords(`${small.path}/out`)).toEqual(numbers.plusOne);
  });

  it('of the output does not hold up a stop; the next start writes what waits', async (ctx) => {
    const small = disk(ctx, 'full-stop');
    const args = [
      keep,
      '--input',
      numbers.path,
      '--store',
      place.at('full-stop-store'),
      '--output',
      `${small.path}/out`,
    ];
    const run = place.start([...args, '--schedule', '100ms', '--rate', '4000', '--json']);
    await run.event('checkpoint', 2);
    small.fill();
    await run.event('warning');
    run.process.kill('SIGTERM');
    const stopped = await endOf(run);
    expect(stopped.status).toBe(143);
    expect(stopped.last('stopped')).toBeDefined();
    small.free();
    expect((await place.run(args)).status).toBe(0);
    expect(await outputRecords(`${small.path}/out`)).toEqual(numbers.plusOne);
  });
});
