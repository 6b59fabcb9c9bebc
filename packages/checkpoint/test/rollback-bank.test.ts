import { describe, expect, test, vi } from 'vitest';
import { Account, ACCOUNTS, INJECTED, OPENING } from './fixtures/bank.mjs';
import { countMoney, totalOf } from './support/money.ts';
import { keyAt, rollbacksOf, threadsOf } from './support/rollbacks.ts';
import { storedCheckpoints } from './support/stored.ts';
import { Systems } from './support/systems.ts';

// What hangs here waits for a system that has ended: that is soon seen.
vi.setConfig({ testTimeout: 60_000 });

const systems = new Systems();
const { rollbacks, rolledBack } = rollbacksOf(systems);

const bank = [new URL('fixtures/bank.mjs', import.meta.url), new URL('fixtures/actors.mjs', import.meta.url)];

describe('64 accounts sending each other money in cycles, while threads die under them', () => {
  test('no money is lost or made, in no stored checkpoint; living threads stay, dead ones are replaced', async () => {
    const workers = 3;
    const store = await systems.folder();
    const system = await systems.start({ actors: bank, store, workers, schedule: '20ms', keep: Infinity });
    for (let key = 0; key < ACCOUNTS; key++) await system.tell(system.ref(Account, String(key))).receive(INJECTED);
    await Promise.all(
      Array.from({ length: ACCOUNTS }, (_, key) => system.ask(system.ref(Account, String(key))).balance()),
    );
    const { position: ready } = await system.checkpoint();
    let threads = await threadsOf(system, workers);
    const waysToDie = ['exit', 'fail', 'exit', 'exit', 'fail', 'exit'] as const;
    for (const [round, way] of waysToDie.entries()) {
      const dying = 1 + (round % workers);
      const account = system.ref(Account, keyAt('account', dying, workers, round));
      // A new one each time, as one that threw before is careful. No checkpoint holds it: what it does is undone.
      const token = `${store}/died-${round}`;
      if (way === 'exit') await system.tell(account).exit(token);
      else await system.tell(account).fail(token);
      const event = await rolledBack(round + 1);
      expect(event).toMatchObject({
        generation: round + 2,
        code: way === 'exit' ? 'WORKER_LOST' : 'TURN_THREW',
        position: expect.any(Number),
      });
      const now = await threadsOf(system, workers);
      for (let worker = 1; worker <= workers; worker++) {
        const isSame = now[worker - 1] === threads[worker - 1];
        expect([round, worker, isSame]).toEqual([round, worker, way === 'fail' || worker !== dying]);
      }
      threads = now;
      // The next one must not be without a new checkpoint.
      await system.checkpoint();
    }
    await system.stop();

    const checkpoints = (await storedCheckpoints(store)).filter(({ record }) => record.position >= ready);
    expect(checkpoints.length).toBeGreaterThan(waysToDie.length);
    // All in one term: going back inside the process abandons nothing that was published.
    expect(new Set(checkpoints.map(({ record }) => record.term))).toEqual(new Set([1]));
    const cuts = checkpoints.map(({ record }) => record.cut);
    expect(cuts).toEqual([...new Set(cuts)].sort((a, b) => a - b));
    const wrong = checkpoints
      .map(({ record, parts }) => ({ position: record.position, money: countMoney(parts) }))
      .filter(({ money }) => totalOf(money) !== ACCOUNTS * (OPENING + INJECTED) + extra(money.accounts));
    expect(wrong).toEqual([]);
    console.log(
      `from death to the first turn: ${rollbacks()
        .map(({ durationMs }) => `${durationMs} ms`)
        .join(', ')}`,
    );
  });
});

/** Accounts that the test itself has opened by asking them to die were undone; none may be left. */
function extra(accounts: number): number {
  return (accounts - ACCOUNTS) * OPENING;
}
