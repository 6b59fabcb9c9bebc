import { decodeRecord, Log } from '@tidemark/checkpoint/internal';
import { MemoryStore } from '@tidemark/stores';
import { expect, it } from 'vitest';
import { ManualClock, settled } from '../../actors/test/support/manual-clock.ts';
import { Chance } from '@tidemark/actors/testing/internal';
import { bodyOf, JOB } from './support/job-log.ts';
import { sha256 } from './support/parts.ts';
import {
  carriedOut,
  type Doing,
  refused,
  replyLost,
  requestLost,
  ScriptedStore,
  storeError,
} from './support/scripted-store.ts';

const SEEDS = 150;
const STEPS = 80;
const OWNERS = 3;

/** What an owner was told of one put; the cut number of the record says which put it was. */
type Outcome = { readonly position: number } | { readonly code: string } | null;

interface Owner {
  readonly log: Log;
  busy: boolean;
}

/** Owners of one job that all believe in themselves, over a store that loses, delays and refuses. */
class Race {
  readonly outcomes: Outcome[] = [];
  readonly #chance: Chance;
  readonly #memory = new MemoryStore('race');
  readonly #store = new ScriptedStore(this.#memory);
  readonly #clock = new ManualClock();
  readonly #owners: Owner[] = [];
  /** Calls that the store will carry out some time, with nobody waiting for them. */
  readonly #late: (() => Promise<unknown>)[] = [];
  /** Nothing that is asked gets an answer; what is sent may be carried out all the same. */
  #away = false;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    this.#store.always('putIfAbsent', (carryOut) => this.#pickPut()(carryOut));
    this.#store.always('get', (carryOut) =>
      (this.#away || this.#chance.isTrue(0.1) ? refused('retry') : carriedOut)(carryOut),
    );
  }

  async step(): Promise<void> {
    const slot = this.#chance.below(OWNERS);
    const owner = this.#owners[slot];
    const what = this.#chance.fraction();
    if (owner === undefined || what < 0.1)
      this.#owners[slot] = { log: await Log.open(this.#store, JOB, this.#clock), busy: false };
    else if (what < 0.5 && !owner.busy) this.#put(owner);
    else if (what < 0.6) void this.#late.splice(this.#chance.below(this.#late.length), 1)[0]?.();
    else if (what < 0.65) this.#away = !this.#away;
    else await this.#clock.pass(this.#chance.pick([1, 500, 6_000]), 250);
    await settled();
  }

  /** All that is under way comes to its end. */
  async end(): Promise<void> {
    for (const carryOut of this.#late.splice(0)) await carryOut();
    await this.#clock.pass(70_000, 1_000);
    for (const carryOut of this.#late.splice(0)) await carryOut();
  }

  /** The records there, in order: without gaps, in one chain. Answers their cut numbers. */
  async chain(): Promise<number[]> {
    const names = await this.#memory.list(`${JOB}/log/`);
    let previous: string | null = null;
    const cuts: number[] = [];
    for (const [i, name] of names.entries()) {
      const bytes = await this.#memory.get(name);
      const record = decodeRecord(bytes, name);
      expect(record).toMatchObject({ kind: 'checkpoint', position: i + 1, previous });
      previous = sha256(bytes);
      if (record.kind === 'checkpoint') cuts.push(record.cut);
    }
    return cuts;
  }

  #put(owner: Owner): void {
    const cut = this.outcomes.push(null) - 1;
    owner.busy = true;
    owner.log.put(bodyOf({ cut }), 1).then(
      (position) => this.#told(owner, cut, { position }),
      (error: { readonly code: string }) => this.#told(owner, cut, { code: error.code }),
    );
  }

  #told(owner: Owner, cut: number, outcome: Outcome): void {
    this.outcomes[cut] = outcome;
    owner.busy = false;
  }

  #pickPut(): Doing {
    const late: Doing = (carryOut) => {
      this.#late.push(carryOut);
      return Promise.reject(storeError('lost'));
    };
    const inDoubt = [replyLost, requestLost, late];
    if (this.#away) return this.#chance.pick(inDoubt);
    return this.#chance.isTrue(0.6) ? carriedOut : this.#chance.pick([...inDoubt, refused('retry')]);
  }
}

it(`C11, C12: what each owner was told of its puts is what the log holds, whatever the store loses (${SEEDS} seeds)`, async () => {
  const seen = { stored: 0, FENCED: 0, LOG_UNSETTLED: 0, STORE_BUSY: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const race = new Race(seed);
    for (let i = 0; i < STEPS; i++) await race.step();
    await race.end();
    const cuts = await race.chain();
    for (const [cut, outcome] of race.outcomes.entries()) {
      expect(outcome, `seed ${seed}: a put that never ended`).not.toBeNull();
      if (outcome === null) continue;
      if ('position' in outcome) {
        seen.stored++;
        expect(cuts[outcome.position - 1], `seed ${seed}: position ${outcome.position}`).toBe(cut);
        continue;
      }
      seen[outcome.code as keyof typeof seen]++;
      // Only of a put in doubt nobody can say; all other failures mean that it is not there, and never will be.
      if (outcome.code !== 'LOG_UNSETTLED') expect(cuts, `seed ${seed}: ${outcome.code}`).not.toContain(cut);
    }
  }
  expect(seen.stored).toBeGreaterThan(SEEDS);
  expect(seen.FENCED).toBeGreaterThan(SEEDS / 4);
  expect(seen.LOG_UNSETTLED).toBeGreaterThan(SEEDS / 4);
  expect(seen.STORE_BUSY).toBeGreaterThan(SEEDS / 4);
});
