import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CliRun, outputRecords, sleep } from './support/cli.ts';
import { contentsOf, type Ended, fixture, type Numbers, testPlace, writeNumbers } from './support/place.ts';

const place = testPlace('damage');
const keep = fixture('keep.mjs');
const VALUES = 80_000;
const KEYS = 20_000;
/** Checkpoints of a run at least, by its schedule, its rate and its rows. */
const CHECKPOINTS_MAX = 16;
const result = { keys: KEYS, count: VALUES, sum: (VALUES * (VALUES - 1)) / 2 };

let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), VALUES, KEYS);
});

/** What a job leaves behind that was killed in the middle, to be damaged again and again. */
interface Killed {
  readonly args: readonly string[];
  /** Puts everything back as it was left, and damages that. */
  damage(how: (path: string) => Promise<void>, name: (killed: Killed) => string): Promise<void>;
  readonly log: string;
  readonly out: string;
  /** Positions of its checkpoints. */
  readonly positions: readonly number[];
  /** Paths of the files that only its newest checkpoint names. */
  readonly parts: readonly string[];
}

type Record = {
  readonly kind: string;
  readonly position: number;
  readonly releases: boolean;
  readonly parts: readonly { readonly files: readonly { readonly path?: string }[] }[];
};

async function killedJob(name: string, outputs: readonly string[]): Promise<Killed> {
  const at = place.at(name);
  const store = join(at, 'store');
  const log = join(store, 'keep/log');
  const out = join(at, 'out');
  const args = [
    keep,
    '--input',
    numbers.path,
    '--store',
    store,
    ...outputs.map((each) => (each === 'out' ? out : each)),
    '--json',
  ];
  const isApplied = async (): Promise<boolean> =>
    outputs.length === 0 || existsSync(join(out, `${(await readdir(log)).sort().at(-1)}-1.ndjson`));
  const readRecords = async (): Promise<Record[]> => {
    const records: Record[] = [];
    for (const file of (await readdir(log)).sort()) {
      const record = JSON.parse((await readFile(join(log, file), 'utf8')).split('\n')[0]) as Record;
      if (record.kind === 'checkpoint') records.push(record);
    }
    return records;
  };
  let run: CliRun;
  let records: Record[];
  do {
    await rm(at, { recursive: true, force: true });
    run = place.start([...args, '--schedule', '150ms', '--rate', '20000', '--workers', '2']);
    // Killed at one that has files of its own, as every other has: then nothing needs luck but that no newer one comes in between.
    for (let n = 5; n < CHECKPOINTS_MAX; n++) {
      await run.event('checkpoint', n);
      if (ownFiles(await readRecords()).length > 0) break;
    }
    // Time for the output to take what the newest one released.
    if (outputs.length > 0) await sleep(60);
    run.kill9('group');
    await run.ended;
    records = await readRecords();
  } while (!(await isApplied()) || ownFiles(records).length === 0);
  const newest = records.at(-1)!;
  expect(newest.releases).toBe(outputs.length > 0);
  const left = place.at(`${name}-left`);
  await cp(at, left, { recursive: true });
  const killed: Killed = {
    args,
    log,
    out,
    positions: records.map(({ position }) => position),
    parts: ownFiles(records).map((path) => join(store, 'keep', path)),
    async damage(how, which) {
      await rm(at, { recursive: true });
      await cp(left, at, { recursive: true });
      await how(which(killed));
    },
  };
  return killed;
}

/** Files that the newest checkpoint names and none before it. */
function ownFiles(records: readonly Record[]): readonly string[] {
  const [newest, ...older] = records
    .toReversed()
    .map(({ parts }) => parts.flatMap(({ files }) => files.flatMap(({ path }) => path ?? [])));
  return newest.filter((path) => !older.flat().includes(path));
}

const newestRecord = ({ log, positions }: Killed): string => join(log, String(positions.at(-1)).padStart(20, '0'));
const newestPart = ({ parts }: Killed): string => parts[0];

const damages = [
  ['cut short', (path: string) => truncate(path, 1_000)],
  ['with one bit flipped', flipBit],
  ['removed', (path: string) => rm(path)],
] as const;

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[Math.floor(bytes.length / 2)] ^= 4;
  await writeFile(path, bytes);
}

/** It ends with 4, names what is damaged, and changes nothing. Answers the command that it names. */
async function expectDamaged(killed: Killed, what: RegExp | string): Promise<readonly string[]> {
  const before = await contentsOf(place.path);
  const ended = await place.run(killed.args);
  expect(ended.status).toBe(4);
  expect(ended.stderr).toMatch(/^tidemark: CHECKPOINT_DAMAGED: /);
  expect(ended.stderr).toMatch(what);
  expect(await contentsOf(place.path)).toEqual(before);
  const command = /: tidemark run (.* --accept-duplicates)$/m.exec(ended.stderr)?.[1];
  return command?.split(' ') ?? [];
}

function expectFinished(ended: Ended): void {
  expect(ended.status).toBe(0);
  expect(ended.last('finished')).toMatchObject({ already: false, rows: VALUES, result: { collected: result } });
}

describe('the newest checkpoint of a job with an output', () => {
  let killed: Killed;
  beforeAll(async () => {
    killed = await killedJob('with-output', ['--output', 'out']);
  });

  const cases = damages.flatMap(([how, damage]) => [
    [`record ${how}`, damage, newestRecord] as const,
    [`part ${how}`, damage, newestPart] as const,
  ]);
  it.each(cases.filter(([name]) => name !== 'record removed'))(
    '%s: ends with 4, and goes on from the older one by the command that it names',
    async (_, damage, which) => {
      await killed.damage(damage, which);
      const command = await expectDamaged(killed, which(killed).split('/keep/')[1]);
      const older = killed.positions.at(-2)!;
      expect(command.slice(-3)).toEqual(['--from', String(older), '--accept-duplicates']);
      const ended = await place.run([...command, '--json']);
      expect(ended.last('restored')).toMatchObject({ position: older });
      expectFinished(ended);
      // What the damaged one had released came again, as it said; nothing is missing, nothing else is there.
      const records = await outputRecords(killed.out);
      expect([...new Set(records)]).toEqual(numbers.plusOne);
      expect(records.length).toBeGreaterThan(numbers.plusOne.length);
    },
  );

  it('record removed: is missed because of what it released, and nothing comes twice if that is removed too', async () => {
    await killed.damage((path) => rm(path), newestRecord);
    const [newest, older] = [killed.positions.at(-1)!, killed.positions.at(-2)!];
    const command = await expectDamaged(
      killed,
      `has no checkpoint ${newest} that released it: the end of the log of 'keep' was lost`,
    );
    const { stderr } = await place.run(killed.args);
    const first = /remove the files from (\S+) on/.exec(stderr)![1];
    for (const name of await readdir(killed.out)) if (name >= first && name !== 'tmp') await rm(join(killed.out, name));
    const ended = await place.run([...command, '--json']);
    expect(ended.last('restored')).toMatchObject({ position: older });
    expectFinished(ended);
    expect(await outputRecords(killed.out)).toEqual(numbers.plusOne);
  });

  it('is whole: older damage does not matter', async () => {
    await killed.damage(
      async (path) => truncate(path, 10),
      ({ log, positions }) => join(log, String(positions.at(-2)).padStart(20, '0')),
    );
    expectFinished(await place.run(killed.args));
    expect(await outputRecords(killed.out)).toEqual(numbers.plusOne);
  });

  it('is left behind only by who accepts what that means', async () => {
    await killed.damage(async () => undefined, newestRecord);
    const older = String(killed.positions.at(-2));
    const before = await contentsOf(place.path);
    const refused = await place.run([...killed.args, '--from', older]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(
      /^tidemark: DUPLICATES_NOT_ACCEPTED: .* If that is what you want: tidemark run .* --accept-duplicates$/m,
    );
    const unknown = await place.run([...killed.args, '--from', '999', '--accept-duplicates']);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toMatch(
      /^tidemark: CHECKPOINT_UNKNOWN: there is no checkpoint at position 999 of job 'keep'/,
    );
    expect(await contentsOf(place.path)).toEqual(before);
  });

  it('and all others gone: does not begin again over the old output', async () => {
    await killed.damage(
      (path) => rm(path, { recursive: true }),
      ({ log }) => log,
    );
    const ended = await place.run(killed.args);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(/^tidemark: OUTPUT_NOT_EMPTY: /);
  });
});

describe('the newest checkpoint of a job that released nothing', () => {
  let killed: Killed;
  beforeAll(async () => {
    killed = await killedJob('without-output', []);
  });

  it.each(damages)('part %s: is passed over, and says so', async (_, damage) => {
    await killed.damage(damage, newestPart);
    const ended = await place.run(killed.args);
    const [newest, older] = [killed.positions.at(-1)!, killed.positions.at(-2)!];
    expect(ended.stderr).toMatch(
      new RegExp(
        `^WARNING: CHECKPOINT_DAMAGED: checkpoint ${newest}: keep/part/.* It released nothing, so the older checkpoint ${older} is used`,
      ),
    );
    expect(ended.last('restored')).toMatchObject({ position: older });
    expectFinished(ended);
  });

  it.each(damages.slice(0, 2))('record %s: ends with 4, since nobody can tell what it released', async (_, damage) => {
    await killed.damage(damage, newestRecord);
    const command = await expectDamaged(killed, /keep\/log\/0+\d+: the sha256 at its end does not fit its \d+ bytes/);
    expectFinished(await place.run([...command, '--json']));
  });

  it('record removed: is as if it had never been', async () => {
    await killed.damage((path) => rm(path), newestRecord);
    const ended = await place.run(killed.args);
    expect(ended.last('restored')).toMatchObject({ position: killed.positions.at(-2) });
    expectFinished(ended);
  });

  it('and all others cut short: does not begin again by itself', async () => {
    await killed.damage(
      async (log) => {
        for (const name of await readdir(log)) await truncate(join(log, name), 100);
      },
      ({ log }) => log,
    );
    expect(await expectDamaged(killed, /No older checkpoint is there: --fresh begins again\.$/m)).toEqual([]);
    const fresh = await place.run([...killed.args, '--fresh']);
    expect(fresh.last('started')).toMatchObject({ from: null });
    expectFinished(fresh);
  });
});
