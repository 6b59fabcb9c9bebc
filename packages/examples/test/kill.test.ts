import { existsSync, watch } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flightsPrefix } from '../dist/data/flights-data.js';
import { type CliEvent, CliRun, outputRecords, root, seededRandom, sleep } from './support/cli.ts';

const ROWS = 600_000;
/** Rows per second at which an undisturbed run lasts 30 s. */
const RATE = 20_000;
const KILLS = 20;
const MOMENT_MS_MAX = 1_500;
/** Kills aimed between publish and apply, at most; the first that hits is enough. */
const AIMED_MAX = 20;

interface Outcome {
  readonly result: unknown;
  readonly records: readonly string[];
}

let folder: string;
let input: string;
let undisturbed: Outcome;

function args(name: string): readonly string[] {
  const at = join(folder, name);
  return [
    'packages/examples/src/flights.ts',
    '--input',
    input,
    '--store',
    `${at}/store`,
    '--output',
    `${at}/out`,
    '--schedule',
    '250ms',
    '--json',
  ];
}

async function outcome(name: string, finished: CliEvent | undefined): Promise<Outcome> {
  return { result: finished?.['result'], records: await outputRecords(join(folder, name, 'out')) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-kill-'));
  input = await flightsPrefix(root, ROWS);
  const run = new CliRun(args('undisturbed'));
  expect(await run.ended).toEqual({ status: 0, signal: null });
  undisturbed = await outcome('undisturbed', run.last('finished'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the flights job, killed with SIGKILL again and again', () => {
  it('goes on exactly where it was: the whole group or the supervisor killed, then started again', async () => {
    const random = seededRandom(20_261_125);
    const tally = new Tally();
    const run = (): CliRun => new CliRun([...args('killed'), '--rate', String(RATE)]);
    let hits = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const who = random() < 0.3 ? 'supervisor' : 'group';
      const moment = random() * MOMENT_MS_MAX;
      const running = run();
      await running.event('started');
      // Every second life gets further, however slow the machine is.
      if (kill % 2 === 0) await running.event('checkpoint');
      await sleep(moment);
      if (running.running && running.count('finished') === 0) hits++;
      running.kill9(who);
      await running.ended;
      tally.start(running.last('started'));
      await tally.look(join(folder, 'killed'));
    }
    for (let aimed = 0; aimed < AIMED_MAX && tally.betweenPublishAndApply === 0; aimed++) {
      const running = run();
      await running.event('started');
      await killAtNextRecord(running, join(folder, 'killed/store/flights/log'));
      tally.start(running.last('started'));
      await tally.look(join(folder, 'killed'));
    }
    const last = new CliRun(args('killed'));
    expect(await last.ended).toEqual({ status: 0, signal: null });
    tally.start(last.last('started'));

    expect(await outcome('killed', last.last('finished'))).toEqual(undisturbed);
    expect(hits).toBeGreaterThanOrEqual(18);
    expect(tally.later).toBeGreaterThanOrEqual(10);
    expect(tally.betweenPublishAndApply).toBeGreaterThanOrEqual(1);

    const again = new CliRun(args('killed'));
    expect(await again.ended).toEqual({ status: 0, signal: null });
    expect(again.last('finished')).toMatchObject({ already: true, result: undisturbed.result });
  }, 300_000);

  it('goes on exactly where it was: the runtime killed under its living supervisor', async () => {
    const random = seededRandom(42);
    const tally = new Tally();
    const run = new CliRun([...args('runtime-killed'), '--rate', String(RATE)]);
    try {
      let hits = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        tally.start(await run.event('started', kill));
        if (kill % 2 === 1) await run.event('checkpoint', run.count('checkpoint') + 1);
        await sleep(random() * MOMENT_MS_MAX);
        if (run.running && run.count('finished') === 0) hits++;
        run.kill9('runtime');
      }
      tally.start(await run.event('started', KILLS + 1));
      expect(await run.ended).toEqual({ status: 0, signal: null });
      expect(await outcome('runtime-killed', run.last('finished'))).toEqual(undisturbed);
      expect(hits).toBeGreaterThanOrEqual(18);
      expect(tally.later).toBeGreaterThanOrEqual(10);
    } finally {
      run.sweep();
    }
  }, 300_000);
});

/** What the kills have met. */
class Tally {
  later = 0;
  betweenPublishAndApply = 0;
  #from = 0;

  /** A start: did it go on from a later position than the one before? */
  start(started: CliEvent | undefined): void {
    const from = Number(started?.['from'] ?? 0);
    if (from > this.#from) this.later++;
    this.#from = Math.max(this.#from, from);
  }

  /** Whether the newest record has named batches that no output file holds yet. */
  async look(at: string): Promise<void> {
    const names = (await readdir(join(at, 'store/flights/log'))).sort();
    const text = await readFile(join(at, 'store/flights/log', names.at(-1) ?? ''), 'utf8');
    const record = JSON.parse(text.split('\n')[0]) as { kind: string; releases?: boolean; position: number };
    if (record.kind !== 'checkpoint' || record.releases !== true) return;
    const name = String(record.position).padStart(20, '0');
    // With this many late flights an interval, both tasks of a record that releases have a batch.
    if (![1, 2].every((task) => existsSync(join(at, 'out', `${name}-${task}.ndjson`)))) this.betweenPublishAndApply++;
  }
}

/** Kills the group as soon as the log has a new name: the record is there, its batches are not yet applied. */
async function killAtNextRecord(run: CliRun, log: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(log, () => {
      run.kill9('group');
      watcher.close();
      resolve();
    });
  });
  await run.ended;
}
