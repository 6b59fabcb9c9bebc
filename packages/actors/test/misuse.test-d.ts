/**
 * What does not compile, and what the compiler says about it. Nothing here runs.
 *
 * `tsc -p tsconfig.test.json` checks that each line below an expectation is an error. type-versions.test.ts checks the same
 * under every supported TypeScript, and that the first line of the error holds the words behind `says:`, or the others behind `or:`.
 */
import { actor, type Ctx, Refusal, type Ref, type Table, table } from '@tidemark/actors';
import { Account, type Desk, Words } from './types.test-d.ts';

// ── handlers ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const Async = actor('async', {
  state: () => ({ n: 0 }),
  on: {
    // @ts-expect-error says: A handler of an actor may not be async
    async slow(ctx, n: number) {
      ctx.state.n = n;
    },
  },
});

export const Promises = actor('promises', {
  state: () => ({ n: 0 }),
  on: {
    // @ts-expect-error says: A handler of an actor may not be async or return a promise
    slow: (ctx) => Promise.resolve(ctx.state.n),
    // @ts-expect-error says: A handler of an actor may not be async or return a promise
    sometimes: (ctx) => (ctx.state.n > 0 ? ctx.state.n : Promise.resolve(ctx.state.n)),
  },
});

export const NoFunction = actor('no-function', {
  state: () => ({ n: 0 }),
  // @ts-expect-error says: Type 'number' is not assignable to type 'Handler<{ n: number; }>'
  on: { n: 5 },
});

// ── arguments ──────────────────────────────────────────────────────────────────────────────────────────────────────

class Clerk {
  readonly name = 'Ada';
  greet(): string {
    return this.name;
  }
}

export const Arguments = actor('arguments', {
  state: () => ({ n: 0 }),
  on: {
    // @ts-expect-error says: argument 1 is a function; only plain data can be sent and kept
    call(ctx, f: () => void) {
      ctx.state.n++;
      f();
    },
    // @ts-expect-error says: argument 2 is a function
    second: (_ctx, n: number, f?: () => number) => f?.() ?? n,
    // @ts-expect-error says: an argument is a function
    many: (_ctx, ...all: (() => void)[]) => all.length,
    // @ts-expect-error says: an item of argument 1.on.done is a function
    deep: (_ctx, options: { readonly on: readonly { readonly done: () => void }[] }) => options.on.length,
    // @ts-expect-error says: argument 1 is a symbol
    sign: (_ctx, sign: symbol) => sign.toString(),
    // @ts-expect-error says: argument 1 is a promise
    promise: (_ctx, later: Promise<number>) => void later,
    // @ts-expect-error says: argument 1.greet is a function
    instance: (_ctx, clerk: Clerk) => clerk.greet(),
    // @ts-expect-error says: argument 1 is an Error: take its message or its code
    failure: (_ctx, failure: Error) => failure.message,
    // @ts-expect-error says: argument 1 is a Buffer: make it a Uint8Array
    buffer: (_ctx, bytes: Buffer) => bytes.length,
    // @ts-expect-error says: a value of argument 1 is a function
    mapped: (_ctx, handlers: Map<string, () => void>) => handlers.size,
    // @ts-expect-error says: an item of argument 1 is a symbol
    signs: (_ctx, signs: Set<symbol>) => signs.size,
    // @ts-expect-error says: argument 1.run is a function
    almostRef: (_ctx, task: { type: string; key: string; run: () => void }) => task.type,
    // @ts-expect-error says: is a function; only plain data can be sent and kept
    context: (_ctx, other: Ctx<{ n: number }>) => other.key,
    // @ts-expect-error says: argument 1.f is a function
    either: (_ctx, one: { n: number } | { f: () => void }) => void one,
  },
});

// ── results ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const Results = actor('results', {
  state: () => ({ n: 0 }),
  on: {
    // @ts-expect-error says: what this handler returns is a function
    later: (ctx) => () => ctx.state.n,
    // @ts-expect-error says: what this handler returns is a symbol
    sign: () => Symbol('sign'),
    // @ts-expect-error says: what this handler returns.greet is a function
    instance: () => new Clerk(),
    // @ts-expect-error says: what this handler returns is a Buffer
    buffer: () => Buffer.alloc(1),
    // @ts-expect-error says: what this handler returns is an Error
    failure: () => new Error('no'),
    // @ts-expect-error says: what this handler returns.after is a promise
    hidden: (ctx) => ({ n: ctx.state.n, after: Promise.resolve(1) }),
  },
});

// ── states ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// @ts-expect-error says: state.f is a function; only plain data can be sent and kept
export const State1 = actor('state1', { state: () => ({ f: () => 1 }), on: {} });
// @ts-expect-error says: state.later is a promise
export const State2 = actor('state2', { state: () => ({ later: Promise.resolve(1) }), on: {} });
// @ts-expect-error says: a value of state.handlers is a function
export const State3 = actor('state3', { state: () => ({ handlers: new Map<string, () => void>() }), on: {} });
// @ts-expect-error says: state.bytes is a Buffer
export const State4 = actor('state4', { state: () => ({ bytes: Buffer.alloc(1) }), on: {} });
// @ts-expect-error says: Type 'number' is not assignable to type 'object'
export const State5 = actor('state5', { state: () => 5, on: {} });
// @ts-expect-error says: state.clerk.greet is a function
export const State6 = actor('state6', { state: () => ({ clerk: new Clerk() }), on: {} });
// @ts-expect-error says: state.sign is a symbol
export const State7 = actor('state7', { state: () => ({ sign: Symbol('x') }), on: {} });
// @ts-expect-error says: a value of state.rows is a function
export const State8 = actor('state8', { state: () => ({ rows: table<string, () => void>() }), on: {} });
// @ts-expect-error says: a value of state.rows.failure is an Error
export const State9 = actor('state9', { state: () => ({ rows: table<string, { failure: Error | null }>() }), on: {} });
// @ts-expect-error says: a value of state.rows is a symbol
export const State10 = actor('state10', { state: () => ({ rows: table<string, number | symbol>() }), on: {} });

// ── options ────────────────────────────────────────────────────────────────────────────────────────────────────────

// @ts-expect-error says: Type '"moon"' is not assignable to type '"
export const Option1 = actor('option1', { place: 'moon', state: () => ({}), on: {} });
// @ts-expect-error says: Type '"ignore"' is not assignable to type '"
export const Option2 = actor('option2', { onThrow: 'ignore', state: () => ({}), on: {} });
// @ts-expect-error says: 'sate' does not exist
export const Option3 = actor('option3', { sate: 1, state: () => ({}), on: {} });
// @ts-expect-error says: is not assignable to parameter of type 'ActorOptions< or: Property 'on' is missing
export const Option4 = actor('option4', { state: () => ({}) });
// @ts-expect-error says: is not assignable to parameter of type 'ActorOptions< or: Property 'state' is missing
export const Option5 = actor('option5', { on: {} });
// @ts-expect-error says: Expected 2 arguments, but got 1
export const Option6 = actor('option6');
// @ts-expect-error says: Type 'string' is not assignable to type 'number'
export const Option7 = actor('option7', { version: '2', state: () => ({}), on: {} });

// ── ctx ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const Clumsy = actor('clumsy', {
  state: () => ({ n: 0, maybe: null as number | null }),
  on: {
    send(ctx, account: Ref<typeof Account>, desk: Ref<typeof Desk>): void {
      // @ts-expect-error says: Property 'nope' does not exist
      ctx.tell(account).nope();
      // @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'number'
      ctx.tell(account).deposit('5');
      // @ts-expect-error says: Expected 1 arguments, but got 0
      ctx.tell(account).deposit();
      // @ts-expect-error says: Expected 1 arguments, but got 2
      ctx.tell(account).deposit(1, 2);
      // @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'Date'
      ctx.tell(account).open('Ada', 'today');
      // @ts-expect-error says: is not assignable to parameter of type 'Ref<
      ctx.tell(desk).move(account, desk, 1);
      // @ts-expect-error says: Property 'toFixed' does not exist on type 'void'
      ctx.tell(account).balance().toFixed();
      // @ts-expect-error says: is not assignable to parameter of type 'Ref<unknown>' or: missing the following properties from type 'Ref<unknown>': type, key
      ctx.tell(Account);
      // @ts-expect-error says: send to ctx.ref(TheActor, ctx.key)
      ctx.tell(ctx.self).send(account, desk);
      // @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'Ref<unknown>'
      ctx.tell('account/alice');
      // @ts-expect-error says: Property 'deposit' does not exist on type 'Ref<
      account.deposit(1);
    },
    address(ctx, account: Ref<typeof Account>): void {
      // @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'AnyActor'
      ctx.ref('account', 'alice');
      // @ts-expect-error says: Argument of type 'number' is not assignable to parameter of type 'string'
      ctx.ref(Account, 5);
      // @ts-expect-error says: Expected 2 arguments, but got 1
      ctx.ref(Account);
      // @ts-expect-error says: is not assignable to type 'Ref<
      const other: Ref<typeof Desk> = account;
      // @ts-expect-error says: Cannot assign to 'key' because it is a read-only property
      account.key = 'bob';
      void other;
    },
    own(ctx): void {
      // @ts-expect-error says: Cannot assign to 'state' because it is a read-only property
      ctx.state = { n: 1, maybe: null };
      // @ts-expect-error says: Cannot assign to 'key' because it is a read-only property
      ctx.key = 'other';
      // @ts-expect-error says: Property 'missing' does not exist
      ctx.state.missing = 1;
      // @ts-expect-error says: Type 'string' is not assignable to type 'number'
      ctx.state.n = 'one';
      // @ts-expect-error says: Object is possibly 'null' or: 'ctx.state.maybe' is possibly 'null'
      ctx.state.maybe.toFixed();
      // @ts-expect-error says: Expected 0 arguments, but got 1
      ctx.forget('me');
      // @ts-expect-error says: Argument of type 'number' is not assignable to parameter of type 'string'
      ctx.log(5);
      // @ts-expect-error says: Property 'ask' does not exist on type 'Ctx<
      ctx.ask(ctx.self);
      // @ts-expect-error says: Expected 1-2 arguments, but got 0
      throw new Refusal();
    },
  },
});

/** A helper that needs a field refuses the context of an actor without it. */
function rename(ctx: Ctx<{ owner: string | null }>, name: string): void {
  ctx.state.owner = name;
}

export const Renamed = actor('renamed', {
  state: () => ({ n: 0 }),
  on: {
    rename(ctx, name: string): void {
      // @ts-expect-error says: is not assignable to parameter of type 'Ctx<{ owner: string | null; }>'
      rename(ctx, name);
    },
  },
});

// ── tables ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function tables(counts: Table<string, number>, rows: Table<string, { n: number; tags: string[] }>): void {
  // @ts-expect-error says: Argument of type 'number' is not assignable to parameter of type 'string'
  counts.set(5, 1);
  // @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'number'
  counts.set('a', 'one');
  // @ts-expect-error says: Type 'string' is not assignable to type 'number | void' or: Type 'string' is not assignable to type 'void | number'
  counts.update('a', () => 'one');
  // @ts-expect-error says: is not assignable to parameter of type '() => number' or: Type 'string' is not assignable to type 'number'
  counts.update('a', Number, () => 'zero');
  // @ts-expect-error says: is not assignable to parameter of type '{ n: number; tags: string[]; }' or: Property 'tags' is missing
  rows.set('a', { n: 1 });
  // @ts-expect-error says: Property 'push' does not exist on type 'readonly string[]'
  rows.get('a')?.tags.push('x');
  // @ts-expect-error says: Cannot assign to 'n' because it is a read-only property
  for (const [, row] of rows.entries()) row.n = 1;
  // @ts-expect-error says: Object is possibly 'undefined' or: is possibly 'undefined'
  rows.get('a').n.toFixed();
  // @ts-expect-error says: Type '{ a: number; }' does not satisfy the constraint 'string | number'
  table<{ a: number }, number>();
  // @ts-expect-error says: Cannot assign to 'size' because it is a read-only property
  counts.size = 0;
}

// @ts-expect-error says: is missing the following properties from type 'Actor<
export const NotADefinition: typeof Words = { kind: 'actor', name: 'words' };
