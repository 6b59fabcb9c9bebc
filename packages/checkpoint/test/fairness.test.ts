import { createSystem } from '@tidemark/checkpoint';
import { expect, it } from 'vitest';
import { Account, ACCOUNTS, INJECTED } from './fixtures/bank.mjs';

it('mail without end among the actors of a worker does not keep out what comes from other threads', async () => {
  const system = await createSystem({ actors: [new URL('./fixtures/bank.mjs', import.meta.url)], workers: 1 });
  for (let key = 0; key < ACCOUNTS; key++) await system.tell(system.ref(Account, String(key))).receive(INJECTED);
  // Each of these asks arrives by the channel from the host, behind money that never rests.
  for (let key = 0; key < ACCOUNTS; key++) {
    expect(await system.ask(system.ref(Account, String(key))).balance()).toBeTypeOf('number');
  }
  await system.stop();
});
