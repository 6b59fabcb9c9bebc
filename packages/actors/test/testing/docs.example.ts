import assert from 'node:assert/strict';
import { actor, type Ref, Refusal, type Reply, service } from '@tidemark/actors';
import { checkState, fake, forSeeds, testActor, testSystem } from '@tidemark/actors/testing';

const Account = actor('account', {
  state: () => ({ balance: 0 }),
  on: {
    deposit(ctx, amount: number) {
      ctx.state.balance += amount;
    },
    withdraw(ctx, amount: number) {
      if (ctx.state.balance < amount) throw new Refusal('TOO_LITTLE');
      return (ctx.state.balance -= amount);
    },
  },
});

const Mail = service('mail', {
  async send(ctx, text: string) {
    const response = await fetch('https://mail.example/send', { method: 'POST', body: text, signal: ctx.signal });
    return response.status;
  },
});

const Transfer = actor('transfer', {
  state: () => ({ is: 'new' as 'new' | 'asked' | 'done' | 'refused' | 'told' }),
  on: {
    start(ctx, from: Ref<typeof Account>, to: Ref<typeof Account>, amount: number): void {
      ctx.call(from).withdraw(amount).into(Transfer, 'withdrawn', to, amount);
      ctx.after(60_000, 'late').into(Transfer, 'tell', 'a transfer takes long');
      ctx.state.is = 'asked';
    },
    withdrawn(ctx, answer: Reply<number>, to: Ref<typeof Account>, amount: number): void {
      ctx.cancel('late');
      if (answer.ok) ctx.tell(to).deposit(amount);
      ctx.state.is = answer.ok ? 'done' : 'refused';
    },
    tell(ctx, text: string): void {
      ctx.call(Mail).send(text).into(Transfer, 'told');
    },
    told(ctx, answer: Reply<number>): void {
      if (answer.ok) ctx.state.is = 'told';
    },
  },
});

const account = testActor(Account, 'alice', { state: { balance: 10 } });
assert.equal(account.send.withdraw(3), 7);
assert.throws(() => account.send.withdraw(8), { code: 'TOO_LITTLE' });
assert.deepEqual(account.state, { balance: 7 });

const transfer = testActor(Transfer, 't1');
const [from, to] = [testActor(Account, 'alice').ref, testActor(Account, 'bob').ref];
transfer.send.start(from, to, 5);
assert.equal(transfer.state.is, 'asked');

const question = transfer.question(Account, 'withdraw');
assert.deepEqual(question.to, from);
assert.deepEqual(question.args, [5]);
transfer.answer(question, { ok: true, value: 2 });

assert.deepEqual(transfer.sentTo(Account, 'deposit'), [[5]]);
assert.equal(transfer.state.is, 'done');
assert.deepEqual(transfer.timers, []);

const slow = testActor(Transfer, 't2');
slow.send.start(from, to, 5);
assert.equal(slow.timers[0].inMs, 60_000);
slow.advance(60_000);
assert.deepEqual(slow.question(Mail, 'send').args, ['a transfer takes long']);
slow.answer(slow.question(Mail, 'send'), { ok: true, value: 202 });
assert.equal(slow.state.is, 'told');

await forSeeds(50, async (seed) => {
  const system = testSystem({ seed, workers: 3 });
  const [alice, bob] = [system.ref(Account, 'alice'), system.ref(Account, 'bob')];
  await system.ask(alice).deposit(10);
  for (const id of ['t1', 't2', 't3']) await system.tell(system.ref(Transfer, id)).start(alice, bob, 4);
  await system.run();

  assert.equal(await system.ask(bob).withdraw(0), 8);
  const ends = [...system.states(Transfer).values()].map(({ is }) => is);
  assert.deepEqual(ends.sort(), ['done', 'done', 'refused']);
});

const mailed: string[] = [];
const mail = fake(Mail, {
  send(_ctx, text) {
    mailed.push(text);
    return 202;
  },
});
const office = testSystem({ services: [mail] });
await office.tell(office.ref(Transfer, 't1')).tell('hello');
await office.run();
assert.deepEqual(mailed, ['hello']);
assert.equal(office.state(office.ref(Transfer, 't1'))?.is, 'told');

await forSeeds(100, async (seed) => {
  const system = testSystem({ seed, workers: 3 });
  const [alice, bob] = [system.ref(Account, 'alice'), system.ref(Account, 'bob')];
  await system.ask(alice).deposit(10);
  for (const id of ['t1', 't2', 't3']) await system.tell(system.ref(Transfer, id)).start(alice, bob, 3);

  system.step(seed % 40);
  system.checkpoint();
  system.step(seed % 7);
  system.crash({ workers: 1 + (seed % 4) });
  await system.run();

  assert.deepEqual([...system.states(Account).values()].map(({ balance }) => balance).sort(), [1, 9]);
});

let visits = 0;
const Visitors = actor('visitors', {
  state: () => ({ last: '' }),
  on: {
    come(ctx, who: string): number {
      ctx.state.last = who;
      return ++visits;
    },
  },
});

const scenario = async () => {
  const system = testSystem();
  for (const who of ['ann', 'ben', 'cleo']) await system.ask(system.ref(Visitors, 'door')).come(who);
};
await assert.rejects(checkState(scenario), {
  code: 'TEST_STATE_OUTSIDE',
  message: /^actor 'visitors' handler 'come': state kept outside of ctx\.state\?/,
});
