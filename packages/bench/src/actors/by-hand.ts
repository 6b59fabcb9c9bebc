import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Order } from './by-hand-worker.ts';
import type { Contender } from './contender.ts';
import { type Manner, Source } from './link.ts';

const ACTORS = 1_000_000;

/** Two workers and the app's thread; the first serves, the second is a source, as the app's thread is. */
export async function byHand(name: string, manner: Manner): Promise<Contender> {
  const [server, other] = [start(), start()];
  const near = new MessageChannel();
  const far = new MessageChannel();
  order(server, { kind: 'serve', port: near.port1, manner });
  order(server, { kind: 'serve', port: far.port1, manner });
  order(other, { kind: 'source', port: far.port2, manner });
  const source = new Source(near.port2, manner);
  return {
    name,
    between: (count) => answered(other, { kind: 'pour', count }),
    fromHost: (count) => source.pour(count),
    ask: (id) => source.ask(id),
    ...(manner === 'one'
      ? {
          inThread: (count: number) => answered(other, { kind: 'in-thread', count }),
          bytesPerActor: async () => ({
            actors: ACTORS,
            bytes: await answered(other, { kind: 'objects', count: ACTORS }),
          }),
        }
      : {}),
    async stop() {
      near.port2.close();
      await Promise.all([server.terminate(), other.terminate()]);
    },
  };
}

function start(): Worker {
  return new Worker(new URL('./by-hand-worker.js', import.meta.url));
}

function order(worker: Worker, what: Order): void {
  worker.postMessage(what, 'port' in what ? [what.port] : []);
}

async function answered(worker: Worker, what: Order): Promise<number> {
  const answer = once(worker, 'message');
  order(worker, what);
  const [value] = (await answer) as [number];
  return value;
}
