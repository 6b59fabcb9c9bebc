import { mkdirSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLog } from '@tidemark/checkpoint/internal';
import { openFolderStore } from '@tidemark/stores';
import { Chance } from '@tidemark/actors/testing/internal';
import { afterwards } from './afterwards.ts';
import { delay, LedgerProcess, type RunOptions } from './child.ts';
import { Stores } from './phases.ts';
import { SEED, shareOf, TIMEOUT_MS, whole } from './share.ts';

const RACES = 60;
const ZOMBIES = 60;
const STOPPED_AFTER_MS_MAX = 60;
/** Enough for a pass of retention, so that the name which the sleeper would lose is gone. */
const CHECKPOINTS_MEANWHILE = 62;
const KEEP = 3;

/** The same with real processes. */
export function zombies(): void {
  describe('processes of one job over one folder', () => {
    let stores: Stores;
    let runs = 0;
    const running: LedgerProcess[] = [];
    beforeAll(() => void (stores = new Stores()));
    afterAll(async () => {
      for (const process of running) await process.kill();
      stores.remove();
    });
    const run = (options: RunOptions): LedgerProcess => {
      const process = new LedgerProcess(options);
      running.push(process);
      return process;
    };

    it('that start at one moment, each blind to the other: one wins, and nothing of the other counts', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const races = shareOf(RACES);
      const codes = new Map<string, number>();
      for (let n = 0; n < races; n++) {
        const place = await newPlace();
        const both = [0, 1].map(() => run({ ...place, blind: true, gate: true, keep: KEEP }));
        await Promise.all(both.map((process) => process.hearSurely('waiting')));
        for (const process of both) process.say('go');
        for (const process of both) process.say('loop');
        const loser = await firstToEnd(both);
        const winner = both.find((process) => process !== loser)!;
        await assertLoser(place, loser, winner);
        const code = loser.ended?.[0]?.code ?? '';
        codes.set(code, (codes.get(code) ?? 0) + 1);
        await finish(place, winner, () => 'it goes round by itself');
      }
      const ended = [...codes].map(([code, count]) => `${count} ${code}`).join(', ');
      console.log(`two owners: ${races} races of processes, one winner each; the losers ended with ${ended}`);
    });

    it('one of which is stopped while another takes over and goes on: it wakes, ends with FENCED, and did nothing', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const count = shareOf(ZOMBIES);
      const chance = new Chance(SEED);
      let byBoundary = 0;
      for (let n = 0; n < count; n++) {
        const place = await newPlace();
        const sleeper = run({ ...place, keep: KEEP });
        await sleeper.hearSurely('ready');
        sleeper.say('loop');
        await sleeper.hearSurely('acked');
        await delay(chance.below(STOPPED_AFTER_MS_MAX));
        sleeper.stopForNow();
        // It is alive, and only somebody who does not see that takes its place.
        const winner = run({ ...place, blind: true, keep: KEEP });
        await winner.hearSurely('ready');
        for (let i = 0; i < CHECKPOINTS_MEANWHILE; i++) await winner.checkpoint('light');
        await winner.quiet();
        sleeper.goOn();
        await assertLoser(place, sleeper, winner);
        expect(sleeper.ended?.[0]?.code).toBe('FENCED');
        if (sleeper.ended?.[0]?.text.includes('/gc/') === true) byBoundary++;
        await finish(place, winner, () => winner.say('checkpoint'));
      }
      console.log(
        `two owners: ${count} processes stopped and woken${whole ? '' : `, seed ${SEED}`}, each ended with FENCED and had no effect; ` +
          `${byBoundary} had put a record whose name was free again, and found the boundary`,
      );
    });

    if (!whole) return;
    it('one of which is stopped, on another machine: who watches it for a while takes over', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const place = await newPlace();
      const sleeper = run({ ...place, elsewhere: 'far' });
      await sleeper.hearSurely('ready');
      sleeper.say('loop');
      await sleeper.hearSurely('acked');
      const early = run(place);
      await early.end();
      expect(early.ended?.[0]?.code).toBe('ALREADY_RUNNING');
      sleeper.stopForNow();
      const winner = run(place);
      await winner.hearSurely('ready');
      expect(await winner.checkpoint()).toBeTruthy();
      sleeper.goOn();
      await assertLoser(place, sleeper, winner);
      expect(sleeper.ended?.[0]?.code).toBe('FENCED');
      await finish(place, winner, () => winner.say('checkpoint'));
    });

    async function newPlace(): Promise<Place> {
      const out = stores.file(`out-${++runs}`);
      mkdirSync(out);
      return { store: await stores.with(0), out };
    }

    /** The winner goes on; then it is killed, and a new start has all that it acknowledged. */
    async function finish(place: Place, winner: LedgerProcess, goOn: () => unknown): Promise<void> {
      const before = winner.acks.length;
      goOn();
      while (winner.acks.length === before && !winner.isGone) await delay(2);
      expect(winner.ended).toBeNull();
      const acked = winner.acks.at(-1) ?? null;
      await winner.kill();
      await afterwards(place.store, acked);
      stores.remove(place.store);
    }
  });
}

interface Place {
  readonly store: string;
  readonly out: string;
}

async function firstToEnd(both: readonly LedgerProcess[]): Promise<LedgerProcess> {
  for (;;) {
    const ended = both.find((process) => process.isGone);
    if (ended !== undefined) return ended;
    await delay(2);
  }
}

/** It ended by itself, with a code; and of what it did, only what came before the winner's term is there. */
async function assertLoser(place: Place, loser: LedgerProcess, winner: LedgerProcess): Promise<void> {
  await loser.end();
  expect({ status: loser.status, signal: loser.signal, errors: loser.errors }).toEqual({
    status: 70,
    signal: null,
    errors: '',
  });
  expect(['FENCED', 'ALREADY_RUNNING']).toContain(loser.ended?.[0]?.code);
  // The record is there before its process can say so.
  while (winner.term === 0 && !winner.isGone) await delay(2);
  expect(winner.ended).toBeNull();
  const { lines } = await readLog(await openFolderStore(place.store), 'main');
  const terms = lines.map((line) => ('record' in line ? line.record.term : 0));
  expect(winner.term, 'the winner is the last owner').toBe(Math.max(...terms));
  // All that it published, the winner went on from; of the rest, nobody saw anything.
  const seen = readdirSync(place.out).flatMap((name) =>
    name.endsWith(`-${loser.pid}`) ? [Number(name.split('-')[0])] : [],
  );
  expect(
    seen.sort((a, b) => a - b),
    'what the loser let out',
  ).toEqual(loser.published);
  expect(Math.max(0, ...seen), 'what the loser let out last').toBeLessThanOrEqual(winner.from);
}
