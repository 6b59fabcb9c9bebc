/** What a host may not write: see the same file of packages/actors. */
import type { Ref } from '@tidemark/actors';
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
