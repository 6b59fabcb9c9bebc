import { actor } from '@tidemark/actors';
import { messagesTo, unitsOf } from './contents.ts';
import { drive } from './driver.ts';
import { checkGate, newGate, passGate, ticksIn } from './gate.ts';
import type { ActorProgram } from './program.ts';

const ACCOUNTS = 12;
const OPENING = 1000;
const HOPS = 10;
/** Messages after which an account is closed and forgotten, on the average. */
const CLOSES_ONE_IN = 23;
const BALLAST_CHARS = 90_000;

/** Brings one coin into the world at each tick. */
const Mint = actor('sim.mint', {
  state: () => ({ ...newGate(), seed: 1 }),
  on: {
    tick(ctx, term: number, n: number, told: number, heavy: boolean, bulk: boolean): void {
      passGate(ctx.state, { term, n, told }, bulk);
      ctx.state.seed = next(ctx.state.seed);
      ctx.tell(ctx.ref(Account, accountOf(ctx.state.seed))).receive(1, HOPS, heavy, '');
    },
  },
});

/** Passes on some of what it gets, in circles; now and then it hands over everything and is no more. */
const Account = actor('sim.account', {
  state: (key) => ({ balance: OPENING, seed: 17 + Number(key) }),
  on: {
    receive(ctx, amount: number, hops: number, heavy: boolean, _ballast: string): void {
      const { state } = ctx;
      state.balance += amount;
      if (hops === 0) return;
      if ((state.seed >>> 11) % CLOSES_ONE_IN === 0) {
        // What it began with goes with it; what waits behind this message opens it anew.
        ctx.tell(ctx.ref(Account, accountOf(next(state.seed)))).receive(state.balance - OPENING, 0, false, '');
        ctx.forget();
        return;
      }
      // Now and then two go on, each with fewer hops left.
      state.seed = next(state.seed);
      const copies = (state.seed >>> 9) % 5 === 0 ? 2 : 1;
      for (let i = 0; i < copies; i++) {
        state.seed = next(state.seed);
        const gift = state.balance > 0 ? (state.seed >>> 7) % (state.balance + 1) : 0;
        state.balance -= gift;
        const ballast = heavy && (state.seed >>> 5) % 3 === 0 ? 'x'.repeat((state.seed >>> 3) % BALLAST_CHARS) : '';
        ctx
          .tell(ctx.ref(Account, accountOf(state.seed)))
          .receive(gift, Math.floor((hops - 1) / copies), heavy, ballast);
      }
    },
    read(_ctx, nonce: number): number {
      return nonce;
    },
  },
});

/** Accounts that send each other money without end: in no cut is any lost or made. */
export const bank: ActorProgram = {
  kind: 'actors',
  name: 'bank',
  start(host) {
    const { border, term, chance } = host;
    drive(host, {
      tick: (n, told) =>
        border
          .tell<typeof Mint>({ type: Mint.name, key: 'only' })
          .tick(term, n, told, host.heavy && chance.isTrue(0.2), host.bulk),
      ask: (nonce) =>
        border.ask<typeof Account>({ type: Account.name, key: accountOf(chance.below(9999)) }).read(nonce),
    });
  },
  check(parts) {
    const minted = checkGate(parts, Mint.name);
    const balances = unitsOf(parts, Account.name).map(({ value }) => (value as { balance: number }).balance);
    const moving = messagesTo(parts, Account.name, 'receive').map(({ args }) => args[0] as number);
    const expected = balances.length * OPENING + minted;
    const found = sum(balances) + sum(moving);
    if (found === expected) return;
    throw new Error(
      `money: ${sum(balances)} in ${balances.length} accounts and ${sum(moving)} in ${moving.length} messages are ${found}, not ${expected}`,
    );
  },
  ticksIn: (parts) => ticksIn(parts, Mint.name),
};

function accountOf(seed: number): string {
  return String((seed >>> 8) % ACCOUNTS);
}

function next(seed: number): number {
  return (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
