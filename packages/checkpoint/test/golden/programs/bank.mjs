import { actor, table } from '@tidemark/actors';

export const ACCOUNTS = 12;
export const OPENING = 1000;
/** What comes in from outside for each account, once: it starts the round. */
export const INJECTED = 7;
export const TOTAL = ACCOUNTS * (OPENING + INJECTED);

/** A pot with more than this is emptied, and its key is gone. */
const POT_MAX = 20;
/** More than a record takes: a part with this is a file of its own, and later ones build on it. */
const PAPERS = 450;
const PAPER_BYTES = 150;
/** Messages without money, many at once, now and then: frames of many messages. */
const NOTES = 150;
const NOTES_EVERY = 10;

/**
 * Money going round without end, of which some lies aside in pots (keys of a table) and some passes a till on the host.
 * Every unit has its money in `balance`, and only `receive` carries some.
 */
export const Account = actor('account', {
  state: (key) => ({
    balance: OPENING,
    seed: Number(key) + 1,
    turns: 0,
    next: { type: 'account', key: String((Number(key) + 1) % ACCOUNTS) },
    padding: new Uint8Array(0),
    pots: table(),
    papers: table(),
  }),
  on: {
    receive(ctx, amount) {
      const { state } = ctx;
      state.turns++;
      state.seed = (Math.imul(state.seed, 1103515245) + 12345) & 0x7fffffff;
      state.balance += amount;
      const pay = 1 + (state.seed % state.balance);
      state.balance -= pay;
      const aside = Math.min(3, pay - 1);
      const pot = `pot ${state.turns % 3}`;
      state.pots.update(
        pot,
        (money) => {
          money.balance += aside;
        },
        () => ({ balance: 0 }),
      );
      const inPot = state.pots.get(pot).balance;
      if (inPot > POT_MAX && state.pots.delete(pot)) state.balance += inPot;
      const far = ctx.ref(Account, String((state.seed >>> 8) % ACCOUNTS));
      const to = state.turns % 5 === 0 ? ctx.ref(Till, '') : state.turns % 2 === 0 ? state.next : far;
      ctx.tell(to).receive(pay - aside);
      if (state.turns % NOTES_EVERY !== 0) return;
      for (let i = 0; i < NOTES; i++) {
        ctx
          .tell(ctx.ref(Account, String(i % ACCOUNTS)))
          .note({ from: ctx.key, at: i / 2, paid: { pay, aside } }, i % 3 === 0);
      }
    },
    note() {},
    fill(ctx) {
      for (let i = 0; i < PAPERS; i++)
        ctx.state.papers.set(i, { balance: 0, bytes: new Uint8Array(PAPER_BYTES).fill(i) });
    },
    balance: (ctx) => ctx.state.balance,
  },
});

export const Till = actor('till', {
  place: 'host',
  state: () => ({ balance: 0, turns: 0 }),
  on: {
    receive(ctx, amount) {
      ctx.state.turns++;
      ctx.tell(ctx.ref(Account, String(ctx.state.turns % ACCOUNTS))).receive(amount);
    },
  },
});
