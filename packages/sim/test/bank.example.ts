import assert from 'node:assert/strict';
import { actor } from '@tidemark/actors';
import { simulate } from '@tidemark/sim';

const Account = actor('account', {
  state: () => ({ balance: 0 }),
  on: {
    pay(ctx, to: string, amount: number) {
      ctx.state.balance -= amount;
      ctx.tell(ctx.ref(Account, to)).receive(amount);
    },
    receive(ctx, amount: number) {
      ctx.state.balance += amount;
    },
  },
});

await simulate(
  {
    drive: (app, n) => app.tell(app.ref(Account, `a${n % 5}`)).pay(`a${(n + 2) % 5}`, 1),
    invariant(cut) {
      let money = 0;
      for (const { balance } of cut.states(Account).values()) money += balance;
      for (const [amount] of cut.messages(Account, 'receive')) money += amount;
      assert.equal(money, 0);
    },
  },
  { seeds: 20 },
);
