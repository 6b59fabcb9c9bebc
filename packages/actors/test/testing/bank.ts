import { actor, type Ref, Refusal, type Reply, service, table } from '@tidemark/actors';

export const Account = actor('kit-bank-account', {
  state: () => ({ balance: 100, rows: table<string, { amount: number }>() }),
  on: {
    deposit(ctx, amount: number): void {
      ctx.state.balance += amount;
    },
    withdraw(ctx, amount: number): number {
      if (ctx.state.balance < amount) throw new Refusal('TOO_LITTLE');
      return (ctx.state.balance -= amount);
    },
    /** Money is on its way between the two. */
    pay(ctx, to: string, amount: number): void {
      ctx.state.balance -= amount;
      ctx.state.rows.set(to, { amount });
      ctx.tell(ctx.ref(Account, to)).deposit(amount);
    },
    balance: (ctx): number => ctx.state.balance,
    fail(ctx): void {
      ctx.state.balance = 1e6;
      throw new TypeError('it broke');
    },
    chance: (ctx): number => ctx.random(),
    forever(ctx): void {
      ctx.tell(ctx.ref(Account, ctx.key)).forever();
    },
  },
});

/** Calls of the service in this process. */
export const seen: string[] = [];

export const Rates = service('kit-bank-rates', {
  async rate(ctx, currency: string): Promise<number> {
    seen.push(ctx.callId);
    await Promise.resolve();
    return currency.length;
  },
});

export const Teller = actor('kit-bank-teller', {
  state: () => ({ got: [] as string[] }),
  on: {
    exchange(ctx, from: Ref<typeof Account>, currency: string): void {
      ctx.call(from).withdraw(1).into(Teller, 'withdrawn', currency);
    },
    withdrawn(ctx, answer: Reply<number>, currency: string): void {
      if (answer.ok) ctx.call(Rates).rate(currency).into(Teller, 'rated', currency);
      else ctx.state.got.push(answer.code);
    },
    rated(ctx, answer: Reply<number>, currency: string): void {
      ctx.state.got.push(answer.ok ? `${currency} ${answer.value}` : answer.code);
    },
    closeIn(ctx, delayMs: number): void {
      ctx.after(delayMs, 'close').into(Teller, 'close');
    },
    close(ctx): void {
      ctx.state.got.push(`closed at ${ctx.now()}`);
    },
    note(ctx, what: string): void {
      ctx.state.got.push(what);
    },
    got: (ctx): string[] => ctx.state.got,
  },
});
