import { MessageChannel, Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import type { exposed } from './comlink-worker.ts';
import type { Contender } from './contender.ts';
import { small } from './small.ts';

/** An object in a thread, called through a proxy. It knows calls only. */
export async function comlink(): Promise<Contender> {
  const worker = new Worker(new URL('./comlink-worker.js', import.meta.url));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  const remote = wrap<typeof exposed>(port1);
  return {
    name: 'comlink',
    ask: (id) => remote.echo(small(id)),
    async stop() {
      port1.close();
      await worker.terminate();
    },
  };
}
