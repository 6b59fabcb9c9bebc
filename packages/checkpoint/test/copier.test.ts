import {
  type CheckpointCopied,
  Copier,
  limits,
  Log,
  logName,
  parseTimetable,
  planCopies,
  Retention,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { JOB, JobLog } from './support/job-log.ts';
import { Late, refused, ScriptedStore } from './support/scripted-store.ts';

/** A copier of every ten seconds, and the job whose checkpoints it copies. */
class Copying {
  readonly clock = new ManualClock();
  readonly inner = new MemoryStore('copies');
  readonly target = new ScriptedStore(this.inner);
  readonly copied: CheckpointCopied[] = [];
  readonly warnings: string[] = [];
  readonly retention: Retention;
  readonly job: JobLog;
  readonly copier: Copier;
  opened = 0;
  open: () => Promise<Store> = () => Promise.resolve(this.target);

  private constructor(job: JobLog) {
    const warn = (code: string, message: string): void => void this.warnings.push(`${code}: ${message}`);
    const { store, log } = job;
    this.job = job;
    this.retention = new Retention({ store, job: JOB, log, keep: 2, clock: this.clock, recordsPerPass: 1, warn });
    const plan = { location: 'memory:copies', timetable: parseTimetable('10s'), keep: 2 };
    this.copier = new Copier(
      plan,
      {
        store,
        job: JOB,
        environment: {
          clock: this.clock,
          randomId: () => String(this.opened),
          openStore: () => {
            this.opened++;
            return this.open();
          },
        },
        retention: this.retention,
        observe: (event) => {
          if (event.kind === 'copied') this.copied.push(event);
          else warn(event.code, event.message);
        },
      },
      null,
    );
  }

  static async start(): Promise<Copying> {
    const job = await JobLog.open();
    await job.term('fresh');
    const copying = new Copying(job);
    copying.copier.start();
    return copying;
  }

  /** So many checkpoints, as an owner publishes them. Answers the position of the last one. */
  async checkpoints(count: number): Promise<number> {
    let position = 0;
    for (let i = 0; i < count; i++) {
      position = await this.job.checkpoint();
      this.copier.published(position);
      this.retention.published();
      await this.retention.idle();
    }
    return position;
  }

  positions(): number[] {
    return this.copied.map(({ position }) => position);
  }
}

let copying: Copying;
beforeEach(async () => {
  copying = await Copying.start();
});

describe('a copier', () => {
  it('copies the newest checkpoint at each instant of its own schedule, none twice, and tells how far behind it is', async () => {
    await copying.clock.pass(10_000);
    expect(copying.opened).toBe(0);
    await copying.checkpoints(3);
    await copying.clock.pass(9_950);
    expect(copying.copied).toEqual([]);
    await copying.clock.pass(50);
    expect(copying.copied).toMatchObject([
      {
        location: 'memory:copies',
        position: 4,
        cut: 3,
        files: 1,
        lagMs: copying.clock.now() - Date.parse('2026-01-01'),
      },
    ]);
    await copying.clock.pass(30_000);
    expect(copying.positions()).toEqual([4]);
    await copying.checkpoints(1);
    await copying.clock.pass(10_000);
    expect(copying.positions()).toEqual([4, 5]);
    expect(copying.opened).toBe(1);
    expect(copying.warnings).toEqual([]);
  });

  it('begins with what the start went on from', async () => {
    const position = await copying.job.checkpoint();
    copying.copier.published(position);
    await copying.clock.pass(10_000);
    expect(copying.positions()).toEqual([position]);
  });

  it('makes one copy at a time, of a checkpoint that stays as it is as long as that takes', async () => {
    await copying.checkpoints(1);
    const late = new Late();
    copying.target.next('list', late.doing);
    await copying.clock.pass(10_000);
    const newest = await copying.checkpoints(20);
    await copying.clock.pass(60_000);
    // Twenty newer ones, of which two are to be kept: and it is there still.
    const { store } = copying.job;
    expect((await store.list(`${JOB}/log/`))[0]).toBe(logName(JOB, 2));
    await late.happen();
    await copying.clock.pass(10_000);
    expect(copying.positions()).toEqual([2, newest]);
    await copying.checkpoints(1);
    expect((await store.list(`${JOB}/log/`)).length).toBe(2);
  });

  it('that cannot open its store, or not write there, warns now and then, and goes on when it can again', async () => {
    copying.open = () => Promise.reject(new Error('it is away'));
    await copying.checkpoints(1);
    await copying.clock.pass(10_000);
    expect(copying.warnings).toEqual([
      'COPY_FAILED: checkpoint 2 was not copied to memory:copies; none was copied since this start: it is away',
    ]);
    await copying.clock.pass(30_000);
    expect(copying.opened).toBe(4);
    expect(copying.warnings).toHaveLength(1);
    await copying.clock.pass(limits.COPY_TOLD_MS);
    expect(copying.warnings).toHaveLength(2);
    copying.open = () => Promise.resolve(copying.target);
    await copying.clock.pass(10_000);
    expect(copying.positions()).toEqual([2]);
    copying.target.always('putIfAbsent', refused('retry'));
    await copying.checkpoints(1);
    await copying.clock.pass(10_000);
    expect(copying.warnings.at(-1)).toMatch(
      /checkpoint 3 was not copied .*the newest copy is of checkpoint 2, \d+ s old/,
    );
    copying.target.always('putIfAbsent');
    await copying.clock.pass(10_000);
    expect(copying.positions()).toEqual([2, 3]);
  });

  it('that cannot remove old copies says so: the new one is there all the same', async () => {
    copying.target.always('delete', refused('denied'));
    for (let count = 1; count <= 4; count++) {
      await copying.checkpoints(1);
      await copying.clock.pass(10_000);
    }
    expect(copying.positions()).toEqual([2, 3, 4, 5]);
    expect(copying.warnings[0]).toMatch(
      /^COPY_FAILED: old copies in memory:copies were not removed this time: as told/,
    );
    copying.target.always('delete');
    await copying.checkpoints(1);
    await copying.clock.pass(10_000);
    expect((await copying.inner.list(`${JOB}/log/`)).length).toBe(2);
  });

  it('closes a store that is opened only when it was to end', async () => {
    let closed = false;
    let opened: (store: Store) => void = () => undefined;
    copying.open = () => new Promise((resolve) => (opened = resolve));
    await copying.checkpoints(1);
    await copying.clock.pass(10_000);
    const ended = copying.copier.end();
    opened(Object.assign(new MemoryStore('late'), { close: async () => void (closed = true) }));
    await ended;
    expect(closed).toBe(true);
    expect(copying.warnings).toEqual([]);
  });

  it('leaves a store alone for ever that somebody has started from', async () => {
    await copying.checkpoints(1);
    await copying.clock.pass(10_000);
    const log = await Log.open(copying.inner, JOB, copying.clock);
    await log.put({ kind: 'term', from: 2, host: 'elsewhere', pid: 2 }, 2);
    await copying.checkpoints(1);
    await copying.clock.pass(60_000);
    expect(copying.warnings).toEqual([
      expect.stringMatching(/^COPY_TAKEN_OVER: .*somebody has started from the copies/),
    ]);
    expect(copying.positions()).toEqual([2]);
    expect(copying.clock.timersOpen).toBe(0);
  });

  it('ends soon, also while its store does not answer, and is silent then', async () => {
    await copying.checkpoints(1);
    copying.target.next('list', new Late().doing);
    await copying.clock.pass(10_000);
    let ended = false;
    void copying.copier.end().then(() => (ended = true));
    await copying.clock.pass(limits.COPY_END_MS - 50);
    expect(ended).toBe(false);
    await copying.clock.pass(50);
    expect(ended).toBe(true);
    expect(copying.warnings).toEqual([]);
    expect(copying.clock.timersOpen).toBe(0);
  });
});

describe('copies that are asked for', () => {
  const ten = { schedule: '10s' };

  it('are read with what is left out', () => {
    expect(planCopies([], null)).toEqual([]);
    expect(planCopies([{ ...ten, location: '/other' }], '/store')).toEqual([
      { location: '/other', timetable: { kind: 'every', ms: 10_000 }, keep: limits.KEEP_CHECKPOINTS },
    ]);
  });

  it.each([
    [[{ ...ten, location: '/store/' }], { code: 'COPIES_INVALID' }],
    [[{ ...ten, location: 'file:///store' }], { code: 'COPIES_INVALID' }],
    [
      [
        { ...ten, location: '/a' },
        { ...ten, location: '/a' },
      ],
      { code: 'COPIES_INVALID' },
    ],
    [[{ ...ten, location: '/a', keep: 0 }], { code: 'COPIES_INVALID' }],
    [[{ ...ten, location: '/a', keep: 1.5 }], { code: 'COPIES_INVALID' }],
    [[{ ...ten, location: '/a', keep: Number.NaN }], { code: 'COPIES_INVALID' }],
    [[{ location: '/a', schedule: 'soon' }], { code: 'SCHEDULE_INVALID' }],
    [[{ ...ten, location: 'ftp://somewhere' }], { code: 'STORE_BAD_URL' }],
  ])('are refused before anything is touched: %j', (options, error) => {
    expect(() => planCopies(options, '/store')).toThrow(expect.objectContaining(error));
  });

  it('need a store', () => {
    expect(() => planCopies([{ ...ten, location: '/a' }], null)).toThrow(
      expect.objectContaining({ code: 'COPIES_INVALID' }),
    );
  });
});
