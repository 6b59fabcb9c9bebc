/** What may not be written of a host, of a service and of what calls it: see the same file of packages/actors. */
import { actor, move, type Ref, type Reply, service } from '@tidemark/actors';
import type { System } from '@tidemark/checkpoint';
import { Account, type Desk } from '../../actors/test/types.test-d.ts';

export async function host(system: System): Promise<void> {
  const alice = system.ref(Account, 'alice');
  const told: void = await system.tell(alice).deposit(10);
  const left: number = await system.ask(alice).withdraw(3);
  const nothing: void = await system.ask(alice).deposit(3);
  const since: Date | undefined = await system.ask(alice, { timeoutMs: 100 }).open('Alice');
  // @ts-expect-error unknown handler
  await system.tell(alice).nope();
  // @ts-expect-error wrong argument
  await system.tell(alice).deposit('5');
  // @ts-expect-error the answer is a number
  const text: string = await system.ask(alice).balance();
  // @ts-expect-error an answer is waited for
  const early: number = system.ask(alice).balance();
  // @ts-expect-error a key is a text
  system.ref(Account, 5);
  // @ts-expect-error a ref of another definition
  const other: Ref<typeof Desk> = alice;
  void [told, left, nothing, since, text, early, other];
}

const Purse = actor('typed-asks-purse', {
  state: () => ({ money: 0 }),
  on: { take: (ctx, amount: number) => (ctx.state.money -= amount) },
});

const Pages = service('typed-asks-pages', {
  load: async (_ctx, url: string) => Promise.resolve(url),
  size: (_ctx, text: string) => text.length,
});

/** Asks of the host: to actors and to services. */
export async function asks(system: System): Promise<void> {
  const purse = system.ref(Purse, 'p');
  const left: number = await system.ask(purse, { requestId: 'r', release: 'after-checkpoint' }).take(1);
  const text: string = await system.ask(Pages, { timeoutMs: 5, signal: AbortSignal.timeout(5) }).load('x');
  const size: number = await system.ask(Pages).size(text + String(left));
  await system.deadLetters.resend((await system.deadLetters.list())[size]);
  // @ts-expect-error says: is not assignable to parameter of type 'AnyActor' or: No overload matches or: missing the following properties
  system.ref(Pages, 'x');
  // @ts-expect-error says: No overload matches this call or: is not assignable
  await system.ask(purse, { release: 'later' }).take(1);
  // @ts-expect-error says: Argument of type 'number' is not assignable to parameter of type 'string' or: No overload
  await system.ask(Pages).load(5);
  // @ts-expect-error says: Type 'string' is not assignable to type 'number'
  const wrong: number = await system.ask(Pages).load('x');
  // @ts-expect-error says: Property 'nope' does not exist
  await system.ask(Pages).nope();
  // @ts-expect-error says: Expected 1 arguments, but got 0
  await system.ask(purse).take();
  // @ts-expect-error says: Expected 1 arguments, but got 0
  await system.ask(Pages).load();
  // @ts-expect-error says: Expected 1 arguments, but got 0
  await system.tell(purse).take();
  // @ts-expect-error says: Expected 1-2 arguments, but got 0
  system.ask();
  // @ts-expect-error says: Expected 1 arguments, but got 0
  system.tell();
  // @ts-expect-error says: missing the following properties from type 'Ref<unknown>' or: is not assignable to parameter of type 'Ref<unknown>'
  system.tell(Pages);
  void wrong;
}

/** What an actor may not do with a service, which has no key, nor leave out of what it calls. */
export const Clerk = actor('typed-asks-clerk', {
  state: () => ({ pages: 0 }),
  on: {
    start(ctx, purse: Ref<typeof Purse>): void {
      ctx.call(Pages).size('text').into(Clerk, 'taken');
      // @ts-expect-error says: Expected 1 arguments, but got 0
      ctx.call(purse).take().into(Clerk, 'taken');
      // @ts-expect-error says: Expected 1 arguments, but got 0
      ctx.call(Pages).size().into(Clerk, 'taken');
      // @ts-expect-error says: Expected 1-2 arguments, but got 0
      ctx.call();
      // @ts-expect-error says: is not assignable to parameter of type 'AnyActor' or: missing the following properties
      ctx.ref(Pages, 'x');
      // @ts-expect-error says: missing the following properties from type 'Ref<unknown>' or: is not assignable to parameter of type 'Ref<unknown>'
      ctx.tell(Pages);
    },
    taken(ctx, answer: Reply<number>): void {
      ctx.state.pages += answer.ok ? answer.value : 0;
    },
  },
});

class Page {
  readonly url: string = 'x';
  open(): string {
    return this.url;
  }
}

// @ts-expect-error says: argument 1.open is a function
export const TakesInstance = service('typed-asks-takes-instance', { print: (_ctx, page: Page) => page.url });
// @ts-expect-error says: argument 1 is a function
export const TakesFunction = service('typed-asks-takes-function', { each: (_ctx, f: () => void) => f() });
// @ts-expect-error says: what this handler returns.open is a function
export const GivesInstance = service('typed-asks-gives-instance', { find: async () => Promise.resolve(new Page()) });
// @ts-expect-error says: what this handler returns is a function
export const GivesFunction = service('typed-asks-gives-function', { later: (_ctx) => () => 1 });

const Images = service('typed-asks-images', { shrink: (_ctx, bytes: Uint8Array) => move(bytes) });

export async function moves(system: System): Promise<void> {
  const small: Uint8Array = await system.ask(Images).shrink(move(Buffer.alloc(5)));
  // @ts-expect-error says: Argument of type 'Float64Array
  await system.ask(Images).shrink(move(new Float64Array(1)));
  await system.endWorker(small.length);
  // @ts-expect-error says: Argument of type 'string' is not assignable
  await system.endWorker('1');
}

export function listeners(system: System): void {
  system.on('service-hung', ({ thread, callId }) => void [thread satisfies number, callId satisfies string]);
  const off: () => void = system.on('checkpoint', ({ position }) => void (position satisfies number));
  system.on('rolled-back', ({ position }) => void (position satisfies number | null));
  system.on('stopped', ({ code }) => void (code satisfies string | null));
  // @ts-expect-error no such event
  system.on('checkpoints', () => undefined);
  // @ts-expect-error an event has what it has, and no more
  system.on('log', ({ position }) => void position);
  void off;
}
