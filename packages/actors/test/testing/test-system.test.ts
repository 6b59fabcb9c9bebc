import { fake, forSeeds, testSystem, type TestSystem } from '@tidemark/actors/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Account, Rates, seen, Teller } from './bank.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

beforeEach(() => {
  seen.length = 0;
});

function money(system: TestSystem): number {
  const cut = system.cut();
  let sum = 0;
  for (const { balance } of cut.states(Account).values()) sum += balance;
  for (const [amount] of cut.messages(Account, 'deposit')) sum += amount;
  return sum;
}

const accounts = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Everybody pays everybody; answers what a test of seeds needs. */
function payAll(system: TestSystem): void {
  for (const from of accounts) {
    for (const to of accounts) void system.tell(system.ref(Account, from)).pay(to, 3);
  }
}

describe('testSystem', () => {
  test('answers asks, runs calls, services and timers', async () => {
    const system = testSystem({ workers: 3 });
    const teller = system.ref(Teller, 't');
    await system.tell(teller).exchange(system.ref(Account, 'a'), 'EUR');
    await system.run();
    expect(await system.ask(teller).got()).toEqual(['EUR 3']);
    expect(await system.ask(Rates).rate('EU')).toBe(2);
    await system.tell(teller).closeIn(60_000);
    await system.advance(59_999);
    expect(system.state(teller)?.got).toEqual(['EUR 3']);
    await system.advance(1);
    expect(system.state(teller)?.got).toEqual(['EUR 3', `closed at ${START + 60_000}`]);
    expect(system.state(system.ref(Account, 'nobody'))).toBeUndefined();
  });

  test('shows states as read-only copies with maps for tables', async () => {
    const system = testSystem();
    await system.tell(system.ref(Account, 'a')).pay('b', 3);
    await system.run();
    const states = system.states(Account);
    expect([...states.keys()].sort()).toEqual(['a', 'b']);
    expect(states.get('a')).toEqual({ balance: 97, rows: new Map([['b', { amount: 3 }]]) });
    expect(() => Object.assign(states.get('a')!, { balance: 1 })).toThrow(TypeError);
  });

  test('runs the same turns in the same order for the same seed, and others for others', async () => {
    const orders = new Set<string>();
    const orderOf = async (seed: number): Promise<string> => {
      const system = testSystem({ seed, workers: 3 });
      payAll(system);
      void system.tell(system.ref(Teller, 't')).exchange(system.ref(Account, 'a'), 'EUR');
      void system.tell(system.ref(Teller, 'u')).exchange(system.ref(Account, 'b'), 'CHF');
      await system.run();
      return system.turns.join('\n');
    };
    for (let seed = 1; seed <= 20; seed++) {
      const order = await orderOf(seed);
      expect(await orderOf(seed)).toBe(order);
      orders.add(order);
    }
    expect(orders.size).toBeGreaterThan(15);
  });

  test('keeps the order from any sender to any receiver', async () => {
    await forSeeds(30, async (seed) => {
      const system = testSystem({ seed, workers: 3 });
      const notes = Array.from({ length: 50 }, (_, n) => String(n));
      for (const note of notes) void system.tell(system.ref(Teller, 't')).note(note);
      await system.run();
      expect(system.state(system.ref(Teller, 't'))?.got).toEqual(notes);
    });
  });

  test('delivers in another order to a receiver from two senders', async () => {
    const first = new Set<string>();
    await forSeeds(40, async (seed) => {
      const system = testSystem({ seed, workers: 3 });
      // Their homes differ, and the answers of both come to one.
      for (const key of accounts) void system.tell(system.ref(Teller, 't')).exchange(system.ref(Account, key), key);
      await system.run();
      first.add(system.state(system.ref(Teller, 't'))!.got.join());
    });
    expect(first.size).toBeGreaterThan(5);
  });

  test('takes the production path between threads: money lies on the way', async () => {
    let moments = 0;
    await forSeeds(12, async (seed) => {
      const system = testSystem({ seed, workers: 3 });
      payAll(system);
      let steps = 0;
      while (system.step(1) > 0) {
        // Looking moves nothing: else it would never end.
        expect(++steps).toBeLessThan(2_000);
        const cut = system.cut();
        if (cut.messages(Account, 'deposit').length > 0) moments++;
        expect(money(system)).toBe(cut.states(Account).size * 100);
      }
    });
    expect(moments).toBeGreaterThan(100);
  });

  test('draws chance by the seed', async () => {
    const draw = async (seed: number): Promise<number> => {
      const system = testSystem({ seed });
      return system.ask(system.ref(Account, 'a')).chance();
    };
    expect(await draw(1)).toBe(await draw(1));
    expect(await draw(1)).not.toBe(await draw(2));
  });

  test('has services do something else', async () => {
    const system = testSystem({ services: [fake(Rates, { rate: (_ctx, currency) => currency.length * 10 })] });
    expect(await system.ask(Rates).rate('EUR')).toBe(30);
    const teller = system.ref(Teller, 't');
    await system.tell(teller).exchange(system.ref(Account, 'a'), 'EUR');
    await system.run();
    expect(await system.ask(teller).got()).toEqual(['EUR 30']);
    expect(seen).toEqual([]);
    expect(await testSystem().ask(Rates).rate('EUR')).toBe(3);
  });

  test('gives the error of a handler to whoever runs or asks, and is over', async () => {
    const system = testSystem();
    await system.tell(system.ref(Account, 'a')).fail();
    await expect(system.run()).rejects.toMatchObject({
      code: 'TURN_THREW',
      message: 'kit-bank-account/a fail: it broke',
    });
    expect(() => system.states(Account)).toThrow('it broke');
    const asked = testSystem();
    await expect(asked.ask(asked.ref(Account, 'a')).fail()).rejects.toThrow('it broke');
  });

  test('misses no error at the end of `await using`, and tells none twice', async () => {
    const missed = testSystem();
    void missed.tell(missed.ref(Account, 'a')).fail();
    await expect(missed[Symbol.asyncDispose]()).rejects.toThrow('it broke');
    const told = testSystem();
    void told.tell(told.ref(Account, 'a')).fail();
    await expect(told.run()).rejects.toThrow('it broke');
    await told[Symbol.asyncDispose]();
  });

  test('gives the code of a Refusal to whoever asks', async () => {
    const system = testSystem();
    const asked = system.ask(system.ref(Account, 'a')).withdraw(1_000);
    await expect(asked).rejects.toMatchObject({ code: 'TOO_LITTLE' });
  });

  test('an ask that nobody answers times out when time comes', async () => {
    const never = fake(Rates, { rate: () => new Promise<number>(() => undefined) });
    const system = testSystem({ services: [never] });
    const asked = system.ask(Rates, { timeoutMs: 500 }).rate('EUR');
    await system.advance(499);
    const early = await Promise.race([asked.then(() => 'settled'), Promise.resolve('open')]);
    expect(early).toBe('open');
    await system.advance(1);
    await expect(asked).rejects.toMatchObject({ code: 'ASK_TIMEOUT' });
  });

  test('TEST_NOT_QUIET: names what goes on for ever', async () => {
    const system = testSystem({ stepsMax: 200 });
    await system.tell(system.ref(Account, 'a')).forever();
    await expect(system.run()).rejects.toMatchObject({
      code: 'TEST_NOT_QUIET',
      message: expect.stringContaining('kit-bank-account/a forever') as unknown,
    });
    const stepped = testSystem();
    await stepped.tell(stepped.ref(Account, 'a')).forever();
    expect(stepped.step(100)).toBe(100);
    stepped.stop();
  });

  test('sends more than there is room for', async () => {
    const system = testSystem({ workers: 1 });
    const teller = system.ref(Teller, 't');
    const sent = Array.from({ length: 50_000 }, () => system.tell(system.ref(Account, 'a')).deposit(1));
    await Promise.all(sent);
    await system.tell(teller).note('last');
    await system.run();
    expect(system.state(system.ref(Account, 'a'))?.balance).toBe(50_100);
  });

  test.each([
    [{ workers: 0 }, 'workers: 0; expected a whole number from 1'],
    [{ seed: 0.5 }, 'seed: 0.5; expected'],
    [{ stepsMax: -1 }, 'stepsMax: -1; expected'],
  ])('TEST_OPTIONS: %j', (options, message) => {
    expect(() => testSystem(options)).toThrow(message);
  });
});

describe('faults', () => {
  test('a checkpoint at any moment, and a crash: nothing is lost and nothing done twice, with any number of workers', async () => {
    let onTheWay = 0;
    await forSeeds(200, async (seed) => {
      const system = testSystem({ seed, workers: 1 + (seed % 4) });
      payAll(system);
      system.step(seed % 60);
      onTheWay += system.cut().messages(Account, 'deposit').length;
      system.checkpoint();
      system.step(seed % 7);
      system.crash({ workers: 1 + (seed % 3) });
      await system.run();
      expect(money(system)).toBe(accounts.length * 100);
      const rows = [...system.states(Account).values()].map(({ rows: { size } }) => size);
      expect(rows).toEqual(accounts.map(() => accounts.length));
    });
    expect(onTheWay).toBeGreaterThan(100);
  });

  test('a restore between any two things that happen changes no end', async () => {
    await forSeeds(8, async (seed) => {
      const system = testSystem({ seed, workers: 2 });
      payAll(system);
      const teller = system.ref(Teller, 't');
      void system.tell(teller).exchange(system.ref(Account, 'g'), 'EUR');
      let steps = 0;
      while (system.step(1) > 0 && steps++ < 500) {
        system.checkpoint();
        system.rollback();
      }
      await system.run();
      expect(money(system)).toBe(accounts.length * 100 + 99);
      expect(system.state(teller)?.got).toEqual(['EUR 3']);
      for (const { rows } of [...system.states(Account).values()].slice(0, accounts.length)) {
        expect(rows.size === accounts.length || rows.size === 0).toBe(true);
      }
    });
  });

  test('what came after the checkpoint is lost in a crash, and who asked is told', async () => {
    const system = testSystem();
    const a = system.ref(Account, 'a');
    await system.tell(a).deposit(1);
    await system.run();
    system.checkpoint();
    await system.tell(a).deposit(10);
    await system.run();
    expect(system.state(a)?.balance).toBe(111);
    const asked = system.ask(a).balance();
    system.crash({ workers: 5 });
    await expect(asked).rejects.toMatchObject({ code: 'SYSTEM_STOPPED' });
    expect(system.state(a)?.balance).toBe(101);
    expect(system.workers).toBe(5);
    expect(await system.ask(a).balance()).toBe(101);
  });

  test('a rollback keeps asks from before the checkpoint, and repeats those with a request id', async () => {
    await forSeeds(20, async (seed) => {
      const system = testSystem({ seed });
      const a = system.ref(Account, 'a');
      const before = system.ask(a).withdraw(1);
      system.step(seed % 4);
      system.checkpoint();
      const later = system.ask(a).withdraw(1);
      const named = system.ask(a, { requestId: 'r' }).withdraw(1);
      system.step(seed % 9);
      system.rollback();
      await system.run();
      expect(await before).toBe(99);
      await expect(later).rejects.toMatchObject({ code: 'ROLLED_BACK' });
      expect(await named).toBe(98);
    });
  });

  test('a thread that dies takes the services with it that it ran', async () => {
    const never = fake(Rates, { rate: () => new Promise<number>(() => undefined) });
    const system = testSystem({ workers: 1, services: [never] });
    const asked = system.ask(Rates).rate('EUR');
    await system.run();
    system.rollback({ lost: [1] });
    await expect(asked).rejects.toMatchObject({ code: 'SERVICE_INTERRUPTED' });
  });

  test('a question to a service is asked again after a crash, with the same id', async () => {
    const system = testSystem({ seed: 3 });
    const teller = system.ref(Teller, 't');
    await system.tell(teller).exchange(system.ref(Account, 'a'), 'EUR');
    while (seen.length === 0) system.step(1);
    system.checkpoint();
    system.crash();
    await system.run();
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(seen[1]);
    expect(system.state(teller)?.got).toEqual(['EUR 3']);
  });

  test('each question to a service is asked once more after a crash at any moment', async () => {
    let asked = 0;
    await forSeeds(60, async (seed) => {
      const system = testSystem({ seed, workers: 3 });
      const teller = system.ref(Teller, 't');
      for (const key of accounts) await system.tell(teller).exchange(system.ref(Account, key), key);
      system.step(seed);
      system.checkpoint();
      seen.length = 0;
      system.crash({ workers: 1 + (seed % 3) });
      await system.run();
      expect(new Set(seen).size).toBe(seen.length);
      expect([...system.state(teller)!.got].sort()).toEqual(accounts.map((key) => `${key} 1`));
      asked += seen.length;
    });
    expect(asked).toBeGreaterThan(60);
  });

  test('timers go off after a crash', async () => {
    const system = testSystem();
    const teller = system.ref(Teller, 't');
    await system.tell(teller).closeIn(1_000);
    await system.run();
    system.checkpoint();
    system.crash({ workers: 3 });
    await system.advance(1_000);
    expect(system.state(teller)?.got).toEqual([`closed at ${START + 1_000}`]);
  });

  test('goes back for a turn that throws, sets its message aside the second time, and sends it again', async () => {
    const system = testSystem({ onThrow: 'rollback' });
    const a = system.ref(Account, 'a');
    await system.tell(a).deposit(1);
    await system.tell(a).fail();
    await system.tell(a).deposit(2);
    system.checkpoint();
    await system.run();
    expect(system.rollbacks).toBe(1);
    expect(system.state(a)?.balance).toBe(103);
    expect(system.letters).toMatchObject([{ actor: a, handler: 'fail', message: 'it broke' }]);
    expect(await system.resend(system.letters[0])).toBe(true);
    await system.run();
    expect(system.letters).toHaveLength(1);
    expect(await system.discard(system.letters[0])).toBe(true);
    expect(system.letters).toEqual([]);
    expect(system.rollbacks).toBe(1);
  });

  test('an answer that waits for a checkpoint comes with it', async () => {
    const system = testSystem();
    const asked = system.ask(system.ref(Account, 'a'), { release: 'after-checkpoint' }).withdraw(1);
    let isThere = false;
    void asked.then(() => (isThere = true));
    await system.run();
    expect(isThere).toBe(false);
    system.checkpoint();
    expect(await asked).toBe(99);
  });
});

describe('forSeeds', () => {
  test('TEST_SEED_FAILED: names the seed that fails, and how to run it alone', async () => {
    const cause = new RangeError('seven is bad');
    const ran: number[] = [];
    const run = forSeeds({ seeds: 5, from: 5 }, (seed) => {
      ran.push(seed);
      if (seed === 7) throw cause;
    });
    await expect(run).rejects.toMatchObject({
      code: 'TEST_SEED_FAILED',
      message: 'seed 7 fails: seven is bad\nagain: forSeeds({ from: 7, seeds: 1 }, …)',
      cause,
    });
    expect(ran).toEqual([5, 6, 7]);
    await expect(forSeeds(0, () => undefined)).rejects.toMatchObject({ code: 'TEST_OPTIONS' });
  });
});
