/**
 * What does not compile. Nothing here runs: `tsc -p tsconfig.test.json` checks that every misuse is an error, and that
 * every use beside it is none.
 */
import { type Actor, actor, type Ctx, Refusal, type Ref, type Table, table } from '@tidemark/actors';

export const Account = actor('account', {
  state: () => ({ balance: 0, owner: null as string | null }),
  on: {
    deposit(ctx, amount: number) {
      ctx.state.balance += amount;
    },
    withdraw(ctx, amount: number) {
      if (ctx.state.balance < amount) throw new Refusal('TOO_LITTLE');
      return (ctx.state.balance -= amount);
    },
    balance: (ctx) => ctx.state.balance,
    open(ctx, owner: string, since?: Date) {
      ctx.state.owner = owner;
      return since;
    },
  },
});

export const Migrated = actor('migrated', {
  version: 3,
  state: () => ({ cents: 0, visits: table<string, { count: number }>() }),
  migrate: {
    1: (old) => ({ ...old, amount: 1 }),
    2: ({ amount, visits }, key) => ({
      cents: Number(amount) * 100,
      visits: new Map([...visits, [key, { count: 1 }]]),
    }),
  },
  migrateMessage: {
    1: ({ handler, args }) => (handler === 'old' ? null : { handler, args: [...args, 1] }),
    // @ts-expect-error a message has arguments
    2: ({ handler }) => ({ handler }),
  },
  on: {
    pay(ctx, cents: number) {
      ctx.state.cents += cents;
    },
  },
});

export const Desk = actor('desk', {
  version: 2,
  place: 'host',
  onThrow: 'forget',
  state: (key) => ({ key, done: new Map<string, 'ok' | 'failed'>(), last: null as Ref<typeof Account> | null }),
  on: {
    move(ctx, from: Ref<typeof Account>, to: Ref<typeof Account>, amount: number) {
      ctx.tell(from).withdraw(amount);
      ctx.tell(to).deposit(amount);
      ctx.state.last = to;
      ctx.state.done.set(ctx.key, 'ok');
      // @ts-expect-error unknown handler
      ctx.tell(from).nope();
      // @ts-expect-error wrong argument
      ctx.tell(to).deposit('5');
      // @ts-expect-error an argument is missing
      ctx.tell(to).deposit();
      // @ts-expect-error one argument too many
      ctx.tell(to).deposit(1, 2);
      // @ts-expect-error a send has no answer to use
      ctx.tell(from).balance().toFixed();
      // @ts-expect-error the state has no such field
      ctx.state.missing = 1;
      // @ts-expect-error the state is changed in place, not replaced
      ctx.state = { key: '', done: new Map(), last: null };
      // @ts-expect-error a ref is an address, not an actor
      from.withdraw(amount);
      // @ts-expect-error a ref is made of a definition
      ctx.tell(ctx.ref('account', 'alice'));
    },
  },
});

/** An actor may send to its own kind; the handler then says what it returns. */
export const Ring = actor('ring', {
  state: () => ({ passed: 0 }),
  on: {
    pass(ctx, left: number): void {
      ctx.state.passed++;
      if (left > 0) ctx.tell(ctx.ref(Ring, String(left))).pass(left - 1);
      // @ts-expect-error wrong argument
      ctx.tell(ctx.ref(Ring, 'x')).pass('many');
    },
  },
});

export const Bytes = actor('bytes', {
  state: () => ({ n: 0 }),
  on: {
    put(ctx, bytes: Uint8Array, view: DataView, numbers: Float64Array) {
      ctx.state.n += bytes.length + view.byteLength + numbers.length;
    },
  },
});

interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}

/** A type that contains itself, an interface, and what is not known may be sent, kept and answered. */
export const Forest = actor('forest', {
  state: () => ({ tree: null as Tree | null, last: null as unknown }),
  on: {
    plant(ctx, tree: Tree, note?: unknown): Tree {
      ctx.state.tree = tree;
      ctx.state.last = note;
      return tree;
    },
    later: (ctx): unknown => ctx.state.last,
    report: (_ctx, failure: { name: string; message: string; code?: string }) => failure.message,
  },
});

export const Everything = actor('everything', {
  state: () => ({
    text: '',
    flag: true,
    big: 5n,
    at: new Date(0),
    list: [1, 2],
    pair: ['a', 1] as [string, number],
    map: new Map<string, { n: number }>(),
    set: new Set<number>(),
    bytes: new Uint8Array(2),
    buffer: new ArrayBuffer(2),
    maybe: undefined as number | undefined,
    union: { kind: 'a' } as { kind: 'a' } | { kind: 'b'; n: number },
    nested: { deeper: { ref: null as Ref<typeof Account> | null } },
    rows: table<string, { n: number; tags: string[] }>(),
  }),
  on: { text: (ctx) => ctx.state.text },
});

export const Words = actor('words', {
  state: () => ({ counts: table<string, number>(), rows: table<string, { n: number; tags: string[] }>() }),
  on: {
    add(ctx, word: string) {
      ctx.state.counts.update(
        word,
        (n) => n + 1,
        () => 0,
      );
      const count: number | undefined = ctx.state.counts.get(word);
      return count;
    },
    tag(ctx, word: string, tag: string) {
      ctx.state.rows.update(
        word,
        (row) => {
          row.n++;
          row.tags.push(tag);
        },
        () => ({ n: 0, tags: [] }),
      );
    },
    wrong(ctx, word: string) {
      // @ts-expect-error what a table gives back is read-only
      ctx.state.rows.get(word)?.tags.push('x');
      // @ts-expect-error what a table gives back is read-only, also when it is walked
      for (const [, row] of ctx.state.rows.entries()) row.n = 1;
      // @ts-expect-error wrong key
      ctx.state.counts.set(5, 1);
      // @ts-expect-error wrong value
      ctx.state.counts.set(word, 'one');
      // @ts-expect-error a key of a table is a text or a number
      table<{ a: number }, number>();
    },
  },
});

/** A helper may take the context of any actor whose state has the fields that it needs. */
export function rename(ctx: Ctx<{ owner: string | null }>, name: string): void {
  ctx.state.owner = name;
}

export function counts(rows: Table<string, number>): number {
  return rows.size;
}

/** Of two actors that hold refs of each other, one is named by what the other needs of it. */
type Creditor = Actor<object, { more(ctx: Ctx<object>): void }>;

export const Debtor = actor('debtor', {
  state: () => ({ creditor: null as Ref<Creditor> | null }),
  on: {
    borrow(ctx, creditor: Ref<Creditor>): void {
      ctx.state.creditor = creditor;
      ctx.tell(creditor).more();
    },
  },
});

export const Lender = actor('lender', {
  state: () => ({ lent: 0, to: null as Ref<typeof Debtor> | null }),
  on: {
    lend(ctx, to: Ref<typeof Debtor>): void {
      ctx.state.to = to;
      ctx.tell(to).borrow(ctx.ref(Lender, ctx.key));
    },
    more(ctx): void {
      ctx.state.lent++;
    },
  },
});
