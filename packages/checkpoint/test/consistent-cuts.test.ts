import { actor } from '@tidemark/actors';
import { expect, test } from 'vitest';
import { ACCOUNTS, OPENING } from './fixtures/bank.mjs';
import { Chance } from '@tidemark/actors/testing/internal';
import { countMoney, type Money, totalOf } from './support/money.ts';
import { Simulation, type WholeCut } from './support/simulation.ts';

const SEEDS = 300;
const STEPS = 600;
const STEPS_AFTER_RESTORE = 200;
const CLERKS = 8;

/**
 * Sends numbered letters in circles, large enough to fill the windows of channels. A letter that is lost, doubled or out of
 * order between any two clerks throws, here and after every restore.
 */
const Clerk = actor('clerk', {
  state: (key) => ({ seed: Number(key) + 1, sent: {} as Record<string, number>, got: {} as Record<string, number> }),
  on: {
    letter(ctx, from: string, n: number, _ballast: string): void {
      const { state } = ctx;
      const expected = state.got[from] ?? 0;
      if (from !== 'host' && n !== expected)
        throw new Error(`letter ${n} from ${from} to ${ctx.key}, expected ${expected}`);
      state.got[from] = expected + 1;
      state.seed = (Math.imul(state.seed, 1103515245) + 12345) & 0x7fffffff;
      const to = String((state.seed >>> 8) % CLERKS);
      const next = state.sent[to] ?? 0;
      state.sent[to] = next + 1;
      ctx.tell(ctx.ref(Clerk, to)).letter(ctx.key, next, 'x'.repeat((state.seed >>> 4) % 100_000));
    },
  },
});

/** The host's part of the bank: opens accounts by a first payment of 1, and letters to clerks. */
class HostSends {
  payments = 0;
  readonly #chance: Chance;
  readonly #opened = new Set<number>();

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  send(simulation: Simulation): void {
    const account = this.#chance.below(ACCOUNTS);
    if (this.#opened.has(account)) return;
    this.#opened.add(account);
    this.payments++;
    simulation.send({ type: 'account', key: String(account), handler: 'receive', args: [1] });
    if (account < CLERKS)
      simulation.send({ type: 'clerk', key: String(account), handler: 'letter', args: ['host', 0, ''] });
  }
}

/** What was seen over all seeds: a test in which nothing happened would pass, too. */
const seen = { whole: 0, begun: 0, restored: 0, mail: 0, channels: 0, outboxes: 0, longestChain: 0 };

test(`every whole cut conserves the money and keeps every order, also restored to other numbers of workers (${SEEDS} seeds)`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  expect(seen.whole).toBeGreaterThan(SEEDS * 4);
  expect(seen.longestChain).toBeGreaterThan(1);
  expect(seen.begun - seen.whole).toBeGreaterThan(SEEDS);
  expect(seen.restored).toBeGreaterThan(SEEDS * 0.9);
  for (const where of ['mail', 'channels', 'outboxes'] as const) expect(seen[where]).toBeGreaterThan(SEEDS);
});

function run(seed: number): void {
  const chance = new Chance(seed);
  const host = new HostSends(chance);
  const simulation = new Simulation(chance, 3, () => host.payments).go();
  const stepsPerCut = chance.pick([30, 100, 300]);
  for (let i = 0; i < STEPS; i++) {
    if (chance.isTrue(0.3)) host.send(simulation);
    if (chance.isTrue(1 / stepsPerCut)) simulation.beginCut();
    simulation.step();
  }
  finishCut(simulation);
  note(simulation);
  for (const whole of simulation.whole) assertConserved(countMoney(whole.parts), whole.atFlip);
  restoreAndGoOn(chance, chance.pick(simulation.whole));
}

/** From any cut, at any number of workers; and once more from a cut of that. */
function restoreAndGoOn(chance: Chance, from: WholeCut): void {
  let last = from;
  for (let times = 0; times < 2; times++) {
    const simulation = Simulation.restored(chance, 1 + chance.below(5), last, () => from.atFlip).go();
    for (let i = 0; i < STEPS_AFTER_RESTORE; i++) {
      if (chance.isTrue(1 / 100)) simulation.beginCut();
      simulation.step();
    }
    finishCut(simulation);
    note(simulation);
    seen.restored++;
    for (const whole of simulation.whole) assertConserved(countMoney(whole.parts), from.atFlip);
    last = chance.pick(simulation.whole);
  }
}

/** One cut that nobody abandons: it ends, whatever the mail. */
function finishCut(simulation: Simulation): void {
  simulation.beginCut();
  for (let i = 0; simulation.whole.at(-1)?.cut !== simulation.begun; i++) {
    if (i > 20_000 || !simulation.step()) throw new Error(`cut ${simulation.begun} does not end`);
  }
}

function assertConserved(money: Money, payments: number): void {
  expect(totalOf(money)).toBe(money.accounts * OPENING + payments);
}

function note(simulation: Simulation): void {
  seen.whole += simulation.whole.length;
  seen.begun += simulation.begun - simulation.first;
  seen.longestChain = Math.max(seen.longestChain, simulation.longestChain);
  for (const { parts } of simulation.whole) {
    seen.mail += parts.reduce((sum, { mail }) => sum + mail.length, 0);
    seen.channels += parts.reduce((sum, { channels }) => sum + channels.length, 0);
    seen.outboxes += parts.reduce((sum, { outboxes }) => sum + outboxes.length, 0);
  }
}
