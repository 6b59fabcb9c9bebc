import {
  CheckpointError,
  choose,
  isMarked,
  listMarks,
  Log,
  type Pin,
  pinCheckpoint,
  readCheckpoint,
  unpinCheckpoint,
  verifyLog,
} from '@tidemark/checkpoint/internal';
import { MemoryStore, type Store } from '@tidemark/stores';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/test/support/manual-clock.ts';
import { ChainOwner, type ChainOptions } from './support/chain-owner.ts';
import { JOB } from './support/job-log.ts';
import { PacedStore } from './support/paced-store.ts';

const RUNS = 300;
const MINUTES_10 = 600_000;

interface Person {
  /** Which of the checkpoints that were there at the beginning, from the newest on. */
  readonly back: number;
  readonly label: string | null;
  readonly unpins: boolean;
}

const person: fc.Arbitrary<Person> = fc.record({
  back: fc.nat(9),
  label: fc.constantFrom('a', 'b', null),
  unpins: fc.boolean(),
});

const chain: fc.Arbitrary<ChainOptions> = fc.record({
  keep: fc.record({ last: fc.integer({ min: 1, max: 3 }), hourly: fc.nat(2) }),
  recordsPerPass: fc.integer({ min: 1, max: 4 }),
  fullEvery: fc.integer({ min: 1, max: 3 }),
});

interface Story {
  readonly options: ChainOptions;
  readonly before: number;
  /** Checkpoints of the owner that runs, and of one that takes over while it does not know. */
  readonly after: number;
  readonly later: number | null;
  /** Calls after which the first owner is no more. */
  readonly diesAfter: number | null;
  readonly people: readonly Person[];
}

const story: fc.Arbitrary<Story> = fc.record({
  options: chain,
  before: fc.integer({ min: 1, max: 9 }),
  after: fc.nat(5),
  later: fc.option(fc.nat(5)),
  diesAfter: fc.option(fc.nat(40)),
  people: fc.array(person, { minLength: 1, maxLength: 3 }),
});

/** What a call ended with; errors that are allowed to happen are an outcome like any other. */
async function outcome<T>(work: () => Promise<T>, ...codes: readonly string[]): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CheckpointError && codes.includes(error.code)) return null;
    throw error;
  }
}

/** Ends after so many calls: who makes one more never hears of it. */
class Life {
  readonly ended: Promise<void>;
  #left: number;
  #end: () => void = () => undefined;

  constructor(calls: number) {
    this.#left = calls;
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  call(): Promise<void> {
    if (this.#left-- > 0) return Promise.resolve();
    this.#end();
    return new Promise(() => undefined);
  }
}

/** Runs a story with its calls of the store in the order that the scheduler says; answers the pins that were granted. */
async function play(
  told: Story,
  scheduler: fc.Scheduler,
  store: MemoryStore,
  clock: ManualClock,
): Promise<readonly Pin[]> {
  const { options, before, after, later, diesAfter, people } = told;
  const first = await ChainOwner.start(store, clock, options);
  const there = await first.checkpoints(before, clock, MINUTES_10);
  const paced = (who: string, mayGo = (): Promise<void> => Promise.resolve()): Store =>
    new PacedStore(store, async (call) => {
      await scheduler.schedule(Promise.resolve(), `${who} ${call}`);
      await mayGo();
    });
  const running = await ChainOwner.start(store, clock, options);
  const work: Promise<unknown>[] = [];
  const granted: Pin[] = [];
  const life = new Life(diesAfter ?? Number.POSITIVE_INFINITY);
  const slow = paced('owner', () => life.call());
  work.push(Promise.race([outcome(() => goOn(running, slow, clock, options, after), 'FENCED'), life.ended]));
  if (later !== null) {
    const heir = async (): Promise<void> => {
      const owner = await ChainOwner.start(paced('heir'), clock, options);
      await owner.checkpoints(later, clock, MINUTES_10);
    };
    work.push(outcome(heir, 'FENCED', 'CHECKPOINT_DAMAGED'));
  }
  for (const [index, { back, label, unpins }] of people.entries()) {
    const own = paced(`person ${index}`);
    const position = there.at(-1 - (back % there.length)) ?? 0;
    const act = async (): Promise<void> => {
      const place = { store: own, job: JOB, now: () => clock.now() };
      const pin = await pinCheckpoint(place, position, { label, wish: null, verify: 'whole' });
      if (unpins) await unpinCheckpoint(own, JOB, position);
      else granted.push(pin);
    };
    work.push(outcome(act, 'CHECKPOINT_DAMAGED', 'CHECKPOINT_UNKNOWN', 'PIN_REFUSED', 'PIN_TAKEN', 'PIN_UNKNOWN'));
  }
  await scheduler.waitFor(Promise.all(work));
  return granted;
}

/** The owner that runs, from now on over a store that is slow. */
async function goOn(
  { log, term, lastCut }: ChainOwner,
  store: Store,
  clock: ManualClock,
  options: ChainOptions,
  checkpoints: number,
): Promise<void> {
  const owner = await ChainOwner.resume(store, clock, options, { position: log.last, term, cut: lastCut });
  await owner.checkpoints(checkpoints, clock, MINUTES_10);
}

async function assertWhole(store: Store, pins: readonly Pin[]): Promise<void> {
  for (const pin of pins) {
    const { hash, parts } = await readCheckpoint(store, { job: JOB, position: pin.position });
    expect(hash).toBe(pin.hash);
    for (const part of parts) expect(part.ok, `part of pinned checkpoint ${pin.position}`).toBe(true);
  }
  expect((await verifyLog(store, JOB, null)).findings).toEqual([]);
  const labels = pins.flatMap(({ label }) => (label === null ? [] : [label]));
  expect(new Set(labels).size).toBe(labels.length);
}

describe('whoever pins while passes go on, owners die and others take over', () => {
  it('is refused, or the checkpoint stays whole for ever, in every order of calls (C31, C32)', async () => {
    let grantedBelow = 0;
    let refusedAll = 0;
    const property = fc.asyncProperty(fc.scheduler(), story, async (scheduler, told) => {
      const store = new MemoryStore('race');
      const clock = new ManualClock();
      const granted = await play(told, scheduler, store, clock);
      if (granted.length === 0) refusedAll++;
      await assertWhole(store, granted);
      // And what the next owner removes is none of it.
      const next = await ChainOwner.start(store, clock, told.options);
      await next.checkpoints(12, clock, MINUTES_10);
      expect(next.warnings).toEqual([]);
      await assertWhole(store, granted);
      const log = await Log.open(store, JOB, clock);
      grantedBelow += granted.filter(({ position }) => position < log.first).length;
      const options = { fresh: false, acceptDuplicates: true, command: String, warn: () => undefined };
      for (const { position } of granted) {
        const { checkpoint } = await choose(log, store, JOB, { ...options, from: position });
        expect(checkpoint?.record.position).toBe(position);
      }
      const marks = await listMarks(store, JOB);
      for (const { position } of granted) expect(isMarked(marks, position)).toBe(true);
      // Nothing that was given up is left over.
      expect(marks.ending.size).toBe(0);
    });
    await fc.assert(property, { numRuns: RUNS });
    // Else it would be no race.
    expect(grantedBelow).toBeGreaterThan(RUNS / 10);
    expect(refusedAll).toBeGreaterThan(RUNS / 20);
  }, 120_000);
});
