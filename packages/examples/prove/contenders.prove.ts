import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type CliRun, outputRecords, root, seededRandom, sleep } from '../test/support/cli.ts';
import { endOf, fixture, type Numbers, testPlace, writeNumbers } from '../test/support/place.ts';

const SEEDS = [1, 2, 3, 4, 5];
const STEPS = 30;
const VALUES = 60_000;
const KEYS = 500;
const LIVE_MAX = 4;

const place = testPlace('contenders');
let numbers: Numbers;
beforeAll(async () => {
  numbers = await writeNumbers(place.at('numbers.ndjson'), VALUES, KEYS);
});

/** Processes that all want one job: some wait, some take it over, some only try; and all of them may be killed, or put to sleep. */
class Contest {
  readonly runs: CliRun[] = [];
  readonly #asleep = new Set<CliRun>();
  readonly #random: () => number;
  readonly #name: string;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#name = `seed-${seed}`;
  }

  async step(): Promise<void> {
    await sleep(this.#random() * 1_000);
    const live = this.runs.filter((run) => run.running);
    const what = this.#random();
    const some = live[Math.floor(this.#random() * live.length)];
    if (some === undefined || (live.length < LIVE_MAX && what < 0.6))
      this.start(this.#pick([['--wait'], ['--wait'], ['--take-over'], []]));
    else if (what < 0.82) this.#owner(some).kill9(this.#random() < 0.5 ? 'group' : 'supervisor');
    else if (what < 0.9) this.#signal(some, 'SIGSTOP');
    else this.#signal(some, 'SIGCONT');
  }

  start(flags: readonly string[], rate = 1_500): CliRun {
    const at = (name: string): string => place.at(this.#name, name);
    const own = ['--input', numbers.path, '--store', at('store'), '--output', at('out'), '--workers', '2'];
    const run = place.start([
      fixture('keep.mjs'),
      ...own,
      '--schedule',
      '50ms',
      '--rate',
      String(rate),
      '--json',
      ...flags,
    ]);
    this.runs.push(run);
    return run;
  }

  /** Everybody wakes up, one takes the job over and brings it to its end, and the others have to see that. */
  async end(): Promise<void> {
    const last = this.start(['--take-over'], 1_000_000);
    await last.event('finished');
    for (const run of this.#asleep) this.#signal(run, 'SIGCONT');
    for (const run of this.runs) {
      // Who was left without its supervisor, asleep, holds what it says open.
      if (!run.running) run.sweep();
      const { status, signal, stderr } = await endOf(run);
      if (signal === 'SIGKILL') continue;
      expect([0, 6], stderr).toContain(status);
      if (status === 6) expect(stderr).toMatch(/^tidemark: (?:FENCED|ALREADY_RUNNING): /m);
    }
  }

  get takenOver(): number {
    return this.runs.filter((run) => run.stderr.includes('tidemark: FENCED')).length;
  }

  get waited(): number {
    return this.runs.filter((run) => run.count('waiting') > 0).length;
  }

  get wentOn(): number {
    return this.runs.filter((run) => run.count('waiting') > 0 && run.count('started') > 0).length;
  }

  #signal(run: CliRun, signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (!run.running) return;
    process.kill(-run.process.pid!, signal);
    if (signal === 'SIGSTOP') this.#asleep.add(run);
    else this.#asleep.delete(run);
  }

  /** Who runs the job as far as it knows, if anybody does: its end is what others wait for. */
  #owner(otherwise: CliRun): CliRun {
    return this.runs.findLast((run) => run.running && run.count('started') > 0) ?? otherwise;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)];
  }
}

const seen = { runs: 0, takenOver: 0, waited: 0, wentOn: 0 };

it.each(SEEDS)('seed %i: whoever runs, and whoever is pushed away, every record comes out once', async (seed) => {
  const contest = new Contest(seed);
  for (let step = 0; step < STEPS; step++) await contest.step();
  await contest.end();
  expect(await outputRecords(place.at(`seed-${seed}`, 'out'))).toEqual(numbers.plusOne);
  const bin = join(root, 'packages/tidemark/bin/tidemark.mjs');
  const verified = spawnSync(process.execPath, [bin, 'verify', '--store', place.at(`seed-${seed}`, 'store')]);
  expect(verified.stdout.toString()).toMatch(/All of it is whole\.\n$/);
  seen.runs += contest.runs.length;
  seen.takenOver += contest.takenOver;
  seen.waited += contest.waited;
  seen.wentOn += contest.wentOn;
});

it('has met what it is about', () => {
  process.stdout.write(`contenders: ${JSON.stringify(seen)}\n`);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(2);
});
