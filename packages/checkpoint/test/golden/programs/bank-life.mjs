/**
 * `node bank-life.mjs STORE WORKERS CHECKPOINTS END COMPRESSION`: goes on with the bank, or begins it, and takes so many
 * checkpoints. Then it says `done`, and waits to be killed (END `live`; after `fill` it had made one part large before), or
 * stops (END `stop`).
 */
import { createSystem } from '@tidemark/checkpoint';
import { Account, ACCOUNTS, INJECTED } from './bank.mjs';

const [store, workers, checkpoints, end, compression] = process.argv.slice(2);
let from = null;
const system = await createSystem({
  actors: [new URL('./bank.mjs', import.meta.url)],
  store,
  workers: Number(workers),
  schedule: '1h',
  keep: 3,
  compression,
  observe: (event) => {
    if (event.kind === 'term') from = event.from;
  },
});
if (from === null) {
  for (let key = 0; key < ACCOUNTS; key++) await system.tell(system.ref(Account, String(key))).receive(INJECTED);
  // An account exists from its first message on: whoever has answered, exists.
  for (let key = 0; key < ACCOUNTS; key++) await system.ask(system.ref(Account, String(key))).balance();
}
if (end === 'fill') await system.ask(system.ref(Account, '0')).fill();
for (let taken = 0; taken < Number(checkpoints); taken++) await system.checkpoint();
if (end === 'stop') await system.stop();
process.stdout.write('done\n');
