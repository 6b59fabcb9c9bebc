import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { tidemark } from './support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('copies');
const COUNT = 20_000;
let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), COUNT, 100);
});

function args(name: string, store = 'store'): string[] {
  return [fixture('keep.mjs'), '--input', numbers.path, '--store', place.at(name, store), '--json'];
}

describe('copies in another store', () => {
  it('are made while the job runs, can be looked at, and go on where the original is lost', async () => {
    const copies = place.at('lost', 'copies');
    const copying = ['--copy-to', copies, '--copy-schedule', '100ms', '--copy-keep', '3', '--schedule', '50ms'];
    const run = place.start([...args('lost'), ...copying, '--rate', '3000']);
    await run.event('copied', 6);
    const copied = run.last('copied')!;
    expect(copied).toMatchObject({ store: expect.stringContaining('copies') as string });
    expect(Number(copied['lagMs'])).toBeGreaterThanOrEqual(0);
    run.kill9('group');
    await run.ended;
    // Whatever was under way is done by the next start, or not needed.
    const again = place.start([...args('lost'), ...copying, '--rate', '3000']);
    await again.event('copied', 2);
    again.kill9('group');
    const { stderr } = await endOf(again);
    expect(stderr).toBe('');
    await rm(place.at('lost', 'store'), { recursive: true });

    const verified = await tidemark(['verify', '--store', copies]);
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    const listed = await tidemark(['checkpoints', '--store', copies]);
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout).toMatch(
      /^These are copies of checkpoints in file:.*store; what lies between them was not copied\.$/m,
    );
    const { lines } = JSON.parse((await tidemark(['checkpoints', '--store', copies, '--json'])).stdout) as {
      lines: { kind: string; position: number }[];
    };
    expect(lines.length).toBeLessThanOrEqual(4);
    expect(lines.map(({ kind }) => kind)).toEqual(lines.map(() => 'checkpoint'));
    expect((await tidemark(['show', String(lines[1].position), '--store', copies])).status).toBe(0);

    const refused = await place.run(args('lost', 'copies'));
    expect(refused.status).toBe(2);
    const { position } = lines[0];
    expect(refused.stderr).toMatch(/^tidemark: DUPLICATES_NOT_ACCEPTED: checkpoint \d+ in .* is a copy/m);
    expect(refused.stderr).toContain(`--from ${position} --accept-duplicates`);
    const from = ['--from', String(position), '--accept-duplicates'];
    const next = await place.run([...args('lost', 'copies'), ...from]);
    expect(next.stderr).toBe('');
    expect(next.status).toBe(0);
    expect(next.last('restored')).toMatchObject({ position });
    // Each row counts once, in whatever store it was.
    const sum = (COUNT * (COUNT - 1)) / 2;
    expect(next.last('finished')).toMatchObject({
      rows: COUNT,
      result: { counters: { values: COUNT }, collected: { keys: 100, count: COUNT, sum } },
    });
    expect(await tidemark(['verify', '--store', copies])).toMatchObject({ status: 0, stderr: '' });

    const older = await tidemark(['copy', copies, place.at('lost', 'older'), String(position)]);
    expect(older.status).toBe(0);
  });

  it('that cannot be made are told, and the job ends as ever', async () => {
    const taken = ['--copy-to', numbers.path, '--copy-schedule', '50ms', '--rate', '20000', '--schedule', '50ms'];
    const ended = await place.run([...args('taken'), ...taken]);
    expect(ended.status).toBe(0);
    expect(ended.last('warning')).toMatchObject({ code: 'COPY_FAILED' });
    expect(ended.stderr).toMatch(/COPY_FAILED: checkpoint \d+ was not copied to .*numbers\.ndjson; none was copied/);
  });

  it.each([
    [['--copy-keep', '3'], '--copy-schedule and --copy-keep say how to copy, not where'],
    [['--copy-to', 'elsewhere', '--copy-keep', '0'], '--copy-keep 0: expected the number of copies'],
    [['--copy-to', 'elsewhere', '--copy-schedule', 'often'], 'SCHEDULE_INVALID: schedule "often"'],
    [['--copy-to', 's3://bucket/copies?secret=canary'], 'STORE_BAD_URL'],
  ])('that are wrong (%j) end it before anything is touched', async (wrong, why) => {
    const ended = await place.run([...args('wrong'), ...wrong]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(why);
    expect(existsSync(place.at('wrong'))).toBe(false);
  });
});
