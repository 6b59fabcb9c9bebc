import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { describePlaces } from '../../../stores/test/support/places.ts';
import { outputRecords, tidemark } from '../support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from '../support/place.ts';

const folder = testPlace('stores-five-minutes');
const MARK_MS = 5 * 60_000;
let numbers: Numbers;
beforeAll(async () => {
  // The location names no user.
  process.env['HADOOP_USER_NAME'] = 'hdfs';
  numbers = await writeNumbers(folder.at('numbers.ndjson'), 40_000, 100);
});

await describePlaces("the original example, a job whose setup says schedule '0 */5 * * * *'", (place) => {
  it('has a checkpoint at each five-minute mark, is killed, and goes on from it', async () => {
    const output = folder.at(place().kind);
    const location = ownLocation(place().kind, place().location());
    await writeFile(folder.at('where.json'), JSON.stringify({ storeType: place().kind, location }));
    const start = (rate?: number) => {
      const options = { input: [numbers.path], output, workers: 2, ...(rate === undefined ? {} : { rate }) };
      const file = pathToFileURL(fixture('every-five-minutes.mjs')).href;
      const command = JSON.stringify({ file, options, json: true, quiet: false, verbose: false });
      return folder.start([command], { program: fixture('run-by-leaps.mjs') });
    };
    const atMarks: number[] = [];
    for (let life = 0; life < 2; life++) {
      const run = start(4_000);
      await run.event('checkpoint', 3);
      run.kill9('group');
      await run.ended;
      expect(run.stderr).toBe('');
      expect(run.count('finished')).toBe(0);
      // The last one that it told of, or one that was stored and not yet told of when it was killed.
      if (life > 0) expect([atMarks.at(-1)!, atMarks.at(-1)! + 1]).toContain(run.last('restored')?.['position']);
      for (const { event, position } of run.events) if (event === 'checkpoint') atMarks.push(Number(position));
    }
    const last = await endOf(start());
    if (last.status !== 0) expect.fail(last.stderr);
    expect(last.last('finished')).toMatchObject({ rows: 40_000 });
    expect(await outputRecords(output)).toEqual(numbers.plusOne);

    const listed = await tidemark(['checkpoints', '--store', location, '--json']);
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    const { lines } = JSON.parse(listed.stdout) as { lines: { position: number; createdAt: string }[] };
    for (const mark of atMarks) {
      const createdAt = lines.find(({ position }) => position === mark)?.createdAt ?? '';
      // The cut begins at the mark; the record is written when all parts are there.
      expect(Date.parse(createdAt) % MARK_MS).toBeLessThan(60_000);
    }
  });
});

/** As a user would write it: a folder of its own, and no user. */
function ownLocation(kind: 's3' | 'hdfs', location: string): string {
  return kind === 's3'
    ? location
    : `${new URL(location.replace('hdfs:', 'http:')).origin.replace('http:', 'hdfs:')}/my/checkpoints`;
}
