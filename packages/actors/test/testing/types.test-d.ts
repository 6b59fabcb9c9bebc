/** What the test kit does not let a test say. Nothing here runs. */
import { actor, type Ref, type Reply, service, type Table, table } from '@tidemark/actors';
import { checkState, fake, forSeeds, testActor, testSystem } from '@tidemark/actors/testing';

const Account = actor('account', {
  state: () => ({ balance: 0, visits: table<string, { count: number }>() }),
  on: {
    deposit(ctx, amount: number): void {
      ctx.state.balance += amount;
    },
    withdraw(ctx, amount: number): number {
      return (ctx.state.balance -= amount);
    },
  },
});
const Pages = service('pages', { load: async (_ctx, url: string): Promise<string> => url });
const Transfer = actor('transfer', {
  state: () => ({ done: [] as string[] }),
  on: {
    start(ctx, from: Ref<typeof Account>): void {
      ctx.call(from).withdraw(1).into(Transfer, 'withdrawn');
    },
    withdrawn(ctx, answer: Reply<number>): void {
      ctx.state.done.push(String(answer.ok));
    },
  },
});

const account = testActor(Account, 'a', { seed: 1, state: { balance: 1 } });
const left: number = account.send.withdraw(1);
const nothing: void = account.send.deposit(left);
// @ts-expect-error says: 'string' is not assignable to parameter of type 'number'
account.send.deposit('1');
// @ts-expect-error says: Expected 1 arguments, but got 0
account.send.deposit();
// @ts-expect-error says: Property 'nope' does not exist
account.send.nope();
// @ts-expect-error says: 'number' is not assignable to type 'string'
const wrong: string = account.send.withdraw(1);
// @ts-expect-error says: Cannot assign to 'balance' because it is a read-only property
account.state.balance = 2;
const rows: ReadonlyMap<string, { readonly count: number }> = account.state.visits;
// @ts-expect-error says: Property 'set' does not exist
account.state.visits.set('x', { count: 1 });
// @ts-expect-error says: 'string' is not assignable to type 'number'
testActor(Account, 'a', { state: { balance: '1' } });
// @ts-expect-error says: 'nope' does not exist in type
testActor(Account, 'a', { state: { nope: 1 } });
// @ts-expect-error says: is not assignable to parameter of type 'AnyActor'
testActor(Pages);

const transfer = testActor(Transfer);
const [[amount]]: readonly (readonly [number])[] = transfer.sentTo(Account, 'deposit');
// @ts-expect-error says: Argument of type '"nope"' is not assignable
transfer.sentTo(Account, 'nope');
const question = transfer.question(Account, 'withdraw');
const asked: number = question.args[0];
transfer.answer(question, { ok: true, value: asked });
transfer.answer(question, { ok: false, code: 'TOO_LITTLE', message: '' });
// @ts-expect-error says: 'string' is not assignable to type 'number'
transfer.answer(question, { ok: true, value: '7' });
// @ts-expect-error says: '{ ok: false; code: string; }' is not assignable
transfer.answer(question, { ok: false, code: 'TOO_LITTLE' });
transfer.answer(transfer.question(Pages, 'load'), { ok: true, value: 'text' });
// @ts-expect-error says: Argument of type '"withdraw"' is not assignable
transfer.question(Pages, 'withdraw');
// @ts-expect-error says: 'string' is not assignable to parameter of type 'number'
transfer.advance('1s');

const system = testSystem({ seed: 1, workers: 2, services: [fake(Pages, { load: (_ctx, url) => url })] });
const alice = system.ref(Account, 'alice');
const later: Promise<number> = system.ask(alice).withdraw(1);
const text: Promise<string> = system.ask(Pages).load('url');
const room: Promise<void> = system.tell(alice).deposit(1);
const balance: number | undefined = system.state(alice)?.balance;
for (const [key, { visits }] of system.states(Account)) visits.get(key)?.count.toFixed();
const [[moving]]: readonly (readonly [number])[] = system.cut().messages(Account, 'deposit');
// @ts-expect-error says: 'string' is not assignable to parameter of type 'number'
void system.ask(alice).withdraw('1');
// @ts-expect-error says: Property 'nope' does not exist
void system.tell(alice).nope();
// @ts-expect-error says: from type 'Ref< or: to parameter of type 'Ref<
system.tell(Pages);
// @ts-expect-error says: possibly 'undefined'
system.state(alice).balance.toFixed();
// @ts-expect-error says: Argument of type '"nope"' is not assignable
system.cut().messages(Account, 'nope');
// @ts-expect-error says: '() => number' is not assignable
fake(Pages, { load: () => 1 });
// @ts-expect-error says: 'nope' does not exist in type
fake(Pages, { nope: () => 'x' });
// @ts-expect-error says: required in type 'Service< or: to parameter of type 'Service<
fake(Account, {});
// @ts-expect-error says: '"ignore"' is not assignable to type
testSystem({ onThrow: 'ignore' });
// @ts-expect-error says: 'string' is not assignable to type 'number'
testSystem({ seed: '1' });
void forSeeds(10, (seed) => testSystem({ seed }).run());
// @ts-expect-error says: 'string' is not assignable to parameter of type
void forSeeds('10', () => undefined);
// @ts-expect-error says: is not assignable to type '(n: number) => Promise<unknown>'
void checkState(() => undefined, { fresh: './bank.ts' });

export type Kept = Table<string, number>;
export { amount, balance, later, moving, nothing, room, rows, text, wrong };
