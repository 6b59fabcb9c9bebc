/**
 * Calls, timers and services: what does not compile. Nothing here runs: `tsc -p tsconfig.test.json` checks that every misuse is an
 * error, and that every use beside it is none.
 */
import { actor, move, type Ref, Refusal, type Reply, type Service, service } from '@tidemark/actors';

export const Purse = actor('typed-purse', {
  state: () => ({ money: 0 }),
  on: {
    take(ctx, amount: number) {
      if (ctx.state.money < amount) throw new Refusal('TOO_LITTLE');
      return (ctx.state.money -= amount);
    },
    name: () => 'purse',
    nothing() {
      // Answers nothing.
    },
  },
});

export const Pages = service('typed-pages', {
  async load(ctx, url: string) {
    return (await fetch(url, { signal: ctx.signal })).text();
  },
  size: (ctx, text: string) => text.length + ctx.callId.length,
});

export const Limited = service('typed-limited', { run: () => 1 }, { maxConcurrent: 2, place: 'here' });
// @ts-expect-error says: Type '"everywhere"' is not assignable to type or: No overload
export const Nowhere = service('typed-nowhere', { run: () => 1 }, { place: 'everywhere' });

export const Clerk = actor('typed-clerk', {
  state: () => ({ pages: 0 }),
  on: {
    start(ctx, from: Ref<typeof Purse>, url: string): void {
      ctx.call(from, { timeoutMs: 100 }).take(1).into(Clerk, 'taken', url);
      ctx.call(from).nothing().into(Clerk, 'done');
      ctx.call(Pages).load(url).into(Clerk, 'loaded', url, 1);
      ctx.call(Pages).size(url).into(Clerk, 'taken', url);
      ctx.after(5, 'late').into(Clerk, 'late', url);
      ctx.cancel('late');
      ctx.state.pages = ctx.now() + ctx.random();
      // @ts-expect-error says: does not take the answer
      ctx.call(from).take(1).into(Clerk, 'loaded', url, 1);
      // @ts-expect-error says: does not take the answer
      ctx.call(Pages).load(url).into(Clerk, 'taken', url);
      // @ts-expect-error says: Expected 3 arguments
      ctx.call(from).take(1).into(Clerk, 'taken');
      // @ts-expect-error says: Argument of type 'number' is not assignable to parameter of type 'string'
      ctx.call(from).take(1).into(Clerk, 'taken', 5);
      // @ts-expect-error says: does not take the answer
      ctx.call(from).take(1).into(Clerk, 'late', url);
      // @ts-expect-error says: this actor has no such handler
      ctx.call(from).take(1).into(Clerk, 'nope');
      // @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'number'
      ctx.call(from).take('1');
      // @ts-expect-error says: Property 'nope' does not exist
      ctx.call(from).nope();
      // @ts-expect-error says: Property 'then' does not exist
      void ctx.call(from).take(1).then;
      // @ts-expect-error says: Expected 3 arguments
      ctx.after(5, 'late').into(Clerk, 'late');
      // @ts-expect-error says: Argument of type '"nope"' is not assignable
      ctx.after(5, 'late').into(Clerk, 'nope');
      // @ts-expect-error says: Argument of type 'number' is not assignable to parameter of type 'string'
      ctx.after(5, 7);
      // @ts-expect-error says: No overload matches this call or: is missing the following properties
      ctx.call('typed-pages').load(url);
    },
    taken(ctx, answer: Reply<number>, url: string): void {
      if (answer.ok) ctx.state.pages += answer.value;
      else ctx.log(`${url}: ${answer.code} ${answer.message}`);
      // @ts-expect-error says: Property 'value' does not exist on type
      ctx.state.pages += answer.value;
    },
    done(_ctx, _answer: Reply<void>): void {
      // Nothing was answered.
    },
    loaded(ctx, answer: Reply<string>, _url: string, by: number): void {
      ctx.state.pages += answer.ok ? by : 0;
    },
    late(ctx, url: string): void {
      ctx.log(url);
    },
  },
});

// @ts-expect-error says: argument 1 is a function
export const TakesFunction = service('typed-function', { run: (_ctx, f: () => void) => f() });
// @ts-expect-error says: what this handler returns is a symbol or: what this handler returns is a function
export const GivesSymbol = service('typed-symbol', { run: async (_ctx) => Promise.resolve(Symbol('x')) });
export const Bounded = actor('typed-bounded', {
  mailbox: { max: 5, overflow: 'drop-oldest' },
  state: () => ({}),
  on: {},
});
export const Odd = actor('typed-odd', {
  // @ts-expect-error says: Type '"block"' is not assignable to type
  mailbox: { max: 5, overflow: 'block' },
  state: () => ({}),
  on: {},
});

export const Images = service('typed-images', {
  // A handler sees plain bytes, and gives plain bytes.
  shrink: (_ctx, bytes: Uint8Array): Uint8Array => move(bytes.slice(1)),
  async load(_ctx, size: number) {
    return Promise.resolve({ size, bytes: move(new Float64Array(size)) });
  },
});
export const sameView: Float64Array = move(new Float64Array(1));
export const sameBuffer: ArrayBuffer = move(new ArrayBuffer(1));
export const ofBuffer: Uint8Array = move(Buffer.alloc(1));
// @ts-expect-error says: 'Uint8Array<ArrayBufferLike>' is missing the following properties or: is not assignable to type 'Buffer
export const noBuffer: Buffer = move(Buffer.alloc(1));
// @ts-expect-error says: Argument of type 'string' is not assignable
move('text');
// @ts-expect-error says: in type 'Movable'
move({ bytes: new Uint8Array(1) });

/** What a program passes on is a service of its kind. */
export const passed: Service<{ readonly size: (typeof Pages)['on']['size'] }> | null = null;
